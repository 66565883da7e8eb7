/** Spends 70 bytes of the budget in a folder, prints its process and runs until it is killed, or prints the error: `node spender.ts FOLDER`. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as NodeRetrievalBudget from "../../src/node/NodeRetrievalBudget.ts"
import { RetrievalBudget } from "../../src/policy/RetrievalBudget.ts"

const program = Effect.gen(function*() {
  const { spend } = yield* RetrievalBudget
  yield* spend({ bytes: 70, tier: "Bulk" }, Effect.void)
  yield* Console.log(`process ${process.pid}`)
  yield* Effect.never
}).pipe(
  Effect.provide(NodeRetrievalBudget.layerWith(process.argv.at(-1) ?? "", { bytesPerDay: 100 })),
  Effect.catchAll((error) => Console.log(error.message))
)

NodeRuntime.runMain(program)
