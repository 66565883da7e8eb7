import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import * as ArchiveName from "../../src/protocol/ArchiveName.ts"
import type { Entry } from "../../src/protocol/Inventory.ts"
import { ArchiveId } from "../../src/protocol/Names.ts"
import * as DeletionPlan from "../../src/services/DeletionPlan.ts"
import * as Destination from "../../src/services/Destination.ts"
import { Sizes } from "../../src/services/internal/planWriting.ts"
import * as RetrievalPlan from "../../src/services/RetrievalPlan.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as FileLock from "../../src/transfer/FileLock.ts"
import type { Event } from "../../src/transfer/Progress.ts"
import * as SafePath from "../../src/transfer/SafePath.ts"
import { fates, type Life } from "../policy/support.ts"
import { inVirtualTime, inVirtualTimeWithFiles } from "../support/virtualClock.ts"
import { type Change, gauge, mebibyte, recording, same, treeHash } from "../transfer/support.ts"
import { arrayOf, runOn, storeAll } from "./many.ts"
import { layer } from "./support.ts"

const creationDate = DateTime.unsafeMake(0)

const hash = treeHash(new Uint8Array(1))

/** Inventory entries. Several archives may have the same description, and an archive may occur several times. */
const entries: FastCheck.Arbitrary<ReadonlyArray<Entry>> = FastCheck.array(
  FastCheck.record({
    archiveId: FastCheck.integer({ min: 0, max: 60 }).map((id) => ArchiveId.make(`archive-${id}`)),
    description: FastCheck.constantFrom("", "a", "A", "a/b", "b", "c/d", "c/e", "../f", "/g", "h\\i", "j", "k", "l"),
    size: FastCheck.integer({ min: 1, max: 1_000 })
  }).map((archive): Entry => ({ ...archive, creationDate, treeHash: hash })),
  { maxLength: 100 }
).map((all) => all.map((entry) => all.find(({ archiveId }) => archiveId === entry.archiveId) ?? entry))

const ids = (archives: ReadonlyArray<Entry>): ReadonlyArray<string> => archives.map(({ archiveId }) => archiveId)

