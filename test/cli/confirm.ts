// Asks a question of a command: `confirm.ts vaultName|yesOrNo [--yes]`. Prints "confirmed" on stdout, or else the error.
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Option } from "effect"
import * as Confirm from "../../src/cli/Confirm.ts"
import { Globals } from "../../src/cli/Globals.ts"
import * as Output from "../../src/cli/Output.ts"

const none = Option.none()

const globals = {
  ...{ vault: none, region: none, profile: none, account: none, endpoint: none, state: none, synologyNames: none },
  ...{ botoNames: false, json: false, quiet: false, verbose: false, dryRun: false },
  yes: process.argv.includes("--yes")
}

const question = process.argv.includes("vaultName")
  ? Confirm.vaultName({ vaultName: "photos" }, "This deletes 3 archives of the vault photos")
  : Confirm.yesOrNo("The retrieval costs about $12.50")

question.pipe(
  Effect.matchEffect({ onFailure: ({ message }) => Console.log(message), onSuccess: () => Console.log("confirmed") }),
  Effect.provide(Layer.merge(Layer.succeed(Globals, globals), Output.layer(globals))),
  NodeRuntime.runMain
)
