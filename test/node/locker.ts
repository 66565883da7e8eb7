/** Locks a file, prints its process and runs until it is killed, or prints the error: `node locker.ts FILE`. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as NodeFileLock from "../../src/node/NodeFileLock.ts"
import { FileLock } from "../../src/transfer/FileLock.ts"

const path = process.argv.at(-1) ?? ""

const program = Effect.gen(function*() {
  const { acquire } = yield* FileLock
  yield* acquire(path, `${path}.lock`)
  yield* Console.log(`process ${process.pid}`)
  yield* Effect.never
}).pipe(
  Effect.catchAll((error) => Console.log(error.message)),
  Effect.scoped,
  Effect.provide(NodeFileLock.layer)
)

NodeRuntime.runMain(program)