describe("RetrievalPlan.make", () => {
  it.effect.prop(
    "has each selected archive once, with a place of its own or rejected, in segments of any size",
    [
      entries,
      FastCheck.constantFrom("portable" as const, "posix" as const, undefined),
      FastCheck.record({
        entry: FastCheck.integer({ min: 1, max: 10 }),
        segment: FastCheck.integer({ min: 1, max: 12 }),
        slice: FastCheck.integer({ min: 1, max: 20 })
      })
    ],
    ([archives, platform, sizes]) =>
      Effect.gen(function*() {
        const plan = yield* RetrievalPlan.make("all", Stream.fromIterable(archives), { platform })
        const [placed, rejected] = [yield* arrayOf(plan.archives), yield* arrayOf(plan.rejected)]
        const selected = [...new Set(ids(archives))]
        const planned = new Set(ids(placed))
        expect([...ids(placed), ...ids(rejected.map(({ archive }) => archive))].sort()).toEqual([...selected].sort())
        expect(ids(placed)).toEqual(selected.filter((id) => planned.has(id)))
        expect(SafePath.collisions(placed, ({ path }) => path, platform)).toEqual([])
        for (const { path } of placed) expect(SafePath.make(path, platform)._tag).toBe("Right")
        // Only archives with an unsafe path, or in the place of others, are rejected.
        const places = rejected.filter(({ error }) => error._tag === "NoPlace" && error.reason === "shared")
        const all = [
          ...placed.map(({ path }) => ({ path: `${path}` })),
          ...places.map(({ archive }) => ({
            path: archive.description
          }))
        ]
        const conflicts = SafePath.inTheWay(all, ({ path }) => path, platform)
        expect(conflicts.size).toBe(places.length)
        const counts = places.map(({ error }) =>
          "others" in error ? Option.getOrUndefined(error.others)?.count : undefined
        )
        expect(counts.sort()).toEqual(Array.from(conflicts.values(), ({ count }) => count).sort())
        expect([plan.count, plan.bytes]).toEqual([placed.length, placed.reduce((sum, { size }) => sum + size, 0)])
      }).pipe(Effect.provideService(Sizes, sizes), Effect.provide(Checkpoint.layerMemory)),
    { fastCheck: { numRuns: 100 } }
  )

  it.effect("formats its cost, its duration and its rejected archives", () =>
    Effect.gen(function*() {
      const named = (description: string, index: number): Entry => ({
        archiveId: ArchiveId.make(`archive-${index}`),
        description,
        creationDate,
        size: 2 ** 30,
        treeHash: hash
      })
      const archives = ["a", "b", "", "c", "../d", "C"].map(named)
      const plan = yield* RetrievalPlan.make("all", Stream.fromIterable(archives), { tier: "Bulk" })
      const prices = { Bulk: { perGiB: 1, perThousandRequests: 500 }, transfer: { perGiB: 2 } }
      const terms = { prices, bytesPerDay: 2 ** 30 }
      expect(yield* RetrievalPlan.format(plan, terms)).toBe([
        "Bulk: 2 requests, 2,147,483,648 bytes (2.0 GiB)",
        "Cost: 7.00 (retrieval 2.00, requests 1.00, transfer 4.00)",
        "Under the caps, the last retrieval starts 1d after the first",
        "Rejected: 4",
        "  The description \"\" names no file",
        "  The path \"c\" conflicts with that of another archive: \"C\"",
        "  The path \"../d\" must have no name that is empty, a dot or two dots, with or without invisible characters",
        "  The path \"C\" conflicts with that of another archive: \"c\""
      ].join("\n"))
      expect(yield* RetrievalPlan.format(plan, { bytesPerDay: 1 })).toContain("it will never fit")
    }).pipe(Effect.provide(Checkpoint.layerMemory)))

  it.effect("plans a thousand files whose folder is an archive itself, and rejects only that archive", () =>
    Effect.gen(function*() {
      const files = Array.from({ length: 1_000 }, (_, index) => `Photos/${index}.jpg`)
      const archives = ["Photos/", "photos", ...files, "Photos"].map((description, index): Entry => ({
        archiveId: ArchiveId.make(`archive-${index}`),
        description,
        creationDate,
        size: 1,
        treeHash: hash
      }))
      const plan = yield* RetrievalPlan.make("all", Stream.fromIterable(archives))
      expect((yield* arrayOf(plan.archives)).map(({ path }) => path)).toEqual(files)
      expect((yield* arrayOf(plan.rejected)).map(({ error }) => error.message)).toEqual([
        "The path \"Photos/\" must not end with a slash, as the path of a folder does",
        "The path \"photos\" conflicts with 1,001 others, such as \"Photos/0.jpg\"",
        "The path \"Photos\" conflicts with 1,001 others, such as \"photos\""
      ])
    }).pipe(Effect.provide(Checkpoint.layerMemory)))

  it.effect("makes a plan once, whatever the Stream has later, until the plan is cleared", () =>
    Effect.gen(function*() {
      const [first, second] = yield* storeAll(["a", "b"], kilobytes)
      const made = (...archives: ReadonlyArray<Entry | undefined>) =>
        RetrievalPlan.make("all", Stream.filterMap(Stream.fromIterable(archives), Option.fromNullable))
      expect((yield* made(first)).count).toBe(1)
      yield* Effect.sleep("1 day")
      const again = yield* made(first, second)
      expect([again.count, again.made]).toEqual([1, DateTime.unsafeMake(0)])
      expect(yield* Effect.flip(RetrievalPlan.make("all", Stream.empty, { tier: "Bulk" }))).toMatchObject({
        problem:
          "has a plan with tier Standard and platform portable, not Bulk and portable: use these, clear the plan, " +
          "or choose another name"
      })
      yield* RetrievalPlan.clear("all")
      expect((yield* made(first, second)).count).toBe(2)
    }).pipe(Effect.provide(layer()), Effect.provide(Checkpoint.layerMemory), inVirtualTime))

  it.effect("begins a plan anew after the Stream failed, or the plan was made for other work", () =>
    Effect.gen(function*() {
      const archives = yield* storeAll(names(5), kilobytes)
      const cut = Stream.concat(Stream.fromIterable(archives), Stream.fail("cut off"))
      const make = RetrievalPlan.make("all", Stream.fromIterable(archives.slice(0, 3)))
      expect(yield* Effect.flip(RetrievalPlan.make("all", cut))).toBe("cut off")
      expect(ids(yield* arrayOf((yield* make).archives))).toEqual(ids(archives.slice(0, 3)))
      expect(yield* Effect.flip(DeletionPlan.make("all", Stream.empty))).toMatchObject({
        problem: "belongs to other work"
      })
    }).pipe(
      Effect.provideService(Sizes, { entry: 2, segment: 1, slice: 1 }),
      Effect.provide(layer()),
      Effect.provide(Checkpoint.layerMemory),
      inVirtualTime
    ))

  it.effect("reports a segment that was damaged or removed, and reads no archives of it", () =>
    Effect.gen(function*() {
      const archives = yield* storeAll(names(5), kilobytes)
      const plan = yield* RetrievalPlan.make("all", Stream.fromIterable(archives))
      yield* Checkpoint.clear("all/1")
      expect(yield* Effect.flip(arrayOf(plan.archives))).toMatchObject({
        _tag: "CheckpointError",
        name: "all/1",
        problem: "has 0 of 2 archives of the plan \"all\": clear the plan and make it again"
      })
      yield* RetrievalPlan.clear("all")
      expect(yield* Effect.flip(Stream.runDrain(toDirectory(plan, { directory: "nowhere" })))).toMatchObject({
        problem: "has no plan any more: make it again"
      })
    }).pipe(
      Effect.provideService(Sizes, { entry: 2, segment: 1, slice: 1 }),
      Effect.provide(layer()),
      Effect.provide(NodeContext.layer),
      Effect.provide(Checkpoint.layerMemory),
      inVirtualTime
    ))

  it.effect("uses the paths of pathOf", () =>
    Effect.gen(function*() {
      const archives = [1, 2, 3].map((size): Entry => ({
        archiveId: ArchiveId.make(`archive-${size}`),
        description: "the same",
        creationDate,
        size,
        treeHash: hash
      }))
      const plan = yield* RetrievalPlan.make("all", Stream.fromIterable(archives), {
        pathOf: ({ archiveId, size }) => size === 2 ? Option.none() : Option.some(`all/${archiveId}`)
      })
      expect((yield* arrayOf(plan.archives)).map(({ path }) => path)).toEqual(["all/archive-1", "all/archive-3"])
      expect(yield* arrayOf(plan.rejected))
        .toMatchObject([{ archive: { size: 2 }, error: { _tag: "NoPlace", reason: "unnamed" } }])
    }).pipe(Effect.provide(Checkpoint.layerMemory)))
})

