/**
 * A backup of files that change, with random faults and crashes, in virtual time. At the end each version of a file that was
 * stored must be stored once, the vault must have the files as they are, and nothing may be left behind.
 */
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { PCGRandom } from "effect/Utils"
import * as ArchiveName from "../../src/protocol/ArchiveName.ts"
import type { Entry } from "../../src/protocol/Inventory.ts"
import { mebibyte } from "../../src/protocol/Limits.ts"
import * as BackupPlan from "../../src/services/BackupPlan.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import type * as Source from "../../src/transfer/Source.ts"
import * as Content from "./content.ts"
import * as Program from "./program.ts"
import type { Crash } from "./scenario.ts"
import * as Simulation from "./simulation.ts"
import * as World from "./world.ts"

/** A change of a file. `reverted` restores its first bytes. */
interface Change {
  /** The time since the beginning (ms). */
  readonly at: number
  readonly file: number
  readonly to: "written" | "touched" | "reverted" | "emptied" | "removed"
}

/** The events of a simulation. */
export interface Scenario {
  readonly seed: number
  /** The sizes of the files in bytes. */
  readonly sizes: ReadonlyArray<number>
  /** The number of files that are stored at once. */
  readonly concurrency: number
  readonly changes: ReadonlyArray<Change>
  readonly crashes: ReadonlyArray<Crash>
  /** The share of requests that a fault strikes. */
  readonly faults: number
}

/** Generates the scenario of a seed. */
export const make = (seed: number): Scenario => {
  const random = new PCGRandom(seed, 3)
  const chance = (probability: number) => random.number() < probability
  const among = <A>(first: A, ...others: ReadonlyArray<A>): A => others[random.integer(others.length + 1) - 1] ?? first
  const times = <A>(length: number, one: () => A) => Array.from({ length }, one)
  const sizes = times(1 + random.integer(8), () => 1 + random.integer(chance(0.8) ? 1_000 : 3 * mebibyte))
  return {
    seed,
    sizes,
    concurrency: 1 + random.integer(4),
    changes: times(chance(0.5) ? 0 : random.integer(6), () => ({
      at: random.integer(chance(0.7) ? 6_000 : 600_000),
      file: random.integer(sizes.length),
      to: among<Change["to"]>("written", "written", "touched", "touched", "reverted", "emptied", "removed")
    })).sort((a, b) => a.at - b.at),
    crashes: times(random.integer(6), () => ({
      after: 1 + random.integer(chance(0.8) ? 4_000 : 100_000),
      how: among<Crash["how"]>("interrupted", "killed", "killed", "power cut")
    })),
    faults: chance(0.4) ? 0 : 0.2 * random.number()
  }
}

/** A file, and the tree hashes of all its versions. */
interface State {
  readonly path: string
  readonly first: Uint8Array
  bytes: Uint8Array
  modified: number
  isRemoved: boolean
  readonly versions: Set<string>
}

/** Makes the files, which have bytes of their own in each version. */
const makeFiles = (sizes: ReadonlyArray<number>) => {
  let contents = 0
  const bytesOf = (size: number) => {
    const name = `content-${contents++}`
    const bytes = Content.make(name, size)
    return { bytes, hash: Content.hashes(name, bytes).whole }
  }
  const files = sizes.map((size, index): State => {
    const { bytes, hash } = bytesOf(size)
    return {
      path: `folder/${index}`,
      first: bytes,
      bytes,
      modified: 0,
      isRemoved: false,
      versions: new Set([hash])
    }
  })
  const made = { changes: 0 }
  const change = ({ file: index, to }: Change, now: number) => {
    made.changes++
    const file = files[index]
    if (file === undefined) return
    file.modified = now
    file.isRemoved = to === "removed"
    if (to === "written") {
      const { bytes, hash } = bytesOf(sizes[index] ?? 1)
      file.bytes = bytes
      file.versions.add(hash)
    }
    if (to === "reverted") file.bytes = file.first
    if (to === "emptied") file.bytes = new Uint8Array()
  }
  return { files, change, made }
}

type Files = ReadonlyArray<State>

/** Lists the files as they are. */
const list = (files: Files): Stream.Stream<BackupPlan.File> =>
  Stream.suspend(() => Stream.fromIterable(files.filter(({ isRemoved }) => !isRemoved))).pipe(
    Stream.map((file): BackupPlan.File => {
      const source: Source.Source = {
        size: Effect.sync(() => file.bytes.length),
        version: Effect.sync(() => `${file.bytes.length} ${file.modified}`),
        // A file on a disk takes time to read.
        read: ({ end, start }) => Effect.map(Effect.sleep(20), () => file.bytes.subarray(start, end + 1))
      }
      return { path: file.path, source, modified: DateTime.unsafeMake(file.modified) }
    })
  )

const name = "backup"

const isUnknown = (outcome: BackupPlan.Outcome): boolean =>
  outcome._tag === "Failed" && outcome.error._tag === "OutcomeUnknown"

/** The archives in the inventory. A vault that never had an archive has no inventory. */
const inventory = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  const job = yield* vault.retrieveInventory()
  yield* job.wait()
  const { archives } = yield* job.inventory
  return Chunk.toReadonlyArray(yield* Stream.runCollect(archives()))
}).pipe(Effect.catchTag("InventoryNotReady", () => Effect.succeed<ReadonlyArray<Entry>>([])))

/** The most runs of a program. */
const maximumRuns = 60

