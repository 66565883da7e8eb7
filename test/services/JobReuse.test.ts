import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"
import { JobExpired } from "../../src/protocol/GlacierError.ts"
import { InsufficientCapacity } from "../../src/protocol/ServiceError.ts"
import * as Job from "../../src/services/Job.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Support from "../transfer/support.ts"
import { layer } from "./support.ts"

const { mebibyte, pattern, same } = Support

const bytes = pattern(2.5 * mebibyte)

const stored = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  const { archiveId } = yield* vault.upload(Source.bytes(bytes))
  return { vault, archiveId }
})

/** The number of jobs that were paid for. */
const paid = Effect.flatMap(Vault.Vault, ({ jobs }) => Effect.map(Stream.runCollect(jobs()), Chunk.size))

/** A service that lists the oldest job first. */
const listingBackwards: Support.Change = (send, request) =>
  request.method !== "GET" || !request.url.endsWith("/jobs") ? send : Effect.map(
    Effect.flatMap(Effect.orDie(send), (response) => Effect.orDie(response.json)),
    (page) => {
      const { JobList, ...others } = page as { readonly JobList: ReadonlyArray<unknown> }
      return HttpClientResponse.fromWeb(request, Response.json({ ...others, JobList: [...JobList].reverse() }))
    }
  )

describe("Vault.retrieveArchive with reuse", () => {
  it.effect("reuses a job in progress, or a succeeded job whose output lasts long enough", () =>
    Effect.gen(function*() {
      const { archiveId, vault } = yield* stored
      const retrieve = vault.retrieveArchive(archiveId, { reuse: "5 hours" })
      const { id } = yield* retrieve
      for (const step of ["0 hours", "3 hours", "1 hour", "18 hours"] as const) {
        yield* TestClock.adjust(step)
        expect((yield* retrieve).id).toBe(id)
      }
      // The job was done after 4 hours: 5 of its 24 hours are left.
      yield* TestClock.adjust("1 hour")
      const later = yield* retrieve
      expect(later.id).not.toBe(id)
      expect((yield* retrieve).id).toBe(later.id)
      expect(yield* paid).toBe(2)
    }).pipe(Effect.provide(layer())))

  it.effect("reuses no job of another archive, range or tier, and treats a range of all bytes as the whole archive", () =>
    Effect.gen(function*() {
      const { archiveId, vault } = yield* stored
      const other = yield* vault.upload(Source.bytes(pattern(1)))
      const first = { start: 0, end: mebibyte - 1 }
      const all = { start: 0, end: bytes.length - 1 }
      const options: ReadonlyArray<readonly [string, Vault.RetrieveArchive]> = [
        [archiveId, {}],
        [archiveId, { range: first }],
        [archiveId, { range: { start: mebibyte, end: all.end } }],
        [archiveId, { tier: "Bulk" }],
        [archiveId, { tier: "Bulk", range: first }],
        [other.archiveId, {}]
      ]
      const retrieve = ([id, options]: readonly [string, Vault.RetrieveArchive]) =>
        Effect.map(vault.retrieveArchive(id, { ...options, reuse: 0 }), ({ id }) => id)
      const ids = yield* Effect.forEach(options, retrieve)
      expect(new Set(ids).size).toBe(options.length)
      expect(yield* Effect.forEach(options, retrieve)).toEqual(ids)
      expect(yield* retrieve([archiveId, { range: all, tier: "Standard", description: "again" }])).toBe(ids[0])
      expect(yield* paid).toBe(options.length)
    }).pipe(Effect.provide(layer())))

  it.effect("prefers a succeeded job to a job in progress", () =>
    Effect.gen(function*() {
      const { archiveId, vault } = yield* stored
      const { id } = yield* vault.retrieveArchive(archiveId)
      yield* TestClock.adjust("4 hours")
      yield* vault.retrieveArchive(archiveId)
      expect((yield* vault.retrieveArchive(archiveId, { reuse: "5 hours" })).id).toBe(id)
    }).pipe(Effect.provide(layer())))

  it.effect.each([["newest first", false], ["oldest first", true]] as const)(
    "reuses the newest of several jobs when the service lists the %s",
    ([_, isReversed]) =>
      Effect.gen(function*() {
        const { archiveId, vault } = yield* stored
        const retrieve = vault.retrieveArchive(archiveId, { reuse: "5 hours" })
        yield* vault.retrieveArchive(archiveId)
        yield* TestClock.adjust("6 hours")
        const second = yield* vault.retrieveArchive(archiveId)
        expect((yield* retrieve).id).not.toBe(second.id)
        yield* TestClock.adjust("4 hours")
        expect((yield* retrieve).id).toBe(second.id)
        yield* TestClock.adjust("23 hours")
        const third = yield* vault.retrieveArchive(archiveId)
        yield* TestClock.adjust("1 hour")
        const fourth = yield* vault.retrieveArchive(archiveId)
        expect(third.id).not.toBe(fourth.id)
        expect((yield* retrieve).id).toBe(fourth.id)
      }).pipe(Effect.provide(layer(isReversed ? listingBackwards : undefined)))
  )

  it.effect("rejects a time of 24 hours or more", () =>
    Effect.gen(function*() {
      const { archiveId, vault } = yield* stored
      const error = yield* Effect.flip(vault.retrieveArchive(archiveId, { reuse: "1 day" }))
      expect(error.message).toBe(
        "retrieve: reuse must be less than the 24 hours for which an output can be read, but is 1d"
      )
      expect(yield* paid).toBe(0)
    }).pipe(Effect.provide(layer())))

  it.effect("does not reuse a failed job", () =>
    Effect.gen(function*() {
      const { archiveId, vault } = yield* stored
      yield* vault.retrieveArchive(archiveId)
      yield* vault.deleteArchive(archiveId)
      yield* TestClock.adjust("4 hours")
      expect(yield* Effect.flip(vault.retrieveArchive(archiveId, { reuse: 0 }))).toMatchObject({
        _tag: "ArchiveNotFound",
        operation: "InitiateJob"
      })
    }).pipe(Effect.provide(layer())))

  it.effect("finds a job on any page of the list", () =>
    Effect.gen(function*() {
      const { archiveId, vault } = yield* stored
      const { id } = yield* vault.retrieveArchive(archiveId, { tier: "Bulk" })
      yield* Effect.replicateEffect(vault.retrieveArchive(archiveId), 60)
      expect((yield* vault.retrieveArchive(archiveId, { tier: "Bulk", reuse: 0 })).id).toBe(id)
    }).pipe(Effect.provide(layer())))

  it.effect("pays once for concurrent retrievals of the same archive", () =>
    Effect.gen(function*() {
      const { archiveId, vault } = yield* stored
      const retrieve = vault.retrieveArchive(archiveId, { reuse: "5 hours" })
      const jobs = yield* Effect.all(Array.from({ length: 8 }, () => retrieve), { concurrency: "unbounded" })
      expect(new Set(jobs.map(({ id }) => id)).size).toBe(1)
      expect(yield* paid).toBe(1)
    }).pipe(Effect.provide(layer())))
})