const reported = (outcomes: Chunk.Chunk<RetrievalPlan.Outcome<Destination.DirectoryError>>) =>
  Chunk.toReadonlyArray(outcomes)
    .map((outcome) =>
      outcome._tag === "Retrieved"
        ? `${outcome.archive.description} ${outcome.before ? "before" : "now"}`
        : `${outcome.archive.description} ${outcome.error._tag}`
    )
    .sort()

/** The archive ids of the jobs that were started. */
const paid = Effect.flatMap(
  Vault.Vault,
  ({ jobs }) =>
    Effect.map(
      Stream.runCollect(jobs()),
      (all) => Array.from(Chunk.filterMap(all, ({ archiveId }) => archiveId), String).sort()
    )
)

const names = (count: number) => Array.from({ length: count }, (_, index) => `folder ${index % 3}/${index}`)

const kilobytes = (index: number) => 1_000 * (index + 1)

/** Stores archives of these descriptions and plans to retrieve them to a folder that is removed afterwards. */
const planned = Effect.fnUntraced(function*(
  descriptions: ReadonlyArray<string>,
  size: (index: number) => number = kilobytes
) {
  const fs = yield* FileSystem.FileSystem
  const archives = yield* storeAll(descriptions, size)
  const plan = yield* RetrievalPlan.make("all", Stream.fromIterable(archives))
  const placed = yield* arrayOf(plan.archives)
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "plan-" })
  const isWhole = Effect.map(
    Effect.forEach(
      placed,
      ({ archiveId, path }) =>
        Effect.map(
          fs.readFile(`${directory}/${path}`),
          (bytes) => archives.some((archive) => archive.archiveId === archiveId && same(archive.bytes, bytes))
        )
    ),
    (all) => all.every(Boolean)
  )
  return { archives, plan, placed, directory, isWhole, fs }
})

