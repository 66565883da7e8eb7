/** Runs one scenario from its beginning to its end, in virtual time, and judges it. */
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
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as Limits from "../../src/protocol/Limits.ts"
import { ContentSha256 } from "../../src/protocol/Names.ts"
import * as Sha256 from "../../src/protocol/Sha256.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as FileLock from "../../src/transfer/FileLock.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import * as Hasher from "../../src/transport/Hasher.ts"
import * as Signer from "../../src/transport/Signer.ts"
import * as Transport from "../../src/transport/Transport.ts"
import { nativeSha256, sha256Hex, treeHash } from "../support/hashes.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import * as Batch from "./batch.ts"
import * as Content from "./content.ts"
import * as Oracle from "./oracle.ts"
import * as Program from "./program.ts"
import type { Client, Crash, Scenario, Work } from "./scenario.ts"
import * as World from "./world.ts"

/** Hashes synchronously: threads would depend on real time. */
const hashing = Layer.merge(
  Layer.succeed(Sha256.Sha256, nativeSha256),
  Layer.succeed(Hasher.Hasher, {
    treeHash: (bytes) => Effect.sync(() => treeHash(bytes)),
    hashes: (bytes) =>
      Effect.sync(() =>
        bytes.length <= Limits.mebibyte ? Hasher.ofLeaf(Sha256.digest(nativeSha256, bytes)) : {
          contentSha256: ContentSha256.make(sha256Hex(bytes)),
          treeHash: treeHash(bytes)
        }
      ),
    allocate: (size) => Effect.sync(() => new Uint8Array(size))
  })
)

/** The stateless services that all programs share. They are built once. */
export const fixed = await Effect.runPromise(Effect.scoped(Layer.build(Layer.mergeAll(
  hashing,
  Path.layer,
  Credentials.layer(Emulator.defaultKey),
  Endpoint.layer({ region: "us-east-1" })
))))

const vaultName = "photos"

/** Builds a vault over an HTTP client of its own. Building layers would take longer than uploading an archive. */
export const vaultOver = (http: HttpClient.HttpClient) =>
  Signer.make.pipe(
    Effect.flatMap((signer) => Effect.provideService(Transport.make, Signer.Signer, signer)),
    Effect.flatMap((transport) => Effect.provideService(GlacierClient.make, Transport.Transport, transport)),
    Effect.flatMap((client) => Effect.provideService(Vault.make(vaultName), GlacierClient.GlacierClient, client)),
    Effect.provideService(HttpClient.HttpClient, http),
    Effect.orDie
  )

