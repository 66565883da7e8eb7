/**
 * Opens a checkpoint, prints its process and runs until it is killed, or prints the error: `node holder.ts FOLDER NAME`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as NodeCheckpoint from "../../src/node/NodeCheckpoint.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"

const [, , directory = "", name = ""] = process.argv

const program = Effect.gen(function*() {
  const checkpoint = yield* Checkpoint.Checkpoint
  const log = yield* checkpoint.open(name)
  yield* log.append(`process ${process.pid}`)
  yield* Console.log(`opened by process ${process.pid}`)
  yield* Effect.never
}).pipe(
  Effect.catchAll((error) => Console.log(error.message)),
  Effect.scoped,
  Effect.provide(NodeCheckpoint.layer(directory))
)

NodeRuntime.runMain(program)