describe("Vault.retrieveInventory with reuse", () => {
  it.effect("reuses a job at once while another archive waits for its budget", () =>
    Effect.gen(function*() {
      const { archiveId, vault } = yield* stored
      const other = yield* vault.upload(Source.bytes(bytes))
      const retrieve = (archiveId: string) => vault.retrieveArchive(archiveId, { size: bytes.length, reuse: 0 })
      const { id } = yield* retrieve(archiveId)
      const waiting = yield* Effect.fork(retrieve(other.archiveId))
      yield* TestClock.adjust("1 hour")
      expect((yield* retrieve(archiveId)).id).toBe(id)
      expect(yield* paid).toBe(1)
      yield* TestClock.adjust("1 day")
      expect((yield* Fiber.join(waiting)).id).not.toBe(id)
    }).pipe(
      Effect.provide(layer()),
      Effect.provide(
        Layer.provide(RetrievalBudget.layerWith({ bytesPerDay: bytes.length }), Layer.fresh(KeyValueStore.layerMemory))
      )
    ))

  it.effect("reuses a job of the same format and dates, but no page of a longer list", () =>
    Effect.gen(function*() {
      const { vault } = yield* stored
      yield* TestClock.adjust("1 day")
      const startDate = DateTime.unsafeMake(1_500)
      const selections: ReadonlyArray<Vault.RetrieveInventory> = [
        {},
        { format: "CSV" },
        { selection: { startDate } },
        { selection: { endDate: startDate } },
        { selection: { startDate, endDate: DateTime.unsafeMake(90_000) } }
      ]
      yield* vault.retrieveInventory({ selection: { limit: 1 } })
      const retrieve = (options: Vault.RetrieveInventory) =>
        Effect.map(vault.retrieveInventory({ ...options, reuse: "5 hours" }), ({ id }) => id)
      const ids = yield* Effect.forEach(selections, retrieve)
      expect(new Set(ids).size).toBe(selections.length)
      for (const step of ["1 hour", "4 hours"] as const) {
        yield* TestClock.adjust(step)
        expect(yield* Effect.forEach(selections, retrieve)).toEqual(ids)
      }
      const pages = yield* Effect.replicateEffect(retrieve({ selection: { limit: 1 } }), 2)
      expect(new Set(pages).size).toBe(2)
      expect(yield* paid).toBe(selections.length + 3)
    }).pipe(Effect.provide(layer())))
})

