/** Prints the number of vaults, with all settings from the environment. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as NodeGlacier from "../../src/node/NodeGlacier.ts"

const program = Effect.gen(function*() {
  const glacier = yield* GlacierClient.GlacierClient
  const { vaults } = yield* glacier.listVaults({})
  yield* Console.log(`${vaults.length} vaults`)
})

NodeRuntime.runMain(Effect.provide(program, NodeGlacier.layer))