/** Runs a program and restarts it after each crash. Returns the reason why it gave up. */
export const live = Effect.fnUntraced(function*<E>(world: World.World, { afterCrash, crashes, folder, program }: {
  readonly folder: string
  readonly crashes: ReadonlyArray<Crash>
  readonly program: (process: World.Process) => Effect.Effect<void, E, Program.Requirements>
  readonly afterCrash: Effect.Effect<void>
}) {
  for (const crash of [...crashes, undefined]) {
    const process = world.makeProcess(folder)
    const running = program(process).pipe(
      Effect.provideServiceEffect(Vault.Vault, vaultOver(process.http)),
      Effect.provide(Checkpoint.layerFileSystem(Program.checkpoints(folder))),
      Effect.provideService(FileSystem.FileSystem, process.fs),
      Effect.provideService(FileLock.FileLock, process.lock),
      Effect.withClock(world.faults.clock)
    )
    const fiber = yield* Effect.forkDaemon(running)
    const ended = yield* Fiber.await(fiber).pipe(
      crash === undefined ? Effect.asSome : Effect.timeoutOption(crash.after),
      // The process must not outlive the simulation.
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
    const how = crash?.how ?? "killed"
    if (how === "interrupted") yield* Fiber.interrupt(fiber)
    world.kill(process, how)
    yield* afterCrash
    yield* Fiber.interruptFork(fiber)
    // By then the requests on their way have arrived.
    if (how !== "interrupted") yield* Effect.sleep("1 second")
  }
  return []
})

/** Makes the notes of a work, and its source file if it has one. */
const makeNote = Effect.fnUntraced(function*(world: World.World, folder: string, work: Work) {
  const bytes = Content.make(work.name, work.size)
  const { source, target } = Program.paths(folder, work)
  const isOther = (file: Uint8Array) => Buffer.compare(file, bytes) !== 0
  const note: Program.Note = {
    work,
    bytes,
    hashes: Content.hashes(work.name, bytes),
    restore: Effect.map(Clock.currentTimeMillis, (now) => {
      const file = world.disk.read(source)
      if (file === undefined || isOther(file)) world.disk.write(source, bytes, now)
    }),
    inspect: Effect.sync(() => {
      const file = world.disk.read(target)
      if (file !== undefined && isOther(file)) note.wrong++
    }),
    unrecorded: new Set(),
    wrong: 0,
    failures: []
  }
  if (work.source === "file") yield* note.restore
  return note
})

const makeClient = Effect.fnUntraced(
  function*(world: World.World, vault: Vault.Service, scenario: Client, index: number) {
    const folder = `/client-${index}`
    const { crashes, rival, works } = scenario
    const notes = yield* Effect.forEach(works, (work) => makeNote(world, folder, work))
    const files = notes.filter(({ work }) => work.download.endsWith("file"))
    const batches = yield* Effect.forEach(scenario.batches, (batch) => Batch.store(vault, batch))
    return {
      folder,
      crashes,
      notes,
      batches,
      rival: rival && {
        ...rival,
        notes: yield* Effect.forEach(
          files,
          (other) => Effect.map(makeNote(world, folder, other.work), (note) => Object.assign(note, { other }))
        )
      }
    } satisfies Oracle.Client
  }
)

/** Runs the processes of a client. Returns the reasons why they gave up. */
const liveAll = (world: World.World, { batches, crashes, folder, notes, rival }: Oracle.Client) => {
  const first = live(world, {
    folder,
    crashes,
    program: () => Program.make(folder, notes, batches),
    afterCrash: Effect.gen(function*() {
      for (const note of notes) {
        note.crashed = true
        yield* note.inspect
      }
      for (const note of batches) note.wrong += Batch.wrongFiles(world.disk, folder, note)
    })
  })
  if (rival === undefined) return first
  const second = live(world, {
    folder,
    crashes: rival.crashes,
    program: () => Program.makeRival(folder, rival.notes),
    afterCrash: Effect.forEach(rival.notes, ({ inspect }) => inspect, { discard: true })
  })
  // It starts when there is an archive, so that its crashes fall into the downloads.
  const later = Effect.zipRight(Effect.raceAll(rival.notes.map(Program.stored)), second)
  return Effect.map(Effect.all([first, later], { concurrency: "unbounded" }), (given) => given.flat())
}

/** Runs an effect with an emulator of its own, in virtual time that depends on nothing but the seed. */
export const simulated =
  ({ jobDelay, seed }: Pick<Scenario, "jobDelay" | "seed">) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      Effect.scoped,
      Effect.provide(
        Emulator.layerHttpClient.pipe(
          Layer.provide(Emulator.layerMemory({ jobDelay: { Standard: jobDelay, Inventory: 0 }, inventoryDelay: 0 }))
        )
      ),
      Effect.provide(fixed),
      Effect.withRandom(Random.make(seed)),
      Logger.withMinimumLogLevel(LogLevel.None),
      Effect.withTracerEnabled(false),
      inVirtualTime,
      // The default scheduler sometimes waits for a timer, and the virtual clock would run ahead meanwhile.
      Effect.withScheduler(new Scheduler.MixedScheduler(Number.POSITIVE_INFINITY))
    )

/** The longest time that a run may take, in virtual time. */
const longest = "24 hours"

/** Runs a scenario. */
export const run = (scenario: Scenario) =>
  Effect.gen(function*() {
    const world = yield* World.make(scenario)
    const clean = yield* vaultOver(world.witness.http)
    yield* clean.create
    const clients = yield* Effect.forEach(scenario.clients, (client, index) => makeClient(world, clean, client, index))
    const ended = yield* Effect.forEach(clients, (client) => liveAll(world, client), { concurrency: "unbounded" }).pipe(
      Effect.timeoutTo({
        duration: longest,
        onSuccess: (given) => given.flat(),
        onTimeout: () => [`still at work after ${longest}`]
      })
    )
    // Work that was reported as done must survive a power cut.
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
  }).pipe(simulated(scenario))

export type Outcome = Effect.Effect.Success<ReturnType<typeof run>>