describe("Vault.retrieveInventory with reuse and maxAge", () => {
  const idOf = Effect.map(({ id }: Job.Service) => id)

  it.effect("reuses no list older than maxAge while the vault has a newer inventory", () =>
    Effect.gen(function*() {
      const { vault } = yield* stored
      yield* TestClock.adjust("25 hours")
      const retrieve = (maxAge?: Duration.DurationInput, format?: "CSV") =>
        idOf(vault.retrieveInventory({ format, reuse: { lasts: "1 hour", maxAge } }))
      const [json, csv] = [yield* retrieve(), yield* retrieve(undefined, "CSV")]
      yield* vault.upload(Source.bytes(bytes))
      yield* TestClock.adjust("25 hours")
      // Both lists were written 24 hours after the first upload, 26 hours ago. A CSV document has no date.
      expect([yield* retrieve(), yield* retrieve(undefined, "CSV")]).toEqual([json, csv])
      expect(yield* retrieve("27 hours")).toBe(json)
      const newer = yield* retrieve("25 hours")
      expect(newer).not.toBe(json)
      expect(yield* retrieve("25 hours")).toBe(newer)
      expect(yield* retrieve("27 hours", "CSV")).not.toBe(csv)
    }).pipe(Effect.provide(layer())))

  it.effect("reuses an old list when a new job would repeat it", () =>
    Effect.gen(function*() {
      const { vault } = yield* stored
      yield* TestClock.adjust("100 days")
      const retrieve = idOf(vault.retrieveInventory({ reuse: { lasts: "1 hour", maxAge: "1 hour" } }))
      const id = yield* retrieve
      expect(yield* retrieve).toBe(id)
      yield* TestClock.adjust("20 hours")
      expect(yield* retrieve).toBe(id)
    }).pipe(Effect.provide(layer())))
})

describe("Job.inTiers", () => {
  it.effect("tries the next tier when a tier has no capacity, and fails when no tier has", () =>
    Effect.gen(function*() {
      const { archiveId, vault } = yield* stored
      const retrieve = (tier: "Expedited" | "Standard" | "Bulk") => vault.retrieveArchive(archiveId, { tier })
      const tierOf = (job: Job.Service) => Effect.map(job.describe, ({ tier }) => tier)
      const fallen = yield* Job.inTiers(["Expedited", "Bulk", "Standard"], retrieve)
      expect(yield* tierOf(fallen)).toMatchObject({ value: "Bulk" })
      expect(yield* tierOf(yield* Job.inTiers(["Standard", "Bulk"], retrieve))).toMatchObject({ value: "Standard" })
      expect(yield* Effect.flip(Job.inTiers(["Expedited"], retrieve))).toBeInstanceOf(InsufficientCapacity)
      expect(yield* paid).toBe(2)
    }).pipe(Effect.provide(layer(undefined, { expeditedLimit: mebibyte }))))

  it.effect("does not try the next tier after another error", () =>
    Effect.gen(function*() {
      const { archiveId, vault } = yield* stored
      const error = yield* Effect.flip(
        Job.inTiers(
          ["Bulk", "Standard"],
          (tier) => vault.retrieveArchive(tier === "Bulk" ? "none" : archiveId, { tier })
        )
      )
      expect(error._tag).toBe("ArchiveNotFound")
      expect(yield* paid).toBe(0)
    }).pipe(Effect.provide(layer())))
})

