/**
 * Retrieves archives to a folder, selected by their names. The program can be stopped at any point and started again: it
 * pays for no archive twice. Runs against the emulator over HTTP.
 *
 *     node --import tsx examples/retrieve-many.ts
 */
import { FileSystem, Path } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Chunk, Console, DateTime, Effect, Layer, Option, Stream } from "effect"
import { ArchiveName, Destination, JobWaiting, RetrievalPlan, Source, Vault } from "effect-glacier"
import { NodeCheckpoint, NodeEmulator, NodeRetrievalBudget } from "effect-glacier/node"

const utf8 = new TextEncoder()

const paths = ["photos/2012/sea.jpg", "photos/2012/hills.jpg", "photos/2013/sea.jpg", "letters/1.txt", "../etc/passwd"]

const terms = {
  prices: { Bulk: { perGiB: 0.0025, perThousandRequests: 0.025 }, transfer: { perGiB: 0.09 } },
  bytesPerDay: 2 ** 40
}

/** The archives that are wanted. The inventory is retrieved only when the Stream is run. */
const wanted = Stream.unwrap(Effect.gen(function*() {
  const vault = yield* Vault.Vault
  const inventory = yield* vault.retrieveInventory({ reuse: "1 hour" })
  yield* inventory.wait()
  const { archives } = yield* inventory.inventory
  const isWanted = ({ path }: ArchiveName.ArchiveName) => !path.endsWith(".txt")
  return Stream.filter(archives(), ({ description }) => Option.exists(ArchiveName.read(description), isWanted))
}))

/** The program to run again until all archives are retrieved, by hand or by a timer. */
const retrieve = (directory: string) =>
  Stream.unwrap(Effect.gen(function*() {
    const plan = yield* RetrievalPlan.make("photos", wanted, { tier: "Bulk" })
    yield* Console.log(yield* RetrievalPlan.format(plan, terms))
    return RetrievalPlan.run(plan, yield* Destination.directory(directory))
  }))

const tell = (outcome: RetrievalPlan.Outcome<Destination.DirectoryError>) =>
  outcome._tag === "Retrieved"
    ? Console.log(`${outcome.before ? "already in place" : "retrieved"}: ${outcome.archive.path}`)
    : Console.log(`${outcome._tag}: ${outcome.error.message}`)

const program = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const vault = yield* Vault.Vault
  yield* vault.create
  yield* Effect.forEach(paths, (path) =>
    Effect.gen(function*() {
      const description = yield* ArchiveName.write({ path, modified: yield* DateTime.now })
      yield* vault.upload(Source.bytes(utf8.encode(`This is ${path}`)), { description })
    }))

  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "effect-glacier-" })
  const directory = path.join(folder, "restored")
  // The checkpoint and the ledger of the budget outlive the program.
  const kept = Layer.merge(
    NodeCheckpoint.layer(path.join(folder, "checkpoints")),
    NodeRetrievalBudget.layerWith(path.join(folder, "ledger"), terms)
  )
  const outcomes = Stream.tap(retrieve(directory), tell)
  const some = Stream.takeUntil(outcomes, ({ _tag }) => _tag === "Retrieved")
  yield* Effect.provide(Stream.runDrain(some), kept)
  yield* Console.log("Stopped, and started again")
  yield* Effect.provide(Stream.runDrain(outcomes), kept)

  const jobs = yield* Stream.runCollect(vault.jobs())
  const files = yield* fs.readDirectory(directory, { recursive: true })
  yield* Console.log(`${files.filter((file) => file.endsWith(".jpg")).length} files, ${Chunk.size(jobs)} jobs`)
})

const emulator = NodeEmulator.layer({ jobDelay: "2 seconds", inventoryDelay: 0 })

program.pipe(
  Effect.scoped,
  Effect.provide(
    Vault.layer("retrieve-many").pipe(
      // Polls all jobs with one list request.
      Layer.provide(JobWaiting.layerShared({ every: "1 second" })),
      Layer.provideMerge(emulator)
    )
  ),
  NodeRuntime.runMain
)
