import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import { Tier } from "../../src/protocol/Jobs.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import { calls, day, hour, most } from "../policy/support.ts"
import { layer } from "../services/support.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { type Change, mebibyte } from "../transfer/support.ts"
import { caps, crashes, earlyCrashes, runAll } from "./crashingBudget.ts"

describe("A retrieval budget", () => {
  it.effect.prop(
    "keeps its caps in every hour and day of 1,000 retrievals, whenever the program crashes [C1]",
    [
      calls(1_000, 300),
      FastCheck.array(crashes, { minLength: 5, maxLength: 10 }),
      FastCheck.integer({ min: 1, max: 50 })
    ],
    ([all, deaths, concurrency]) =>
      Effect.gen(function*() {
        const { starts } = yield* runAll(all, deaths, concurrency)
        expect(starts.length).toBeGreaterThan(500)
        expect(most(starts, hour)).toBeLessThanOrEqual(caps.bytesPerHour)
        expect(most(starts, day)).toBeLessThanOrEqual(caps.bytesPerDay)
      }).pipe(Effect.provide(NodeHashing.layer), inVirtualTime),
    { fastCheck: { numRuns: 2 } }
  )

  it.effect.prop(
    "keeps its caps over 300 crashes, several of them in a row [C1] [R8]",
    [calls(30, 600), FastCheck.array(earlyCrashes, { minLength: 5, maxLength: 8 })],
    ([all, deaths]) =>
      Effect.gen(function*() {
        const { crashed, starts } = yield* runAll(all, deaths, 3)
        expect(crashed).toBe(deaths.length)
        expect(most(starts, hour)).toBeLessThanOrEqual(caps.bytesPerHour)
        expect(most(starts, day)).toBeLessThanOrEqual(caps.bytesPerDay)
      }).pipe(Effect.provide(NodeHashing.layer), inVirtualTime),
    { fastCheck: { numRuns: 60 } }
  )
})

/** Uploads archives of these sizes. */
const storeAll = (sizes: ReadonlyArray<number>) =>
  Effect.flatMap(
    Vault.Vault,
    (vault) =>
      Effect.forEach(sizes, (size) =>
        Effect.map(vault.upload(Source.bytes(new Uint8Array(size))), ({ archiveId }) => ({ archiveId, size })))
  )

const memory = KeyValueStore.layerMemory

const unbilled = { bytes: 0, requests: 0 }

describe("A retrieval budget over the emulator", () => {
  it.effect("makes 12 fibers send 2 calls an hour when the account's policy rejects more [C1]", () => {
    const asked: Array<number> = []
    const change: Change = (send, request) =>
      Effect.zipRight(
        request.method === "POST" && request.url.endsWith("/jobs")
          ? Effect.map(Clock.currentTimeMillis, (now) => void asked.push(now))
          : Effect.void,
        send
      )
    return Effect.gen(function*() {
      const glacier = yield* GlacierClient.GlacierClient
      yield* glacier.setDataRetrievalPolicy({ policy: { rules: [{ strategy: "BytesPerHour", bytesPerHour: 1_000 }] } })
      const vault = yield* Vault.Vault
      const archives = yield* storeAll(Array(12).fill(1_000))
      const ended: Array<number> = []
      yield* Effect.forEach(
        archives,
        ({ archiveId }) =>
          Effect.zipRight(
            vault.retrieveArchive(archiveId),
            Effect.map(Clock.currentTimeMillis, (now) => void ended.push(now))
          ),
        { concurrency: "unbounded" }
      )
      expect(ended).toEqual(Array.from({ length: 12 }, (_, index) => index * hour))
      expect(most(asked.map((at) => ({ at, bytes: 1 })), hour)).toBe(2)
    }).pipe(
      Effect.provide(Layer.provide(RetrievalBudget.layerWith({}), memory)),
      Effect.provide(layer(change)),
      inVirtualTime
    )
  })

  const tiers = FastCheck.constantFrom(...Tier.literals, undefined)
  const retrieval = FastCheck.record({
    size: FastCheck.integer({ min: 1, max: 3 * mebibyte }),
    tier: tiers,
    part: FastCheck.boolean()
  })
  const price = FastCheck.record({
    perGiB: FastCheck.double({ min: 1e-3, max: 1, noNaN: true }),
    perThousandRequests: FastCheck.double({ min: 1e-3, max: 100, noNaN: true })
  })

  it.effect.prop(
    "quotes exactly the bytes and requests that are billed, and a cap of exactly its cost is enough [C2]",
    [
      FastCheck.array(retrieval, { minLength: 1, maxLength: 12 }),
      FastCheck.integer({ min: 0, max: 2 }),
      FastCheck.record({
        Expedited: price,
        Standard: price,
        Bulk: price,
        transfer: FastCheck.record({ perGiB: FastCheck.double({ min: 0, max: 1, noNaN: true }) })
      })
    ],
    ([all, inventories, prices]) =>
      Effect.gen(function*() {
        const vault = yield* Vault.Vault
        const archives = yield* storeAll(all.map(({ size }) => size))
        yield* Effect.sleep("1 day")
        const inventory = yield* vault.retrieveInventory()
        yield* inventory.wait(Schedule.spaced("1 hour"))
        const listed = yield* Stream.runCollect((yield* inventory.inventory).archives())
        const sizes = new Map(Array.from(listed, ({ archiveId, size }) => [archiveId, size]))
        const plan = archives.map(({ archiveId }, index) => {
          const size = sizes.get(archiveId) ?? NaN
          const { part = false, tier } = all[index] ?? {}
          const range = part && size > mebibyte ? ByteRange.make(mebibyte, size - mebibyte) : undefined
          return { archiveId, size, tier, range, bytes: range === undefined ? size : ByteRange.length(range) }
        })
        const quote = yield* RetrievalBudget.quote(
          [...plan, ...Array.from({ length: inventories }, () => ({ bytes: 0 }))],
          { prices }
        )
        const cost = Option.getOrThrow(quote.cost)
        const budget = Layer.provide(RetrievalBudget.layerWith({ prices, cost }), Layer.fresh(memory))
        const error = yield* Effect.gen(function*() {
          yield* Effect.forEach(plan, ({ archiveId, ...options }) => vault.retrieveArchive(archiveId, options), {
            concurrency: 3
          })
          yield* Effect.replicateEffect(vault.retrieveInventory(), inventories)
          return yield* Effect.flip(vault.retrieveArchive(archives[0]?.archiveId ?? "", { size: 2 ** 40 }))
        }).pipe(Effect.provide(budget))
        expect(error).toMatchObject({ _tag: "BudgetExceeded", cap: "cost", allowed: cost })

        const billed = { Expedited: { ...unbilled }, Standard: { ...unbilled }, Bulk: { ...unbilled } }
        yield* Stream.runForEach(vault.jobs(), ({ jobId, retrievalByteRange, tier }) =>
          Effect.sync(() => {
            if (jobId === inventory.id) return
            const bill = billed[Option.getOrElse(tier, () => "Standard" as const)]
            bill.bytes += Option.match(retrievalByteRange, { onNone: () => 0, onSome: ByteRange.length })
            bill.requests++
          }))
        expect(quote.tiers).toEqual(billed)
      }).pipe(Effect.provide(layer(undefined)), inVirtualTime),
    { fastCheck: { numRuns: 6 } }
  )
})
