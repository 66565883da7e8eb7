import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { gibibyte, uploading } from "./expiringKeys.ts"

describe("With keys that expire after 15 minutes", () => {
  it.effect(
    "64 fibers upload 64 GiB in 6 hours: no request is rejected, and keys are refreshed one at a time [S2]",
    () =>
      Effect.gen(function*() {
        const { hours, issuer, parts, service } = yield* uploading(64 * gibibyte, 0)
        expect([parts, service.parts, service.most]).toEqual([8_192, 8_192, 64])
        expect(Math.abs(hours - 6)).toBeLessThan(0.1)
        expect(service.rejected).toEqual([])
        // One in 10 minutes, not in 15: the last 5 minutes of keys are a reserve for failures of the provider.
        expect(Math.abs(issuer.asked - 36)).toBeLessThanOrEqual(2)
        expect([issuer.issued.size, issuer.most]).toEqual([issuer.asked, 1])
      }),
    120_000
  )

  it.effect(
    "16 GiB are uploaded in 90 minutes, although the provider is down for 4 minutes at each refresh [S2]",
    () =>
      Effect.gen(function*() {
        const { issuer, parts, service } = yield* uploading(16 * gibibyte, 14)
        expect([parts, service.parts, issuer.most]).toEqual([2_048, 2_048, 1])
        expect(issuer.issued.size).toBeGreaterThanOrEqual(6)
        expect(issuer.asked - issuer.issued.size).toBeGreaterThan(25)
        // Keys can expire while a part is in transit: the part is sent again with new keys.
        expect(new Set(service.rejected)).toEqual(new Set(["ExpiredTokenException"]))
        expect(service.rejected.length).toBeLessThan(0.25 * parts)
      }),
    120_000
  )
})
