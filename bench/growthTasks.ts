/**
 * The process that runs one task of one size.
 *
 *     growthTasks TASK SIZE
 */
import { NodeFileSystem } from "@effect/platform-node"
import { Chunk, DateTime, Effect, Layer, Predicate, Schema, Stream } from "effect"
import {
  Checkpoint,
  DeletionPlan,
  Hasher,
  type Inventory,
  InventoryReader,
  JobWaiting,
  RetrievalPlan,
  Source,
  TreeHash,
  Upload,
  Vault
} from "effect-glacier"
import { NodeHashing } from "effect-glacier/node"
import { Names } from "effect-glacier/protocol"
import { TestGlacier } from "effect-glacier/testing"
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { constants, PerformanceObserver } from "node:perf_hooks"
import { inVirtualTime } from "../test/support/virtualClock.ts"
import { archiveId } from "./archiveId.ts"
import * as EmulatorFolder from "./emulatorFolder.ts"
import { Measured, Task } from "./growthReport.ts"
import * as MemoryHttp from "./memoryHttp.ts"
import { emulator, memory } from "./support.ts"

const mebibyte = 1_048_576
const vaultName = "bench"

const report = (seconds: number, mebibytes: number) =>
  console.log(Schema.encodeSync(Measured)({ seconds, mebibytes: Math.max(0.1, mebibytes) }))

const inUse = () => {
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / mebibyte
}

/** Measures an effect: its seconds, and the growth of the memory in use right after garbage collections. */
const measured = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    globalThis.gc?.()
    const before = inUse()
    let most = before
    const collections = new PerformanceObserver((list) => {
      const isMajor = list.getEntries().some((entry) =>
        Predicate.hasProperty(entry, "detail") && Predicate.hasProperty(entry.detail, "kind") &&
        entry.detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR
      )
      if (isMajor) most = Math.max(most, inUse())
    })
    collections.observe({ entryTypes: ["gc"] })
    const start = performance.now()
    const result = yield* effect
    const seconds = (performance.now() - start) / 1_000
    globalThis.gc?.()
    most = Math.max(most, inUse())
    collections.disconnect()
    report(seconds, most - before)
    return result
  })

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "growth-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const entryOf = (index: number): Inventory.Entry => ({
  archiveId: Names.ArchiveId.make(archiveId(index)),
  description: `photos/2024/${index}.jpeg`,
  creationDate: DateTime.unsafeMake(0),
  size: mebibyte,
  treeHash: TreeHash.TreeHash.make("0".repeat(64))
})

const entries = (count: number) => Stream.map(Stream.range(0, count - 1), entryOf)

/** The JSON inventory of `count` archives, in pieces of a thousand entries. */
const document = (count: number) => {
  const encode = (entry: Inventory.Entry) =>
    JSON.stringify({
      ArchiveId: entry.archiveId,
      ArchiveDescription: entry.description,
      CreationDate: "2015-04-06T22:24:34Z",
      Size: entry.size,
      SHA256TreeHash: entry.treeHash
    })
  const list = entries(count).pipe(
    Stream.map(encode),
    Stream.grouped(1_000),
    Stream.map((some) => Chunk.join(some, ",")),
    Stream.intersperse(",")
  )
  const head =
    `{"VaultARN":"arn:aws:glacier:us-east-1:012345678901:vaults/bench","InventoryDate":"2015-04-07T00:26:18Z",`
  return Stream.encodeText(Stream.concat(Stream.make(`${head}"ArchiveList":[`), Stream.concat(list, Stream.make("]}"))))
}

const noJobs: MemoryHttp.Response = { status: 200, body: JSON.stringify({ JobList: [], Marker: null }) }

/** A service that stores every archive, deletes every archive and has no jobs. */
const service = MemoryHttp.client(({ method }) =>
  method === "GET" ? noJobs : method === "DELETE" ? { status: 204 } : MemoryHttp.stored
)

const inVault = Layer.mergeAll(
  Layer.provideMerge(Vault.layer(vaultName), service),
  NodeHashing.layer,
  NodeFileSystem.layer
)

const upload = (count: number) =>
  Effect.gen(function*() {
    const vault = yield* Vault.Vault
    const one = vault.upload(Source.bytes(Buffer.alloc(4_096, "glacier")))
    yield* measured(Effect.forEach(Array.from({ length: count }), () => one, { concurrency: 16, discard: true }))
  }).pipe(Effect.provide(inVault))

