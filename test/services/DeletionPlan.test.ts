import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Inventory from "../../src/protocol/Inventory.ts"
import * as DeletionPlan from "../../src/services/DeletionPlan.ts"
import { Sizes } from "../../src/services/internal/planWriting.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import { fates } from "../policy/support.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { type Change, recording } from "../transfer/support.ts"
import { errorResponseOf } from "../transport/support.ts"
import { arrayOf, type Death, runOn, storeAll } from "./many.ts"
import { layer } from "./support.ts"

const names = (count: number) => Array.from({ length: count }, (_, index) => `${index}`)

const planned = Effect.fnUntraced(function*(count: number) {
  const archives = yield* storeAll(names(count), (index) => index + 1)
  return yield* DeletionPlan.make("all", Stream.fromIterable(archives))
})

/** The outcomes as sorted texts. */
const textsOf = (outcomes: Chunk.Chunk<DeletionPlan.Outcome>) =>
  Chunk.toReadonlyArray(outcomes)
    .map((outcome) =>
      outcome._tag === "Failed"
        ? `${outcome.archive.description} ${outcome.error._tag}`
        : outcome._tag === "Unproven"
        ? `${outcome.archive.description} unproven`
        : `${outcome.archive.description} ${outcome.before ? "before" : "now"}`
    )
    .sort()

