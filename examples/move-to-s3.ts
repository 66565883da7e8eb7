/**
 * Moves archives to an object store, and deletes those whose copies are proven. The program can be stopped at any point and
 * started again: it pays for no archive twice, sends no stored part again, and replaces no object. Runs against the emulator
 * over HTTP, and against a store in memory. With the name of a bucket, the store is S3, or the one at `AWS_ENDPOINT_URL_S3`.
 *
 *     node --import tsx examples/move-to-s3.ts [bucket]
 */
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Schema, Stream } from "effect"
import { Decommission, DecommissionEvent, Destination, JobWaiting, RetrievalPlan, Source, Vault } from "effect-glacier"
import { NodeCheckpoint, NodeEmulator, NodeHttp, NodeRetrievalBudget } from "effect-glacier/node"
import { S3Destination, S3ObjectStore } from "effect-glacier/s3"
import { TestObjectStore } from "effect-glacier/testing"

const paths = ["photos/2012/sea.jpg", "photos/2012/hills.jpg", "letters/1.txt", "../etc/passwd"]

const terms = { prices: { Bulk: { perGiB: 0.0025, perThousandRequests: 0.025 } }, bytesPerDay: 2 ** 40 }

const upload = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  yield* vault.create
  // A photo of several parts
  const photo = new Uint8Array(20 * 2 ** 20).fill(1)
  yield* Effect.forEach(
    paths,
    (path) =>
      vault.upload(Source.bytes(path.includes("sea") ? photo : new TextEncoder().encode(path)), { description: path })
  )
})

/** The archives of the vault. The inventory is retrieved only when the Stream is run. */
const archives = Stream.unwrap(Effect.gen(function*() {
  const vault = yield* Vault.Vault
  const job = yield* vault.retrieveInventory({ reuse: "1 hour" })
  yield* job.wait()
  return (yield* job.inventory).archives()
}))

/** Moves the archives. Run it again until all are moved, by hand or by a timer. */
const move = Effect.gen(function*() {
  const plan = yield* RetrievalPlan.make("move", archives, { tier: "Bulk", platform: "posix" })
  yield* Console.log(yield* RetrievalPlan.format(plan, terms))
  const destination = yield* S3Destination.make({ prefix: "old-photos/", partSize: 8 * 2 ** 20, readBack: "sample" })
  yield* Stream.runForEach(RetrievalPlan.run(plan, destination), (outcome) =>
    outcome._tag === "Retrieved"
      ? Console.log(`moved to ${outcome.proof.location}`)
      : Console.log(`${outcome.archive.path}: ${outcome.error.message}`))
  return { plan, destination }
})

const encode = Schema.encodeSync(Destination.Proof)

const lineOf = ({ archive: { archiveId }, proof }: RetrievalPlan.Proven) =>
  `${JSON.stringify({ archiveId, ...encode(proof) })}\n`

const program = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "effect-glacier-" })
  yield* upload
  yield* Effect.gen(function*() {
    const { destination, plan } = yield* move
    yield* Stream.run(Stream.encodeText(Stream.map(plan.proofs, lineOf)), fs.sink(`${folder}/proofs.jsonl`))
    const lines = (yield* fs.readFileString(`${folder}/proofs.jsonl`)).trimEnd().split("\n")
    yield* Console.log(`${lines.length} proofs`)

    // Deletes what has a proof. The archive without a usable path was not moved, so it remains, and so does the vault.
    const proof = yield* RetrievalPlan.prover(plan, destination)
    yield* Decommission.run("old-photos", { proof, youngArchives: "delete" }).pipe(
      Stream.runForEach((event) => Console.log(DecommissionEvent.format(event))),
      Effect.catchTag("DecommissionStopped", ({ message }) => Console.log(message))
    )
  }).pipe(
    Effect.provide([
      NodeCheckpoint.layer(`${folder}/checkpoints`),
      NodeRetrievalBudget.layerWith(`${folder}/ledger`, terms)
    ])
  )
})

const [bucket] = process.argv.slice(2)

const store = bucket === undefined
  ? TestObjectStore.layer()
  : Layer.provide(S3ObjectStore.layer({ bucket }), NodeHttp.layer)

const vault = Vault.layer("old-photos").pipe(
  Layer.provide(JobWaiting.layerShared({ every: "1 second" })),
  Layer.provideMerge(NodeEmulator.layer({ jobDelay: "2 seconds", inventoryDelay: 0 }))
)

program.pipe(Effect.scoped, Effect.provide([vault, store, NodeContext.layer]), NodeRuntime.runMain)