describe("Job.renewed", () => {
  /** Downloads to a file with a renewed job. Each window takes 11 hours. */
  const download = Effect.fnUntraced(function*(archiveId: string, options?: Job.RenewOptions) {
    const vault = yield* Vault.Vault
    const fs = yield* FileSystem.FileSystem
    const path = `${yield* fs.makeTempDirectoryScoped()}/holiday.tar`
    const windows = yield* Queue.unbounded<void>()
    const used: Array<string> = []
    const fiber = yield* Effect.fork(Job.renewed(
      (reuse) => vault.retrieveArchive(archiveId, { reuse }),
      (job) => {
        used.push(job.id)
        return job.outputToFile(path, {
          windowSize: mebibyte,
          concurrency: 1,
          onFailure: "keep",
          onProgress: () =>
            Effect.zipRight(Queue.offer(windows, undefined), Effect.sleep(used.length > 1 ? "1 hour" : "11 hours"))
        })
      },
      options
    ))
    return { fiber, path, used, windows }
  })

  const prepared = (change?: Support.Change) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(Effect.provide(layer(change)), Effect.provide(NodeFileSystem.layer))

  /** The number of windows that were fetched. */
  const fetching = () => {
    const { change, sent } = Support.recording()
    return { change, fetched: () => sent.filter((line) => line.endsWith("/output")).length }
  }

  it.scoped("resumes a download when the output expires, with a job that was started in time [D4]", () => {
    const { change, fetched } = fetching()
    return Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const { archiveId } = yield* stored
      const { fiber, path, used, windows } = yield* download(archiveId)
      yield* TestClock.adjust("4 hours")
      yield* Queue.take(windows)
      yield* TestClock.adjust("11 hours")
      yield* Queue.take(windows)
      expect(yield* paid).toBe(1)
      // After 23 hours there are 5 left.
      yield* TestClock.adjust("7.9 hours")
      expect(yield* paid).toBe(1)
      yield* TestClock.adjust("0.1 hours")
      expect(yield* paid).toBe(2)
      // The third window is asked for after 26 hours, while the first job is still there.
      yield* TestClock.adjust("3 hours")
      yield* Queue.take(windows)
      expect(fetched()).toBe(3)
      yield* TestClock.adjust("11 hours")
      expect(yield* Fiber.join(fiber)).toEqual({ size: bytes.length, verification: "root" })
      expect(used).toHaveLength(1)
      expect(same(yield* fs.readFile(path), bytes)).toBe(true)
    }).pipe(prepared(change))
  })

  it.scoped("continues with a new job after the output expired, and fetches no window twice [D4]", () => {
    const { change, fetched } = fetching()
    return Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const { archiveId, vault } = yield* stored
      // 10 of its 24 hours are left, so the second window comes too late.
      const first = yield* vault.retrieveArchive(archiveId)
      yield* TestClock.adjust("18 hours")
      const { fiber, path, used, windows } = yield* download(archiveId)
      yield* Queue.take(windows)
      yield* TestClock.adjust("5 hours")
      const again = yield* Effect.map(Stream.runCollect(vault.jobs({ completed: false })), Chunk.toReadonlyArray)
      expect(again).toHaveLength(1)
      yield* TestClock.adjust("6 hours")
      // Progress reports the resumed windows again.
      for (let window = 0; window < 3; window++) {
        yield* Queue.take(windows)
        yield* TestClock.adjust("1 hour")
      }
      expect(yield* Fiber.join(fiber)).toEqual({ size: bytes.length, verification: "root" })
      expect(used).toEqual([first.id, again[0]?.jobId])
      // Three windows of the archive, and the request that found the first job expired.
      expect(fetched()).toBe(4)
      expect(same(yield* fs.readFile(path), bytes)).toBe(true)
    }).pipe(prepared(change))
  })

  it.scoped("fails with JobExpired, and pays for no other job, when renewals are used up", () =>
    Effect.gen(function*() {
      const { archiveId, vault } = yield* stored
      yield* vault.retrieveArchive(archiveId)
      yield* TestClock.adjust("18 hours")
      const { fiber, windows } = yield* download(archiveId, { times: 0 })
      yield* Queue.take(windows)
      yield* TestClock.adjust("11 hours")
      expect(yield* Effect.flip(Fiber.join(fiber))).toBeInstanceOf(JobExpired)
      expect(yield* paid).toBe(0)
    }).pipe(prepared()))

  it.scoped("continues to read when the renewal fails, and fails with its error when the output expires", () =>
    Effect.gen(function*() {
      const { archiveId, vault } = yield* stored
      yield* vault.retrieveArchive(archiveId)
      yield* TestClock.adjust("18 hours")
      const { fiber, windows } = yield* download(archiveId)
      yield* Queue.take(windows)
      yield* vault.deleteArchive(archiveId)
      yield* TestClock.adjust("11 hours")
      expect(yield* Effect.flip(Fiber.join(fiber))).toMatchObject({
        _tag: "ArchiveNotFound",
        operation: "InitiateJob"
      })
    }).pipe(prepared()))

  it.effect("pays for one job when its output is read in time", () =>
    Effect.gen(function*() {
      const { archiveId, vault } = yield* stored
      const fiber = yield* Effect.fork(Job.renewed(
        (reuse) => vault.retrieveArchive(archiveId, { reuse }),
        (job) => Support.collect(job.output())
      ))
      yield* TestClock.adjust("4 hours")
      expect(same(yield* Fiber.join(fiber), bytes)).toBe(true)
      yield* TestClock.adjust("20 hours")
      expect(yield* paid).toBe(1)
    }).pipe(Effect.provide(layer())))
})
