/**
 * One scenario from its beginning to its end, in virtual time, and what is to be said of it.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Path from "@effect/platform/Path"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import { createHash, createHmac } from "node:crypto"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as Limits from "../../src/protocol/Limits.ts"
import { ContentSha256 } from "../../src/protocol/Names.ts"
import * as Sha256 from "../../src/protocol/Sha256.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as FileLock from "../../src/transfer/FileLock.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import * as Hasher from "../../src/transport/Hasher.ts"
import * as Signer from "../../src/transport/Signer.ts"
import * as Transport from "../../src/transport/Transport.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import * as Batch from "./batch.ts"
import * as Content from "./content.ts"
import * as Oracle from "./oracle.ts"
import * as Program from "./program.ts"
import type { Scenario } from "./scenario.ts"
import * as World from "./world.ts"

const create: Sha256.Create = (key) => key === undefined ? createHash("sha256") : createHmac("sha256", key)

/** Hashes at once: threads would bring real time in. */
const hashing = Layer.merge(
  Layer.succeed(Sha256.Sha256, create),
  Layer.succeed(Hasher.Hasher, {
    treeHash: (bytes) => Effect.sync(() => TreeHash.ofBytes(create, bytes)),
    hashes: (bytes) =>
      Effect.sync(() =>
        bytes.length <= Limits.mebibyte ? Hasher.ofLeaf(Sha256.digest(create, bytes)) : {
          contentSha256: ContentSha256.make(createHash("sha256").update(bytes).digest("hex")),
          treeHash: TreeHash.ofBytes(create, bytes)
        }
      ),
    allocate: (size) => Effect.sync(() => new Uint8Array(size))
  })
)

/** What is the same for all programs, and holds nothing of them: it is made once. */
const fixed = await Effect.runPromise(Effect.scoped(Layer.build(Layer.mergeAll(
  hashing,
  Path.layer,
  Credentials.layer(Emulator.defaultKey),
  Endpoint.layer({ region: "us-east-1" })
))))

const vaultName = "photos"

/** A vault over an HTTP client of its own. Layers would take longer to build than an archive to upload. */
const vaultOver = (http: HttpClient.HttpClient) =>
  Signer.make.pipe(
    Effect.flatMap((signer) => Effect.provideService(Transport.make, Signer.Signer, signer)),
    Effect.flatMap((transport) => Effect.provideService(GlacierClient.make, Transport.Transport, transport)),
    Effect.flatMap((client) => Effect.provideService(Vault.make(vaultName), GlacierClient.GlacierClient, client)),
    Effect.provideService(HttpClient.HttpClient, http),
    Effect.orDie
  )

/** Who has cleared its checkpoint may die before it has noted which archive it is: that is its own affair, and counts as noted. */
const noted = Effect.fnUntraced(function*(world: World.World, folder: string, note: Program.Note) {
  const { name, upload } = note.work
  if (upload === "plain" || note.archiveId !== undefined) return
  if (world.disk.names().includes(yield* Checkpoint.pathOf(Program.checkpoints(folder), name))) return
  const [archiveId] = Array.from(world.witness.archives).find(([, { description }]) => description === name) ?? []
  if (archiveId !== undefined) note.archiveId = archiveId
})