const list = (count: number) =>
  measured(Stream.runCount(InventoryReader.entries(document(count), { format: "JSON", onMalformed: Effect.fail })))

const inFolder = Layer.provideMerge(Layer.unwrapScoped(Effect.map(folder, Checkpoint.layerFileSystem)), inVault)

const plan = (count: number) => Effect.provide(measured(RetrievalPlan.make("plan", entries(count))), inFolder)

/** Deletes the archives of a plan, with a checkpoint in a file. If `isResumed`, measures the next run, which skips them all. */
const deletion = (count: number, isResumed: boolean) =>
  Effect.gen(function*() {
    const plan = yield* DeletionPlan.make("delete", entries(count))
    const run = Stream.runDrain(DeletionPlan.run(plan, { concurrency: 16 }))
    if (isResumed) yield* run
    yield* measured(run)
  }).pipe(Effect.provide(inFolder))

/** The pages of ListParts of an upload with `count` parts of zeros, 1 MiB each. */
const partsOf = (count: number, treeHash: string, marker: number): MemoryHttp.Response => {
  const next = marker + 50
  const parts = Array.from({ length: Math.min(50, count - marker) }, (_, index) => {
    const start = (marker + index) * mebibyte
    return { RangeInBytes: `${start}-${start + mebibyte - 1}`, SHA256TreeHash: treeHash }
  })
  return {
    status: 200,
    body: JSON.stringify({
      ArchiveDescription: null,
      CreationDate: "2015-04-06T22:24:34Z",
      Marker: next < count ? String(next) : null,
      MultipartUploadId: uploadId,
      PartSizeInBytes: mebibyte,
      Parts: parts,
      VaultARN: `arn:aws:glacier:us-east-1:012345678901:vaults/${vaultName}`
    })
  }
}

const uploadId = "U".repeat(92)

const resumed = (count: number) =>
  Effect.gen(function*() {
    const path = join(yield* folder, "zeros")
    writeFileSync(path, "")
    truncateSync(path, count * mebibyte)
    const { treeHash } = yield* Effect.flatMap(Hasher.Hasher, ({ hashes }) => hashes(new Uint8Array(mebibyte)))
    const client = MemoryHttp.client(({ method, url }) =>
      method === "GET"
        ? partsOf(count, treeHash, Number(new URL(url).searchParams.get("marker")))
        : MemoryHttp.stored
    )
    yield* measured(Upload.resume({ vaultName: Names.VaultName.make(vaultName) }, uploadId, Source.file(path))).pipe(
      Effect.provide(client)
    )
  }).pipe(Effect.provide([NodeHashing.layer, NodeFileSystem.layer]), Effect.scoped)

/** Waits for the jobs of a vault, with one list for all of them, in virtual time. */
const waiting = (count: number) =>
  Effect.gen(function*() {
    const vault = yield* Vault.Vault
    yield* vault.create
    const { archiveId } = yield* vault.upload(Source.bytes(new Uint8Array(1)))
    const jobs = yield* Effect.replicateEffect(vault.retrieveArchive(archiveId), count)
    yield* measured(Effect.forEach(jobs, (job) => job.wait(), { concurrency: "unbounded" }))
  }).pipe(
    Effect.provide(
      Vault.layer(vaultName).pipe(
        Layer.provideMerge(JobWaiting.layerShared()),
        Layer.provideMerge(TestGlacier.layer())
      )
    ),
    inVirtualTime
  )

/** Starts an emulator, in a process of its own, on a folder with so many archives. */
const starting = (count: number) =>
  Effect.gen(function*() {
    const path = yield* folder
    EmulatorFolder.write(path, Date.now(), { archives: count, vaults: 0, jobs: 0, uploads: 0, parts: 0 })
    const start = performance.now()
    const { pid } = yield* emulator(path)
    report((performance.now() - start) / 1_000, memory(pid, "HWM"))
  }).pipe(Effect.scoped)

const tasks: Readonly<Record<Task, (count: number) => Effect.Effect<void, unknown>>> = {
  upload,
  delete: (count) => deletion(count, false),
  list,
  plan,
  resume: (count) => deletion(count, true),
  parts: resumed,
  jobs: waiting,
  emulator: starting
}

const [task = "", size] = process.argv.slice(2)
await Effect.runPromise(tasks[Schema.decodeUnknownSync(Task)(task)](Number(size)))
