/**
 * An emulator, in a process of its own, on a folder with a vault of a million archives, thousands of vaults and long
 * lists: how long it takes to start, to walk its lists and to make inventories, and the memory it needs.
 *
 *     npm run bench:emulator -- [ARCHIVES]
 */
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Clock, Console, Effect, Fiber, Layer, Option, Redacted, Ref, Stream } from "effect"
import { Credentials, Endpoint, GlacierClient } from "effect-glacier"
import { NodeGlacier } from "effect-glacier/node"
import { writeFileSync } from "node:fs"
import { write } from "./emulatorFolder.ts"
import { emulator, memory, processor } from "./support.ts"

const counts = {
  archives: Number(process.argv[2] ?? 1_000_000),
  vaults: 5_000,
  jobs: 10_000,
  uploads: 1_000,
  parts: 10_000
}
const keys = { accessKeyId: "bench", secretAccessKey: Redacted.make("bench") }

/** Resets the memory peak. */
const forgetPeak = (pid: number) => writeFileSync(`/proc/${pid}/clear_refs`, "5")

const millis = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeMillis
    const value = yield* effect
    return [value, (yield* Clock.currentTimeMillis) - start] as const
  })

const print = (what: string, ...figures: ReadonlyArray<string>) =>
  Console.log(what.padEnd(24) + figures.map((figure) => figure.padEnd(20)).join("").trimEnd())

const seconds = (millis: number) => `${(millis / 1000).toFixed(2)} s`

const start = (what: string, folder: string) =>
  Effect.gen(function*() {
    const [process, took] = yield* millis(emulator(folder))
    yield* print(
      what,
      seconds(took),
      `processor ${processor(process.pid).toFixed(1)} s`,
      `peak ${memory(process.pid, "HWM")} MiB`,
      `then ${memory(process.pid, "RSS")} MiB`
    )
    return process
  })

/** Walks a list, page by page; its first and its last pages should take as long. */
const walk = <E, R>(
  pid: number,
  what: string,
  expected: number,
  page: (
    marker: string | undefined
  ) => Effect.Effect<{ readonly marker: Option.Option<string>; readonly items: ReadonlyArray<unknown> }, E, R>
) =>
  Effect.gen(function*() {
    const times: Array<number> = []
    const before = processor(pid)
    let items = 0
    let marker: string | undefined
    do {
      const [response, took] = yield* millis(page(marker))
      times.push(took)
      items += response.items.length
      marker = Option.getOrUndefined(response.marker)
    } while (marker !== undefined)
    const mean = (some: ReadonlyArray<number>) => some.reduce((sum, one) => sum + one, 0) / some.length
    const some = Math.ceil(times.length / 4)
    yield* print(
      what,
      seconds(times.reduce((sum, one) => sum + one, 0)),
      `processor ${(processor(pid) - before).toFixed(1)} s`,
      `${items} of ${expected}`,
      `${mean(times.slice(0, some)).toFixed(1)} ms a page at first, ${mean(times.slice(-some)).toFixed(1)} at last`
    )
  })

const inventory = (pid: number, format: "JSON" | "CSV") =>
  Effect.gen(function*() {
    const glacier = yield* GlacierClient.GlacierClient
    forgetPeak(pid)
    const before = { memory: memory(pid, "RSS"), processor: processor(pid) }
    const slowest = yield* Ref.make(0)
    // The delay that other callers see.
    const other = yield* millis(glacier.describeVault({ vaultName: "busy" })).pipe(
      Effect.flatMap(([, took]) => Ref.update(slowest, (before) => Math.max(before, took))),
      Effect.delay("5 millis"),
      Effect.forever,
      Effect.fork
    )
    const [jobId, toWrite] = yield* millis(Effect.map(
      glacier.initiateJob({ vaultName: "big", parameters: { type: "inventory-retrieval", format } }),
      ({ jobId }) => jobId
    ))
    const [size, toRead] = yield* millis(Effect.flatMap(
      glacier.getJobOutput({ vaultName: "big", jobId }),
      ({ body }) => Stream.runFold(body, 0, (size, bytes) => size + bytes.length)
    ))
    yield* Fiber.interrupt(other)
    yield* print(
      `inventory as ${format}`,
      `${seconds(toWrite)} + ${seconds(toRead)}`,
      `processor ${(processor(pid) - before.processor).toFixed(1)} s`,
      `${(size / 1_048_576).toFixed(1)} MiB`,
      `memory ${before.memory} MiB, peak ${memory(pid, "HWM")} MiB; others waited at most ${yield* slowest} ms`
    )
  })

const program = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped()
  const empty = yield* fs.makeTempDirectoryScoped()
  const now = yield* Clock.currentTimeMillis
  const [, toWrite] = yield* millis(Effect.sync(() => write(folder, now, counts)))
  yield* Console.log(`${JSON.stringify(counts)}, written in ${seconds(toWrite)}`)
  yield* Effect.scoped(start("start with nothing", empty))
  const { pid, url } = yield* start("start", folder)
  const layer = NodeGlacier.layerClient.pipe(
    Layer.provide(Layer.merge(Credentials.layer(keys), Endpoint.layer({ region: "us-east-1", endpoint: url })))
  )
  yield* Effect.gen(function*() {
    const glacier = yield* GlacierClient.GlacierClient
    const vaultName = "busy"
    yield* walk(
      pid,
      "ListVaults",
      counts.vaults + 2,
      (marker) => Effect.map(glacier.listVaults({ marker }), ({ marker, vaults }) => ({ marker, items: vaults }))
    )
    yield* walk(
      pid,
      "ListJobs",
      counts.jobs,
      (marker) => Effect.map(glacier.listJobs({ vaultName, marker }), ({ jobs, marker }) => ({ marker, items: jobs }))
    )
    yield* walk(
      pid,
      "ListMultipartUploads",
      counts.uploads,
      (marker) =>
        Effect.map(glacier.listMultipartUploads({ vaultName, marker }), ({ marker, uploads }) => ({
          marker,
          items: uploads
        }))
    )
    const { uploads: [first] } = yield* glacier.listMultipartUploads({ vaultName, limit: 1 })
    const uploadId = first?.uploadId ?? ""
    yield* walk(
      pid,
      "ListParts",
      counts.parts,
      (marker) =>
        Effect.map(
          glacier.listParts({ vaultName, uploadId, marker }),
          ({ marker, parts }) => ({ marker, items: parts })
        )
    )
    yield* inventory(pid, "JSON")
    yield* inventory(pid, "CSV")
  }).pipe(Effect.provide(layer))
}).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

NodeRuntime.runMain(program)
