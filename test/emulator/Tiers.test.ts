import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, TestClock } from "effect"
import * as Support from "./support.ts"

const { call, createVault, initiateJob, text, upload, vault } = Support

const minute = 60_000

const hour = 60 * minute

/** How long each kind of job takes, in milliseconds. */
const durations = Effect.gen(function*() {
  yield* createVault("photos")
  const ArchiveId = yield* upload("photos", text("x"))
  yield* TestClock.adjust("24 hours")
  const jobs = [
    { Type: "inventory-retrieval" },
    ...["Expedited", "Standard", "Bulk"].map((Tier) => ({ Type: "archive-retrieval", ArchiveId, Tier }))
  ]
  const ids = yield* Effect.forEach(jobs, (job) => initiateJob("photos", job))
  yield* TestClock.adjust("12 hours")
  return yield* Effect.forEach(
    ids,
    (id) =>
      Effect.map(
        call("GET", `${vault("photos")}/jobs/${id}`),
        ({ json }) => Date.parse(String(json["CompletionDate"])) - Date.parse(String(json["CreationDate"]))
      )
  )
})

describe("tiers", () => {
  it.effect("take their default times", () =>
    Effect.gen(function*() {
      expect(yield* durations).toEqual([4 * hour, 5 * minute, 4 * hour, 8 * hour])
    }).pipe(Effect.provide(Support.layer())))

  it.effect("take the configured times, each or all", () =>
    Effect.gen(function*() {
      const given = (jobDelay: Parameters<typeof Support.layer>[0]) =>
        durations.pipe(Effect.provide(Support.layer(jobDelay)))
      expect(yield* given({ jobDelay: { Bulk: "1 minute", Inventory: 0 } })).toEqual([0, 5 * minute, 4 * hour, minute])
      for (const jobDelay of ["1 minute", minute, Duration.minutes(1), [60, 0], 60_000_000_000n] as const) {
        expect(yield* given({ jobDelay })).toEqual([minute, minute, minute, minute])
      }
    }))

  it.effect("need provisioned capacity for archives above expeditedLimit", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const small = yield* upload("photos", text("12345"))
      const large = yield* upload("photos", text("123456"))
      const retrieve = (ArchiveId: string, Tier: string) =>
        Effect.map(
          call("POST", `${vault("photos")}/jobs`, {
            body: JSON.stringify({ Type: "archive-retrieval", ArchiveId, Tier })
          }),
          ({ json, status }) => [status, json["code"], json["type"]]
        )
      const started = [202, undefined, undefined]
      expect(yield* retrieve(small, "Expedited")).toEqual(started)
      expect(yield* retrieve(large, "Expedited")).toEqual([503, "InsufficientCapacityException", "Server"])
      expect(yield* retrieve(large, "Standard")).toEqual(started)
      yield* call("POST", "/-/provisioned-capacity")
      expect(yield* retrieve(large, "Expedited")).toEqual(started)
      yield* TestClock.adjust("31 days")
      expect((yield* retrieve(large, "Expedited"))[0]).toBe(503)
    }).pipe(Effect.provide(Support.layer({ expeditedLimit: 5 }))))
})
