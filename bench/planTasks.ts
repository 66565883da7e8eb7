/**
 * The process of one step of the program `plan.ts`. The service responds from memory: every archive is a byte, and every job
 * has succeeded when it is described.
 *
 *     planTasks STEP COUNT FOLDER
 */
import { HttpClient, HttpClientResponse } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { Console, DateTime, Effect, Layer, Redacted, Stream } from "effect"
import {
  Credentials,
  Destination,
  Endpoint,
  GlacierClient,
  type Inventory,
  RetrievalPlan,
  TreeHash,
  Vault
} from "effect-glacier"
import { NodeCheckpoint, NodeHashing } from "effect-glacier/node"
import { Names } from "effect-glacier/protocol"
import { closeSync, openSync, writeSync } from "node:fs"
import { archiveId } from "./archiveId.ts"
import { memory } from "./support.ts"

const [step, count, folder] = [process.argv[2], Number(process.argv[3]), process.argv[4] ?? ""]

/** Terms with a cap: the quote needs the size of each archive in order. */
const terms = { prices: { Bulk: { perGiB: 0.0025, perThousandRequests: 0.025 } }, bytesPerDay: 2 ** 40 }

const byte = new Uint8Array(1)
const treeHash = TreeHash.TreeHash.make("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
const date = "2015-04-06T22:24:34.000Z"
const creationDate = DateTime.unsafeMake(date)

/** The path of an archive. Every thousandth one has the path of the archive before it. */
const pathOf = (index: number): string =>
  index % 1_000 === 999 ? pathOf(index - 1) : `photos/${index % 50_000}/${index}.jpeg`

const entryOf = (index: number): Inventory.Entry => ({
  archiveId: Names.ArchiveId.make(archiveId(index)),
  description: pathOf(index),
  creationDate,
  size: 1,
  treeHash
})

const entries = Stream.range(0, Math.ceil(count / 1_000) - 1).pipe(
  // Otherwise the archives of a whole chunk of the range would be in memory.
  Stream.rechunk(1),
  Stream.mapConcat((thousand) =>
    Array.from({ length: Math.min(1_000, count - thousand * 1_000) }, (_, index) => entryOf(thousand * 1_000 + index))
  )
)

const describe = (jobId: string) => ({
  Action: "ArchiveRetrieval",
  ArchiveId: jobId,
  ArchiveSizeInBytes: 1,
  ArchiveSHA256TreeHash: treeHash,
  SHA256TreeHash: treeHash,
  RetrievalByteRange: "0-0",
  Completed: true,
  CompletionDate: new Date().toISOString(),
  CreationDate: date,
  JobId: jobId,
  StatusCode: "Succeeded",
  StatusMessage: "Succeeded",
  Tier: "Bulk",
  VaultARN: "arn:aws:glacier:us-east-1:012345678901:vaults/bench"
})

const json = (body: unknown) => new Response(JSON.stringify(body))

/** The service. A job that is started becomes a line of the file `started`, with the id of its archive. */
const service = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => openSync(`${folder}/started`, "a")),
    (file) => Effect.sync(() => closeSync(file))
  ),
  (file) =>
    HttpClient.make((request, url) =>
      Effect.sync(() => {
        const respond = (): Response => {
          if (request.method === "POST" && request.body._tag === "Uint8Array") {
            const id: string = JSON.parse(new TextDecoder().decode(request.body.body)).ArchiveId
            writeSync(file, `${id}\n`)
            return new Response(null, { status: 202, headers: { "x-amz-job-id": id, location: "/" } })
          }
          const jobId = url.pathname.split("/jobs/")[1]
          if (jobId === undefined) return json({ JobList: [], Marker: null })
          if (!jobId.endsWith("/output")) return json(describe(jobId))
          return new Response(byte, { headers: { "content-length": "1", "x-amz-sha256-tree-hash": treeHash } })
        }
        return HttpClientResponse.fromWeb(request, respond())
      })
    )
)

const layer = Layer.mergeAll(
  Vault.layer("bench").pipe(
    Layer.provide(GlacierClient.layer),
    Layer.provide([
      Layer.scoped(HttpClient.HttpClient, service),
      Credentials.layer({ accessKeyId: "bench", secretAccessKey: Redacted.make("bench") }),
      Endpoint.layer({ region: "us-east-1" })
    ])
  ),
  NodeCheckpoint.layer(`${folder}/checkpoints`),
  NodeHashing.layer,
  NodeContext.layer
)

/** Prints a line of the report: the time since the process started, and its peak memory. */
const report = (text: string) => Console.log(`${text}\t${performance.now() / 1_000}\t${memory("self", "HWM")}`)

const make = RetrievalPlan.make("bench", entries, { tier: "Bulk" })

const program = Effect.gen(function*() {
  const plan = yield* make
  if (step === "make") return yield* report(`${plan.count} planned`)
  if (step === "print") {
    yield* Effect.log(yield* RetrievalPlan.format(plan, terms))
    return yield* report(`${yield* Stream.runCount(plan.rejected)} rejected`)
  }
  let done = 0
  yield* Stream.runForEach(
    RetrievalPlan.run(plan, yield* Destination.directory(`${folder}/files`)),
    (outcome) =>
      outcome._tag === "Failed"
        ? Effect.die(outcome.error)
        : ++done === 1 || done % 1_000 === 0
        ? report(`${done} retrieved`)
        : Effect.void
  )
})

program.pipe(Effect.provide(layer), Effect.runPromise)
