/**
 * A large file up and down, against an emulator in a process of its own that keeps its data on disk: seconds, speed
 * and the peak memory of both processes. Fails when memory grows with the file.
 *
 *     npm run bench:memory -- [MIB]
 */
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Clock, Console, Data, Effect, Layer, Redacted, Schedule } from "effect"
import { Credentials, Endpoint, Source, Vault } from "effect-glacier"
import { NodeGlacier } from "effect-glacier/node"
import { execFileSync } from "node:child_process"
import { emulator, memory } from "./support.ts"

const size = Number(process.argv[2] ?? 512) * 1_048_576
const keys = { accessKeyId: "bench", secretAccessKey: Redacted.make("bench") }

class MemoryGrew extends Data.TaggedError("MemoryGrew")<{ readonly message: string }> {}

const peak = (pid: number | "self") => memory(pid, "HWM")

/** The permitted growth of each process in MiB: four parts of 16 in flight and one at the door, half as much again for the sockets. */
const allowed = { client: 5 * 16 * 1.5 + 100, emulator: 128 }

const timed = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeMillis
    const value = yield* effect
    const seconds = ((yield* Clock.currentTimeMillis) - start) / 1000
    yield* Console.log(
      `${what}  ${seconds.toFixed(2)} s  ${Math.round(size / 1_048_576 / seconds)} MiB/s  peak ${peak("self")} MiB`
    )
    return value
  })

const program = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped()
  const file = `${folder}/file`
  execFileSync("dd", ["if=/dev/urandom", `of=${file}`, "bs=1M", `count=${size / 1_048_576}`, "status=none"])
  yield* fs.makeDirectory(`${folder}/data`)
  const { pid, url } = yield* emulator(`${folder}/data`)
  const layer = NodeGlacier.layerClient.pipe(
    Layer.provide(Layer.merge(Credentials.layer(keys), Endpoint.layer({ region: "us-east-1", endpoint: url })))
  )
  yield* Effect.gen(function*() {
    const vault = yield* Vault.make("bench")
    yield* vault.create
    const before = { client: peak("self"), emulator: peak(pid) }
    yield* Console.log(`start     peak ${before.client} MiB, emulator ${before.emulator} MiB`)
    const archive = yield* timed("upload  ", vault.upload(Source.file(file)))
    const job = yield* vault.retrieveArchive(archive.archiveId)
    yield* job.wait(Schedule.spaced("100 millis"))
    yield* timed("download", job.outputToFile(`${folder}/back`))
    execFileSync("cmp", [file, `${folder}/back`])
    yield* Console.log(`verified  ${archive.parts} parts, tree hash ${archive.treeHash}`)
    yield* Console.log(`emulator  peak ${peak(pid)} MiB`)
    const grown = { client: peak("self") - before.client, emulator: peak(pid) - before.emulator }
    if (grown.client > allowed.client || grown.emulator > allowed.emulator) {
      return yield* new MemoryGrew({ message: `By ${JSON.stringify(grown)} MiB, allowed ${JSON.stringify(allowed)}` })
    }
  }).pipe(Effect.provide(layer))
}).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

NodeRuntime.runMain(program)