/** A program that is started again whenever it dies. */
const live = Effect.fnUntraced(
  function*(world: World.World, { batches, crashes, folder, notes }: Oracle.Client) {
    for (const crash of [...crashes, undefined]) {
      const process = world.makeProcess(folder)
      const program = Program.make(folder, notes, batches).pipe(
        Effect.provideServiceEffect(Vault.Vault, vaultOver(process.http)),
        Effect.provide(Checkpoint.layerFileSystem(Program.checkpoints(folder))),
        Effect.provideService(FileSystem.FileSystem, process.fs),
        // What a process owned is free when it is dead.
        Effect.provideService(FileLock.FileLock, FileLock.makeInProcess()),
        Effect.withClock(world.faults.clock)
      )
      const fiber = yield* Effect.forkDaemon(program)
      const ended = yield* Fiber.await(fiber).pipe(
        crash === undefined ? Effect.asSome : Effect.timeoutOption(crash.after),
        // It does not outlive the simulation.
        Effect.onInterrupt(() => {
          process.alive = false
          return Fiber.interruptFork(fiber)
        })
      )
      if (ended._tag === "Some") {
        process.alive = false
        if (Exit.isFailure(ended.value)) return [`${folder} gave up: ${Cause.pretty(ended.value.cause).slice(0, 500)}`]
        return []
      }
      for (const note of notes) yield* noted(world, folder, note)
      world.kill(process, crash?.power ?? false)
      for (const note of notes) {
        note.crashed = true
        // What was to be downloaded is whole or not there at all.
        const target = world.disk.read(Program.paths(folder, note.work).target)
        if (target !== undefined && Buffer.compare(target, note.bytes) !== 0) note.wrong++
      }
      for (const note of batches) note.wrong += Batch.wrongFiles(world.disk, folder, note)
      yield* Fiber.interruptFork(fiber)
      // By then what was on its way has arrived.
      yield* Effect.sleep("1 second")
    }
    return []
  }
)

/** No run may take longer than that, in virtual time. */
const longest = "24 hours"

/** Runs a scenario. */
export const run = (scenario: Scenario) =>
  Effect.gen(function*() {
    const world = yield* World.make(scenario)
    const clean = yield* vaultOver(world.witness.http)
    yield* clean.create
    const clients = yield* Effect.forEach(scenario.clients, ({ batches, crashes, works }, index) =>
      Effect.gen(function*() {
        const folder = `/client-${index}`
        const notes = works.map((work): Program.Note => {
          const bytes = Content.make(work.name, work.size)
          const { source } = Program.paths(folder, work)
          const restore = Effect.map(Clock.currentTimeMillis, (now) => {
            const is = world.disk.read(source)
            if (is === undefined || Buffer.compare(is, bytes) !== 0) {
              world.disk.write(source, bytes, now)
            }
          })
          return { work, bytes, restore, wrong: 0, failures: [] }
        })
        for (const { restore, work } of notes) {
          if (work.source === "file") {
            yield* restore
          }
        }
        return {
          folder,
          crashes,
          notes,
          batches: yield* Effect.forEach(batches, (batch) =>
            Batch.store(clean, batch))
        }
      }))
    const ended = yield* Effect.forEach(
      clients,
      (client) =>
        live(world, client),
      { concurrency: "unbounded" }
    ).pipe(
      Effect.timeoutTo({
        duration: longest,
        onSuccess: (given) => given.flat(),
        onTimeout: () => [`still at work after ${longest}`]
      })
    )
    // What a program has been told is done has to outlast a power cut.
    for (const { folder } of clients) world.disk.cutPower(folder, () => "lost")
    const verdict = yield* Oracle.judge(world, clean, clients)
    return {
      problems: [...ended, ...verdict.problems],
      wrongBytes: verdict.wrongBytes,
      orphans: verdict.orphans,
      duplicates: verdict.duplicates,
      jobs: verdict.jobs,
      extraJobs: verdict.extraJobs,
      ...world.figures(),
      bytes: verdict.bytes,
      injected: yield* world.injected,
      trace: world.trace,
      millis: yield* Clock.currentTimeMillis
    }
  }).pipe(
    Effect.scoped,
    Effect.provide(
      Emulator.layerHttpClient.pipe(
        Layer.provide(
          Emulator.layerMemory({ jobDelay: { Standard: scenario.jobDelay, Inventory: 0 }, inventoryDelay: 0 })
        )
      )
    ),
    Effect.provide(fixed),
    Effect.withRandom(Random.make(scenario.seed)),
    Logger.withMinimumLogLevel(LogLevel.None),
    Effect.withTracerEnabled(false),
    inVirtualTime,
    // The default one waits for a timer now and then, while the clock would go on.
    Effect.withScheduler(new Scheduler.MixedScheduler(Number.POSITIVE_INFINITY))
  )

export type Outcome = Effect.Effect.Success<ReturnType<typeof run>>
