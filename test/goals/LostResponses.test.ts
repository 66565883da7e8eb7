import * as HttpClient from "@effect/platform/HttpClient"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import { formatNumber } from "../../src/policy/Format.ts"
import { isFull } from "../support/full.ts"
import { call } from "../transport/calls.ts"
import { responseOf, scripted } from "../transport/support.ts"
import { creationsOf, run, violations } from "./lostResponses.ts"

const runs = isFull ? 1_000 : 250

describe("lost responses", () => {
  it.live(
    `in ${
      formatNumber(runs)
    } runs create nothing twice that costs money, and no call returns the resource of another [R6]`,
    () =>
      Effect.gen(function*() {
        const outcomes = new Map<string, number>()
        for (let seed = 0; seed < runs; seed++) {
          const seen = yield* run(seed)
          expect({ seed, violations: violations(seed, seen) }).toEqual({ seed, violations: [] })
          seen.results.forEach((result, index) => {
            const key = `${creationsOf(seed)[index]?.[0]} ${Either.isRight(result) ? "succeeded" : result.left._tag}`
            outcomes.set(key, (outcomes.get(key) ?? 0) + 1)
          })
        }
        // Jobs are found again, and uploads are opened again.
        expect(outcomes.get("job succeeded")).toBeGreaterThan(0.48 * runs)
        expect(outcomes.get("upload succeeded")).toBeGreaterThan(1.35 * runs)
        // It is impossible to find out whether an archive was stored or a unit was bought.
        for (const name of ["archive", "capacity"]) {
          expect(outcomes.get(`${name} OutcomeUnknown`)).toBeGreaterThan(runs / 10)
          expect((outcomes.get(`${name} OutcomeUnknown`) ?? 0) + (outcomes.get(`${name} succeeded`) ?? 0)).toBe(
            runs / 2
          )
        }
      }).pipe(Effect.provide(NodeHashing.layer)),
    120_000
  )

  it.live("create every kind of resource twice if each call is retried without these rules [R6]", () =>
    Effect.gen(function*() {
      const found = new Set<string>()
      for (let seed = 0; seed < 100; seed++) {
        for (const violation of violations(seed, yield* run(seed, HttpClient.retry({ times: 2 })))) found.add(violation)
      }
      for (const name of ["job", "archive", "capacity"]) expect(found).toContain(`a ${name} was made twice`)
    }).pipe(Effect.provide(NodeHashing.layer)))

  it.effect.each([500, 501, 502, 520])(
    "include the responses of a proxy that fails with %i [R6]",
    (status) =>
      Effect.gen(function*() {
        const { glacier, sent } = yield* scripted(() => Effect.sync(() => responseOf(status, "<html></html>")))
        expect(yield* Effect.flip(call("uploadArchive").run(glacier))).toMatchObject({ _tag: "OutcomeUnknown" })
        expect(sent).toHaveLength(1)
      })
  )
})