const provided = (change?: Change) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.provide(layer(change, { jobDelay: "1 hour" })),
    Effect.provide(NodeContext.layer),
    Effect.provide(Checkpoint.layerMemory),
    inVirtualTimeWithFiles
  )

/** Runs a plan with a directory as its destination. */
const toDirectory = (
  plan: RetrievalPlan.Plan,
  { directory, ...options }: RetrievalPlan.RunOptions & Destination.DirectoryOptions & { readonly directory: string }
) =>
  Stream.unwrap(Effect.map(
    Destination.directory(directory, options),
    (destination) => RetrievalPlan.run(plan, destination, options)
  ))

describe("RetrievalPlan.run", () => {
  it.scoped.each([undefined, false])(
    "keeps the modification time of the description unless keepModified is false: %s",
    (keepModified) =>
      Effect.gen(function*() {
        const modified = DateTime.unsafeMake("2008-05-01T10:11:12Z")
        const named = yield* ArchiveName.write({ path: "a", modified })
        const { directory, fs, isWhole, plan } = yield* planned([named, "b"])
        yield* Stream.runDrain(toDirectory(plan, { directory, keepModified }))
        const timeOf = (name: string) =>
          Effect.map(fs.stat(`${directory}/${name}`), ({ mtime }) => Option.getOrThrow(mtime))
        const time = DateTime.toDateUtc(modified)
        expect((yield* timeOf("a")).getTime() === time.getTime()).toBe(keepModified !== false)
        expect(yield* timeOf("b")).not.toEqual(time)
        expect(yield* isWhole).toBe(true)
      }).pipe(provided())
  )

  it.scoped("starts no job for invalid download options or a file in use", () =>
    Effect.gen(function*() {
      const { directory, fs, plan } = yield* planned(["a", "b"])
      const run = (download: Destination.DirectoryOptions["download"]) =>
        Stream.runCollect(toDirectory(plan, { directory, download }))
      expect(yield* Effect.flip(run({ windowSize: 5 }))).toMatchObject({ _tag: "InvalidInput", field: "windowSize" })
      expect(yield* Effect.flip(run({ concurrency: 0 }))).toMatchObject({ _tag: "InvalidInput", field: "concurrency" })
      expect(yield* paid).toEqual([])
      const { acquire } = yield* FileLock.FileLock
      const lockOf = (name: string) => `${directory}/${name}.${createHash("sha256").digest("hex").slice(0, 16)}.lock`
      const real = yield* fs.realPath(directory)
      yield* acquire(`${real}/a`, lockOf("a").replace(directory, real))
      expect(reported(yield* run({}))).toEqual(["a FileInUse", "b now"])
      expect(yield* paid).toHaveLength(1)
    }).pipe(provided()))

  it.effect("names the archive that is larger than a cap", () =>
    Effect.gen(function*() {
      const archive = { archiveId: ArchiveId.make("the-id"), description: "a/b", creationDate, size: 7, treeHash: hash }
      const plan = yield* RetrievalPlan.make("all", Stream.make(archive), { tier: "Bulk" })
      const error = yield* Effect.flip(RetrievalPlan.quote(plan, { bytesPerDay: 6 }))
      expect(error.message).toBe(
        "The retrieval of archive the-id (a/b) takes 7 of the budget's bytesPerDay of 6, of which 6 is left: " +
          "it will never fit"
      )
    }).pipe(Effect.provide(Checkpoint.layerMemory)))

  it.scoped("retrieves each archive although others fail, and retries the failed ones in the next run", () =>
    Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const { archives, directory, fs, isWhole, placed, plan } = yield* planned([
        "a",
        "b",
        "c/d",
        "e",
        "same",
        "same",
        "../f"
      ])
      yield* vault.deleteArchive(placed[0]?.archiveId ?? "")
      yield* fs.writeFileString(`${directory}/b`, "something else")
      const run = Stream.runCollect(toDirectory(plan, { directory }))
      expect(reported(yield* run)).toEqual(["a ArchiveNotFound", "b TargetRejected", "c/d now", "e now"])
      expect(yield* fs.readFileString(`${directory}/b`)).toBe("something else")
      yield* fs.writeFile(`${directory}/a`, archives[0]?.bytes ?? new Uint8Array())
      yield* fs.remove(`${directory}/e`)
      const again = yield* Stream.runCollect(toDirectory(plan, { directory, overwrite: true }))
      // An archive that was retrieved is not retrieved again, even if its file was moved elsewhere.
      expect(reported(again)).toEqual(["a before", "b now"])
      yield* fs.writeFile(`${directory}/e`, archives[3]?.bytes ?? new Uint8Array())
      expect(yield* isWhole).toBe(true)
      expect(yield* paid).toHaveLength(3)
    }).pipe(provided()))

  it.scoped("pays for no archive whose place holds a file that must not be replaced", () =>
    Effect.gen(function*() {
      const { directory, fs, plan } = yield* planned(["a", "b", "c"])
      yield* fs.symlink("/dev/null", `${directory}/a`)
      yield* fs.symlink("nothing", `${directory}/b`)
      yield* fs.makeDirectory(`${directory}/c`)
      const outcomes = yield* Stream.runCollect(toDirectory(plan, { directory, overwrite: true }))
      expect(reported(outcomes)).toEqual(["a TargetRejected", "b TargetRejected", "c TargetRejected"])
      expect(yield* paid).toHaveLength(0)
    }).pipe(provided()))

  it.scoped("reuses existing jobs, and lists them once", () => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const { directory, isWhole, placed, plan } = yield* planned(names(6))
      const [first, second, third] = ids(placed)
      yield* vault.retrieveArchive(first ?? "")
      yield* vault.retrieveArchive(second ?? "", { tier: "Bulk" })
      yield* Effect.sleep("20 hours")
      yield* vault.retrieveArchive(third ?? "")
      sent.length = 0
      yield* Stream.runDrain(toDirectory(plan, { directory }))
      expect(yield* isWhole).toBe(true)
      expect(sent.filter((line) => line === "POST /-/vaults/photos/jobs")).toHaveLength(4)
      expect(sent.filter((line) => line === "GET /-/vaults/photos/jobs")).toHaveLength(1)
    }).pipe(provided(change))
  })

  it.scoped("reads the outputs of known jobs first, whichever segments their archives are in", () => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const { directory, isWhole, placed, plan } = yield* planned(names(9))
      const known = [placed[7]?.archiveId ?? "", placed[4]?.archiveId ?? ""]
      yield* Effect.forEach(known, (archiveId) => vault.retrieveArchive(archiveId))
      yield* Effect.sleep("2 hours")
      const outcomes = yield* Stream.runCollect(toDirectory(plan, { directory, concurrency: 2 }))
      expect(ids(Chunk.toReadonlyArray(outcomes).map(({ archive }) => archive)).slice(0, 2).sort()).toEqual(
        known.sort()
      )
      expect(yield* isWhole).toBe(true)
      expect(sent.filter((line) => line === "POST /-/vaults/photos/jobs")).toHaveLength(9)
    }).pipe(Effect.provideService(Sizes, { entry: 2, segment: 1, slice: 1 }), provided(change))
  })

  it.scoped("keeps to the limits of archives and downloads at once", () => {
    const downloads = gauge()
    const change: Change = (send, request) =>
      request.url.endsWith("/output") ? downloads.during(Effect.delay(send, "1 second")) : send
    return Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const { directory, plan } = yield* planned(names(10))
      const running: Array<number> = []
      const watch = Effect.delay(
        Effect.map(Stream.runCount(vault.jobs({ statusCode: "InProgress" })), (count) => running.push(count)),
        "30 minutes"
      )
      const run = toDirectory(plan, { directory, concurrency: 4, downloads: 2 })
      yield* Effect.raceFirst(Stream.runDrain(run), Effect.forever(watch))
      expect(Math.max(...running)).toBe(4)
      expect(downloads.peak).toBe(2)
      expect(downloads.total).toBe(10)
    }).pipe(provided(change))
  })

  it.scoped("reports progress in bytes of the whole plan, including finished archives", () =>
    Effect.gen(function*() {
      const { directory, plan } = yield* planned(["a", "b", "c"], (index) => (index + 1) * mebibyte)
      const events: Array<Event> = []
      const run = toDirectory(plan, {
        directory,
        concurrency: 1,
        download: { windowSize: mebibyte },
        onProgress: (event) => Effect.sync(() => void events.push(event))
      })
      yield* Stream.runDrain(Stream.take(run, 1))
      events.length = 0
      yield* Stream.runDrain(run)
      const moved = events.filter(({ _tag }) => _tag !== "Waiting")
      expect(moved.map(({ bytes }) => bytes / mebibyte)).toEqual([2, 3, 4, 5, 6])
      // The progress shows the wait for a job.
      expect(events[0]).toMatchObject({ _tag: "Waiting", bytes: mebibyte })
      expect(events.every(({ total }) => Option.contains(total, plan.bytes))).toBe(true)
    }).pipe(provided()))

  it.scoped("pays for no archive that is in its place, even without the checkpoint", () =>
    Effect.gen(function*() {
      const { directory, isWhole, placed, plan } = yield* planned(names(4))
      yield* Stream.runDrain(toDirectory(plan, { directory }))
      yield* Effect.sleep("2 days")
      yield* RetrievalPlan.clear("all")
      const again = yield* RetrievalPlan.make("all", Stream.fromIterable(placed))
      const outcomes = yield* Stream.runCollect(toDirectory(again, { directory }))
      expect(outcomes).toHaveLength(4)
      expect(reported(outcomes).every((text) => text.endsWith(" before"))).toBe(true)
      expect(yield* isWhole).toBe(true)
      expect(yield* paid).toEqual([])
    }).pipe(provided()))

  it.scoped("keeps the proof of each retrieved archive, and proves only what the destination still has", () =>
    Effect.gen(function*() {
      const { directory, fs, placed, plan } = yield* planned(names(7))
      const [first, second, third, ...others] = placed
      if (first === undefined || second === undefined || third === undefined) return yield* Effect.dieMessage("too few")
      yield* fs.makeDirectory(`${directory}/folder 0`, { recursive: true })
      yield* fs.writeFileString(`${directory}/${first.path}`, "something else")
      expect(reported(yield* Stream.runCollect(toDirectory(plan, { directory })))).toHaveLength(7)
      const proofs = yield* arrayOf(plan.proofs)
      expect(ids(proofs.map(({ archive }) => archive))).toEqual(ids([second, third, ...others]))
      const real = yield* fs.realPath(directory)
      const { date, ...proof } = proofs[0]?.proof ?? { date: yield* DateTime.now }
      expect(proof).toEqual({
        location: `${real}/${second.path}`,
        size: second.size,
        treeHash: second.treeHash,
        checksums: {}
      })
      expect(DateTime.toEpochMillis(date)).toBeGreaterThanOrEqual(3_600_000)
      expect(DateTime.lessThanOrEqualTo(date, yield* DateTime.now)).toBe(true)

      const isProven = yield* RetrievalPlan.prover(plan, yield* Destination.directory(directory))
      const proven = (archives: ReadonlyArray<Entry>) => Effect.filter(archives, isProven)
      const stranger = { ...second, archiveId: ArchiveId.make("a-stranger") }
      const otherBytes = { ...second, treeHash: hash }
      expect(ids(yield* proven([...placed, stranger, otherBytes]))).toEqual(ids([second, third, ...others]))
      yield* fs.writeFileString(`${directory}/${third.path}`, "changed")
      expect(ids(yield* proven([...placed].reverse()))).toEqual(ids([second, ...others].reverse()))
    }).pipe(Effect.provideService(Sizes, { entry: 2, segment: 1, slice: 1 }), provided()))

  it.scoped("retrieves again only the archives whose copies are gone", () =>
    Effect.gen(function*() {
      const { directory, fs, isWhole, placed, plan } = yield* planned(names(7))
      const run = Effect.map(Stream.runCollect(toDirectory(plan, { directory })), reported)
      const { verify } = yield* Destination.directory(directory)
      const revoke = RetrievalPlan.revoke(plan, ({ archive, proof }) => Effect.negate(verify(archive, proof)))
      expect(yield* run).toHaveLength(7)
      expect(yield* revoke).toBe(0)
      expect(yield* run).toEqual([])
      const [first, , third] = placed
      if (first === undefined || third === undefined) return yield* Effect.dieMessage("too few")
      yield* fs.remove(`${directory}/${first.path}`)
      yield* fs.remove(`${directory}/${third.path}`)
      expect(yield* revoke).toBe(2)
      expect(yield* revoke).toBe(0)
      expect(ids(yield* arrayOf(plan.left))).toEqual(ids([first, third]))
      expect(yield* arrayOf(plan.proofs)).toHaveLength(5)
      expect([...yield* run].sort()).toEqual([`${first.path} now`, `${third.path} now`].sort())
      expect(yield* run).toEqual([])
      expect(yield* isWhole).toBe(true)
    }).pipe(Effect.provideService(Sizes, { entry: 2, segment: 2, slice: 1 }), provided()))

  it.scoped("removes leftovers beside a file whose download was interrupted after its rename", () =>
    Effect.gen(function*() {
      const { directory, fs, placed, plan } = yield* planned(names(1))
      const run = Stream.runCollect(toDirectory(plan, { directory }))
      const folder = `${directory}/folder 0`
      yield* Effect.provideService(run, FileSystem.FileSystem, { ...fs, remove: () => Effect.void })
      expect(yield* fs.readDirectory(folder)).toHaveLength(2)
      yield* RetrievalPlan.clear("all")
      yield* RetrievalPlan.make("all", Stream.fromIterable(placed))
      expect(reported(yield* run)).toEqual(["folder 0/0 before"])
      expect(yield* fs.readDirectory(folder)).toEqual(["0"])
    }).pipe(provided()))

  const deaths = FastCheck.array(
    FastCheck.oneof(
      FastCheck.record({ writes: FastCheck.integer({ min: 1, max: 12 }), fate: FastCheck.constantFrom(...fates) }),
      FastCheck.record({ requests: FastCheck.integer({ min: 1, max: 40 }), responded: FastCheck.boolean() })
    ),
    { minLength: 1, maxLength: 5 }
  )

  it.scoped.prop(
    "retrieves and pays for each archive once, wherever the program dies",
    [FastCheck.integer({ min: 1, max: 6 }), FastCheck.integer({ min: 1, max: 4 }), deaths],
    ([count, concurrency, deaths]) => {
      let life: Life | undefined
      let left = Infinity
      let responded = false
      // The program dies during a request, which may have arrived.
      const change: Change = (send) =>
        Effect.suspend(() => {
          if (--left !== 0 || life === undefined) return send
          const end = Effect.zipRight(life.die, Effect.never)
          return responded ? Effect.zipRight(send, end) : end
        })
      return Effect.gen(function*() {
        const { archives, directory, isWhole, placed } = yield* planned(names(count))
        const pages = new Map<string, string>()
        const program = Effect.gen(function*() {
          const plan = yield* RetrievalPlan.make("all", Stream.fromIterable(archives))
          return yield* Stream.runCollect(toDirectory(plan, { directory, concurrency }))
        }).pipe(Effect.provideService(Sizes, { entry: 2, segment: 1, slice: 1 }))
        for (const death of deaths) {
          left = "requests" in death ? death.requests : Infinity
          responded = "requests" in death && death.responded
          yield* runOn(pages, program, "writes" in death ? death : undefined, (born) => {
            life = born
          })
          left = Infinity
        }
        const outcomes = Option.getOrThrow(yield* runOn(pages, program))
        expect(reported(outcomes).filter((text) => !/now|before/.test(text))).toEqual([])
        expect(yield* isWhole).toBe(true)
        expect(yield* paid).toEqual([...ids(placed)].sort())
      }).pipe(provided(change))
    },
    { fastCheck: { numRuns: 12 }, timeout: 120_000 }
  )
})
