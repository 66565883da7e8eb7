#!/usr/bin/env node
/**
 * The `effect-glacier` program.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as EmulatorCommand from "./EmulatorCommand.ts"

const run = Command.make("effect-glacier").pipe(
  Command.withSubcommands([EmulatorCommand.command]),
  Command.run({ name: "effect-glacier", version: "0.1.0" })
)

NodeRuntime.runMain(Effect.provide(run(process.argv), NodeContext.layer))
