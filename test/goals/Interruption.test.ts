import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { mebibyte } from "../../src/protocol/Limits.ts"
import * as Faults from "../../src/testing/Faults.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import {
  bytes,
  calls,
  clientOver,
  directly,
  download,
  environment,
  everywhere,
  fastest,
  makeWorld,
  prepare,
  upload,
  vault,
  type Work
} from "./interruption.ts"

describe("an interruption", () => {
  it.live.each<[name: string, work: Work, metered: boolean]>([
    ["calls", calls, true],
    ["an upload", upload(), false],
    ["a download", download, false]
  ])(
    "of %s at any of 200 points ends within a second and leaves nothing behind [R7]",
    ([, work, metered]) =>
      Effect.gen(function*() {
        const { left, open } = yield* everywhere(work, 200)
        for (const { exit, fibers, isRetry, late, tokens } of left) {
          expect(Exit.isInterrupted(exit)).toBe(true)
          expect(late).toBeLessThan(1_000)
          expect(fibers).toBe(0)
          // A retry costs tokens only when it was sent.
          expect(tokens).toBe(metered && isRetry ? 486 : 500)
        }
        expect(open).toBe(0)
      }).pipe(environment),
    60_000
  )

  it.live("leaves an upload open only with onFailure: keep [R7]", () =>
    Effect.gen(function*() {
      const { left, open } = yield* everywhere(upload({ onFailure: "keep" }), 20)
      expect(left.every(({ exit, fibers }) => Exit.isInterrupted(exit) && fibers === 0)).toBe(true)
      expect(open).toBeGreaterThan(10)
    }).pipe(environment))

  it.live("ends within 100 ms while an upload waits to retry its first request, because no request is in flight [R7]", () =>
    Effect.gen(function*() {
      for (const after of [1_000, 5_000, 60_000]) {
        const requests: Array<string> = []
        const http = HttpClient.transform(yield* HttpClient.HttpClient, (_, request) =>
          Effect.sync(() => {
            requests.push(request.method)
            return HttpClientResponse.fromWeb(request, new Response(null, { status: 503 }))
          }))
        const fiber = yield* Effect.forkDaemon(
          Upload.upload(vault, Source.bytes(bytes), { partSize: mebibyte }).pipe(Effect.provide(clientOver(http)))
        )
        yield* Effect.sleep(after)
        const [took] = yield* Effect.timed(Fiber.interrupt(fiber))
        expect(Duration.toMillis(took)).toBeLessThanOrEqual(100)
        expect(new Set(requests)).toEqual(new Set(["POST"]))
      }
    }).pipe(environment))

  it.live("of 60 uploads under faults leaves no upload open whose id was received and whose abort can arrive [R7]", () =>
    Effect.gen(function*() {
      yield* prepare
      const service = yield* HttpClient.HttpClient
      const received = new Set<string>()
      for (let seed = 0; seed < 60; seed++) {
        const { wrapHttpClient } = yield* Faults.make({
          seed,
          rates: { LostResponse: 0.1, LostRequest: 0.05, Unavailable: 0.1, ResetBeforeHeaders: 0.1, Throttled: 0.1 }
        })
        const http = HttpClient.transform(
          wrapHttpClient(service),
          (send) =>
            Effect.tap(Effect.delay(send, 20), ({ headers }) =>
              Effect.sync(() => {
                const id = headers["x-amz-multipart-upload-id"]
                if (id !== undefined) received.add(id)
              }))
        )
        const fiber = yield* Effect.forkDaemon(
          Upload.upload(vault, Source.bytes(bytes), { partSize: mebibyte }).pipe(Effect.provide(clientOver(http)))
        )
        yield* Effect.sleep(seed * 25)
        yield* Fiber.interrupt(fiber)
      }
      const open = yield* directly((glacier) => glacier.listMultipartUploads(vault))
      expect(received.size).toBeGreaterThan(20)
      expect(open.uploads.filter(({ uploadId }) => received.has(uploadId))).toEqual([])
    }).pipe(environment))

  it.live("ends within a second even when no responses arrive any more [R7]", () =>
    Effect.gen(function*() {
      const { interrupt, pair } = yield* makeWorld
      for (const silentFrom of [0, 150]) {
        for (const after of [50, 300, 450, 5_000, 29_990, 40_000]) {
          for (const work of [calls, upload(), download]) {
            const { exit, fibers, took } = yield* interrupt(work, after, silentFrom)
            expect(Exit.isInterrupted(exit)).toBe(true)
            expect(took).toBeLessThanOrEqual(1_000)
            expect(fibers).toBe(0)
          }
        }
      }
      expect(yield* pair).toBe(fastest)
    }).pipe(environment))
})