describe("DeletionPlan", () => {
  it.effect("has each archive once, in the order of the selection, and formats their number", () =>
    Effect.gen(function*() {
      const archives = yield* storeAll(names(3), () => 1_000)
      const plan = yield* DeletionPlan.make("all", Stream.fromIterable([...archives, ...archives.slice().reverse()]))
      expect(yield* arrayOf(plan.archives)).toEqual(archives.map(({ bytes: _, ...archive }) => archive))
      expect(DeletionPlan.format(plan)).toBe("3 archives, 3,000 bytes in all: to be deleted")
    }).pipe(Effect.provide(layer()), Effect.provide(Checkpoint.layerMemory)))

  it.effect("deletes each archive although others fail, and retries the failed ones in the next run", () => {
    const rejections = new Map<string, Response>()
    const { change: record, sent } = recording()
    const change: Change = (send, request) => {
      const rejected = rejections.get(request.url.split("/").at(-1) ?? "")
      return record(
        rejected === undefined ? send : Effect.succeed(HttpClientResponse.fromWeb(request, rejected)),
        request
      )
    }
    return Effect.gen(function*() {
      const plan = yield* planned(5)
      const [gone = "", forbidden = ""] = (yield* arrayOf(plan.archives)).map(({ archiveId }) => archiveId)
      // The service accepts a second deletion, but may reject it one day.
      rejections.set(gone, errorResponseOf(404, "ResourceNotFoundException", `The archive ID was not found: ${gone}`))
      rejections.set(forbidden, errorResponseOf(403, "AccessDeniedException"))
      const run = Stream.runCollect(DeletionPlan.run(plan))
      expect(textsOf(yield* run)).toEqual(["0 before", "1 AccessDenied", "2 now", "3 now", "4 now"])
      rejections.clear()
      sent.length = 0
      expect(textsOf(yield* run)).toEqual(["1 now"])
      expect(sent).toEqual([`DELETE /-/vaults/photos/archives/${forbidden}`])
    }).pipe(Effect.provide(layer(change)), Effect.provide(Checkpoint.layerMemory))
  })

  it.effect("passes each deleted archive to onDeleted, and again if the hook has failed", () =>
    Effect.gen(function*() {
      const plan = yield* planned(3)
      const deleted: Array<string> = []
      let isBroken = true
      const onDeleted = ({ description }: Inventory.Entry) =>
        Effect.suspend(() => {
          deleted.push(description)
          return isBroken && description === "1" ? Effect.fail("no space" as const) : Effect.void
        })
      const proof = ({ description }: Inventory.Entry) => Effect.succeed(description !== "2")
      const run = Stream.runCollect(DeletionPlan.run(plan, { concurrency: 1, onDeleted, proof }))
      expect(yield* Effect.flip(run)).toBe("no space")
      isBroken = false
      expect(textsOf(yield* run)).toEqual(["1 now", "2 unproven"])
      expect(deleted).toEqual(["0", "1", "1"])
    }).pipe(Effect.provide(layer()), Effect.provide(Checkpoint.layerMemory)))

  it.effect("counts the archives that are younger than 90 days, and the storage that is left to bill", () =>
    Effect.gen(function*() {
      yield* storeAll(["old"], () => 2 ** 20)
      yield* Effect.sleep("60 days")
      yield* storeAll(["young"], () => 3 * 2 ** 20)
      yield* Effect.sleep("30 days")
      const { archives } = yield* Effect.flatMap(
        Effect.flatMap(Vault.Vault, ({ retrieveInventory }) => retrieveInventory()),
        (job) => Effect.zipRight(job.wait(), job.inventory)
      )
      const listed = yield* DeletionPlan.tally(archives(), { pricePerGiBMonth: 3 })
      expect(listed).toMatchObject({ archives: 2, bytes: 4 * 2 ** 20 })
      const early = Option.getOrThrow(listed.early)
      expect(early).toMatchObject({ archives: 1, bytes: 3 * 2 ** 20 })
      // 2 months of 3 MiB and the overhead of 32 KiB, less the hours of the job.
      expect(early.gibMonths).toBeCloseTo(2 * (3 + 1 / 32) / 1_024, 4)
      expect(Option.getOrThrow(early.cost)).toBeCloseTo(3 * early.gibMonths, 10)
    }).pipe(Effect.provide(layer()), Effect.provide(Checkpoint.layerMemory), inVirtualTime))

  it.effect("recognizes a deleted archive by its id in an unknown error message", () => {
    const rejections = new Map<string, Response>()
    const change: Change = (send, request) => {
      const rejected = rejections.get(request.url.split("/").at(-1) ?? "")
      return rejected === undefined ? send : Effect.succeed(HttpClientResponse.fromWeb(request, rejected))
    }
    return Effect.gen(function*() {
      const plan = yield* planned(2)
      const [named = "", unnamed = ""] = (yield* arrayOf(plan.archives)).map(({ archiveId }) => archiveId)
      rejections.set(named, errorResponseOf(404, "ResourceNotFoundException", `Nothing is known of ${named}`))
      rejections.set(unnamed, errorResponseOf(404, "ResourceNotFoundException", "Nothing is known of it"))
      const outcomes = yield* Stream.runCollect(DeletionPlan.run(plan))
      expect(textsOf(outcomes)).toEqual(["0 before", "1 ResourceNotFound"])
    }).pipe(Effect.provide(layer(change)), Effect.provide(Checkpoint.layerMemory))
  })

  it.effect("fails for a missing vault instead of reporting its archives as deleted", () =>
    Effect.gen(function*() {
      const plan = yield* planned(2)
      const outcomes = yield* Stream.runCollect(DeletionPlan.run(plan)).pipe(
        Effect.provide(Vault.layer("other"))
      )
      expect(textsOf(outcomes)).toEqual(["0 VaultNotFound", "1 VaultNotFound"])
    }).pipe(Effect.provide(layer()), Effect.provide(Checkpoint.layerMemory)))

  it.effect("fails when the checkpoint belongs to other work", () =>
    Effect.gen(function*() {
      yield* Effect.scoped(
        Effect.flatMap(
          Checkpoint.Checkpoint,
          ({ open }) => Effect.flatMap(open("all"), ({ append }) => append("other"))
        )
      )
      expect(yield* Effect.flip(planned(1))).toMatchObject({
        _tag: "CheckpointError",
        problem: "belongs to other work"
      })
    }).pipe(Effect.provide(layer()), Effect.provide(Checkpoint.layerMemory)))

  const deaths: FastCheck.Arbitrary<ReadonlyArray<Death>> = FastCheck.array(
    FastCheck.record({ writes: FastCheck.integer({ min: 1, max: 12 }), fate: FastCheck.constantFrom(...fates) }),
    { minLength: 1, maxLength: 5 }
  )

  it.effect.prop(
    "repeats only the deletions that were in flight when the program died",
    [FastCheck.integer({ min: 1, max: 15 }), FastCheck.integer({ min: 1, max: 6 }), deaths],
    ([count, concurrency, deaths]) => {
      const { change, sent } = recording()
      return Effect.gen(function*() {
        const archives = yield* storeAll(names(count), (index) => index + 1)
        sent.length = 0
        const pages = new Map<string, string>()
        const program = Effect.gen(function*() {
          const plan = yield* DeletionPlan.make("all", Stream.fromIterable(archives))
          return yield* Stream.runCollect(DeletionPlan.run(plan, { concurrency }))
        }).pipe(Effect.provideService(Sizes, { entry: 2, segment: 2, slice: 1 }))
        for (const death of deaths) yield* runOn(pages, program, death)
        const outcomes = Option.getOrThrow(yield* runOn(pages, program))
        expect(textsOf(outcomes).every((text) => /now|before/.test(text))).toBe(true)
        expect(new Set(sent).size).toBe(count)
        // Each death loses at most the deletions in flight and the last write.
        expect(sent.length).toBeLessThanOrEqual(count + deaths.length * (concurrency + 1))
        yield* Effect.forEach(
          archives,
          ({ archiveId }) => Effect.flatMap(Vault.Vault, (vault) => Effect.flip(vault.retrieveArchive(archiveId)))
        )
      }).pipe(Effect.provide(layer(change)), Effect.provide(FileSystem.layerNoop({})), inVirtualTime)
    },
    { fastCheck: { numRuns: 15 } }
  )
})