/** Backs the files up every minute, until the last change is stored. Handles failures as the guide says. */
const program = ({ files, made }: ReturnType<typeof makeFiles>, { changes, concurrency }: Scenario) =>
  Effect.gen(function*() {
    let listed: ReadonlyArray<Entry> | undefined
    let last: ReadonlyArray<string> = []
    for (let runs = 0; runs < maximumRuns; runs++) {
      const isLast = made.changes === changes.length
      const options = { concurrency, upload: { partSize: mebibyte }, listed: Stream.fromIterable(listed ?? []) }
      const outcomes = yield* Stream.runCollect(BackupPlan.run(name, list(files), options)).pipe(
        Effect.map(Chunk.toReadonlyArray),
        Effect.catchTag("CheckpointError", (error) => {
          last = [error.message]
          return Effect.succeed(undefined)
        })
      )
      const failed = outcomes?.filter(({ _tag }) => _tag === "Failed")
      if (failed !== undefined) last = failed.map((outcome) => JSON.stringify(outcome))
      if (failed?.length === 0 && isLast) return
      // The inventory lists all archives of the vault, so an archive that it lacks does not exist.
      for (const outcome of listed === undefined ? [] : outcomes?.filter(isUnknown) ?? []) {
        yield* Effect.ignore(Checkpoint.clear(BackupPlan.checkpointOf(name, outcome.path)))
      }
      listed = outcomes?.some(isUnknown) === true
        ? yield* Effect.option(inventory).pipe(Effect.map(Option.getOrUndefined))
        : undefined
      yield* Effect.sleep("1 minute")
    }
    yield* Effect.dieMessage(`has failed ${maximumRuns} times: ${last.join(", ")}`)
  })

/** Compares the archives of the vault with the files. */
const judgeArchives = (files: Files, archives: ReadonlyArray<Entry>): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const counts = new Map<string, number>()
  const keyOf = (path: string, treeHash: string) => `${path} ${treeHash}`
  for (const { description, treeHash } of archives) {
    const path = Option.match(ArchiveName.read(description), { onNone: () => "", onSome: ({ path }) => path })
    const key = keyOf(path, treeHash)
    counts.set(key, (counts.get(key) ?? 0) + 1)
    if (files.find((file) => file.path === path)?.versions.has(treeHash) !== true) {
      problems.push(`${path} with wrong bytes`)
    }
  }
  for (const [key, count] of counts) if (count > 1) problems.push(`${key} is stored ${count} times`)
  for (const { bytes, isRemoved, path, versions } of files) {
    if (isRemoved || bytes.length === 0) continue
    const found = archives.some(({ description, size, treeHash }) =>
      size === bytes.length && versions.has(treeHash) && treeHash === Content.hashOf(bytes) &&
      Option.exists(ArchiveName.read(description), (name) => name.path === path)
    )
    if (!found) problems.push(`${path} is not in the vault`)
  }
  return problems
}

/** The checkpoints of a host, but for that of the backup itself. */
const leftOnDisk = Effect.fnUntraced(function*(world: World.World, folder: string) {
  const own = yield* Checkpoint.pathOf(Program.checkpoints(folder), name)
  return world.disk.names().filter((path) => path.endsWith(".checkpoint") && path !== own)
})

/** Runs a scenario. Returns what is wrong at its end. */
export const run = (scenario: Scenario) =>
  Effect.gen(function*() {
    const { changes, crashes, faults, seed, sizes } = scenario
    const world = yield* World.make({ seed, faults, outputDelay: 0, jobDelay: 0, clients: [] })
    const clean = yield* Simulation.vaultOver(world.witness.http)
    yield* clean.create
    const made = makeFiles(sizes)
    const { change, files } = made
    yield* Effect.forkScoped(Effect.forEach(changes, (next) =>
      Effect.gen(function*() {
        yield* Effect.sleep(Math.max(0, next.at - (yield* Clock.currentTimeMillis)))
        change(next, yield* Clock.currentTimeMillis)
      })))

    const folder = "/host"
    const gaveUp = yield* Simulation.live(world, {
      folder,
      crashes,
      program: () => program(made, scenario),
      afterCrash: Effect.void
    }).pipe(Effect.timeoutTo({
      duration: "24 hours",
      onSuccess: (reasons) => reasons,
      onTimeout: () => ["still at work after 24 hours"]
    }))
    // Files that were reported as stored must survive a power cut.
    world.disk.cutPower(folder, () => "lost")

    const expired = yield* world.faults.expired
    const uploads = Array.from(world.witness.uploads)
    const open = uploads.filter(([uploadId, parts]) => parts.size > 0 && !expired.has(uploadId))
    const archives = yield* Effect.provideService(inventory, Vault.Vault, clean)
    const problems = [
      ...gaveUp,
      ...judgeArchives(files, archives),
      ...open.length > 0 ? [`${open.length} uploads left open`] : [],
      ...(yield* leftOnDisk(world, folder)).map((path) => `left on disk: ${path}`)
    ]
    // An upload whose id never arrived has no parts, and the service deletes it.
    yield* Effect.sleep("25 hours")
    const later = yield* Stream.runCollect(clean.uploads)
    if (later.length > 0) problems.push(`${later.length} uploads left open after a day`)
    return {
      problems,
      archives: archives.length,
      versions: files.reduce((sum, { versions }) => sum + versions.size, 0),
      ...world.figures()
    }
  }).pipe(Simulation.simulated({ jobDelay: 0, seed: scenario.seed }))
