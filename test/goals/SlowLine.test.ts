import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Timeouts from "../../src/policy/Timeouts.ts"
import * as Progress from "../../src/transfer/Progress.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import * as Support from "../transfer/support.ts"
import { errorResponseOf } from "../transport/support.ts"
import { bytes, connectionOf, late, sources, upload } from "./slowConnection.ts"

const { address, mebibyte, openUploads, pattern, same, stored } = Support

describe("A connection that carries 4 parts in 8 minutes, and 1 part in 2", () => {
  it.effect.each(
    late.flatMap((failure) => (["bytes", "stream"] as const).map((kind) => ({ ...failure, kind })))
  )("gets one part of $kind at a time after parts failed with $error [S4]", ({ error, kind, minutes, respond }) => {
    const { attempts, change } = connectionOf(120, respond)
    return Effect.gen(function*() {
      const events: Array<Progress.Event> = []
      const archive = yield* upload(sources[kind], (event) => Effect.sync(() => void events.push(event)))
      expect(same((yield* stored(archive.archiveId)).bytes, bytes)).toBe(true)
      expect(attempts.map(({ beside }) => beside)).toEqual([1, 2, 3, 4, ...Array.from({ length: 8 }, () => 1)])
      const parts = attempts.map(({ part }) => part).sort((a, b) => a - b)
      expect(parts).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7])
      expect(events.filter(Progress.Event.$is("Retried")).map(({ error }) => error)).toEqual(
        Array.from({ length: 4 }, () => error)
      )
    }).pipe(
      Effect.provideService(Timeouts.Timeouts, Timeouts.make({ upload: Duration.minutes(minutes) })),
      Effect.provide(Support.layer(change)),
      inVirtualTime
    )
  })

  it.effect.each(["bytes", "stream"] as const)(
    "gets no more parts of %s than it carries if its speed is known [S4]",
    (kind) => {
      const { attempts, change } = connectionOf(120)
      return Effect.gen(function*() {
        const { parts } = yield* Upload.upload(address, sources[kind], { lineSpeed: mebibyte / 120 })
        expect(parts).toBe(8)
        expect(attempts).toHaveLength(8)
        expect(Math.max(...attempts.map(({ beside }) => beside))).toBe(2)
      }).pipe(Effect.provide(Support.layer(change)), inVirtualTime)
    }
  )
})

describe("A slow connection", () => {
  it.effect("gets 3 parts at a time after 1 of 4 parts was late [S4]", () => {
    let first = true
    const { attempts, change } = connectionOf(60, (arrived) => (send, request) => {
      if (!first) return arrived(send, request)
      first = false
      return Effect.never
    })
    return Effect.gen(function*() {
      yield* upload(Source.bytes(pattern(12 * mebibyte)))
      const begun = attempts.map(({ beside }) => beside)
      expect(begun.slice(0, 4)).toEqual([1, 2, 3, 4])
      const parts = attempts.map(({ part }) => part)
      const retry = parts.lastIndexOf(parts[0] ?? NaN)
      expect(Math.max(...begun.slice(retry))).toBe(3)
      expect(attempts).toHaveLength(13)
    }).pipe(Effect.provide(Support.layer(change)), inVirtualTime)
  })

  it.effect("that is too slow for one part fails the upload after the attempts of the policy [S4]", () => {
    const { attempts, change } = connectionOf(600)
    return Effect.gen(function*() {
      expect(yield* Effect.flip(upload(sources.bytes))).toMatchObject({ _tag: "AttemptTimeout" })
      const perPart = [0, 1, 2, 3].map((part) => attempts.filter((attempt) => attempt.part === part).length)
      expect(Math.max(...perPart)).toBe(3)
      expect(attempts.slice(4).every(({ beside }) => beside === 1)).toBe(true)
      expect(yield* openUploads).toEqual([])
    }).pipe(
      Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.standard),
      Effect.provide(Support.layer(change)),
      inVirtualTime
    )
  })

  it.effect("still gets as many parts at a time when the service fails, but no part is late [S4]", () => {
    let failures = 4
    const { attempts, change } = connectionOf(10, (arrived) => (send, request) =>
      failures-- > 0
        ? Effect.sync(() => HttpClientResponse.fromWeb(request, errorResponseOf(500, "ServiceUnavailableException")))
        : arrived(send, request))
    return Effect.gen(function*() {
      yield* upload(sources.stream)
      expect(attempts).toHaveLength(12)
      expect(Math.max(...attempts.slice(4).map(({ beside }) => beside))).toBe(4)
    }).pipe(Effect.provide(Support.layer(change)), inVirtualTime)
  })
})
