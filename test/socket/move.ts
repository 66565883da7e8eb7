/**
 * A program that tests kill and start again. It moves the archives of a vault to an object store, with checkpoints in a folder,
 * and prints each outcome.
 *
 *     move.ts CHECKPOINTS
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as NodeCheckpoint from "../../src/node/NodeCheckpoint.ts"
import * as NodeGlacier from "../../src/node/NodeGlacier.ts"
import * as NodeHttp from "../../src/node/NodeHttp.ts"
import * as Limits from "../../src/protocol/Limits.ts"
import * as S3Destination from "../../src/s3/S3Destination.ts"
import * as S3ObjectStore from "../../src/s3/S3ObjectStore.ts"
import * as JobWaiting from "../../src/services/JobWaiting.ts"
import * as RetrievalPlan from "../../src/services/RetrievalPlan.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import * as Swift from "../support/swift.ts"

const [, , checkpoints = ""] = process.argv

const archives = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  const job = yield* vault.retrieveInventory()
  yield* job.wait()
  return (yield* job.inventory).archives()
})

/** The features that Swift does not have. */
const options = { checksums: "none", conditionalWrites: false } as const

const program = Effect.gen(function*() {
  const plan = yield* RetrievalPlan.make("films", Stream.unwrap(archives))
  const destination = yield* S3Destination.make({ prefix: "films/", partSize: 8 * Limits.mebibyte })
  yield* Stream.runForEach(
    RetrievalPlan.run(plan, destination, { concurrency: 4 }),
    (outcome) =>
      outcome._tag === "Retrieved"
        ? Console.log(`Moved ${outcome.archive.path}`)
        : Effect.die(outcome.error)
  )
})

const waiting = JobWaiting.layer(JobWaiting.polling(Schedule.spaced("50 millis")))

const vault = Vault.layer("films").pipe(
  Layer.provide(waiting),
  Layer.provideMerge(NodeGlacier.layerClient),
  Layer.provide(Layer.merge(Credentials.layerConfig, Endpoint.layerConfig))
)

NodeRuntime.runMain(Effect.provide(program, [
  vault,
  NodeCheckpoint.layer(checkpoints),
  Layer.provide(S3ObjectStore.layer({ ...Swift.options, ...options, bucket: "films" }), NodeHttp.layer)
]))
