/** Calls and uploads that wait for a long time, and the log lines that they write. */
import { expect } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import { type Line, logging } from "../support/logs.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { address, mebibyte, pattern } from "../transfer/support.ts"
import { errorResponseOf, over, type Respond, respondWith, responseOf, script } from "../transport/support.ts"

export const minute = 60_000

export const hour = 60 * minute

export const failing = (code: string): Respond => () =>
  Effect.fail(Object.assign(new Error(`connect ${code} 127.0.0.1:9`), { code }))

export const throttled = respondWith(() => errorResponseOf(400, "ThrottlingException", "Rate exceeded"))

export const noVaults = respondWith(() => responseOf(200, JSON.stringify({ VaultList: [] })))

/** Makes a client over scripted responses, with its default policies unless others are given. */
export const client = (respond: Respond, policies: Layer.Layer<never, unknown> = Layer.empty) =>
  over(script(respond).http, { policies: Layer.orDie(policies) })

export const listed = Effect.flatMap(GlacierClient, (glacier) => glacier.listVaults({}))

export const described = Effect.flatMap(GlacierClient, (glacier) => glacier.describeVault(address))

export const together = <A, E, R>(count: number, call: Effect.Effect<A, E, R>) =>
  Effect.forEach(Array.from({ length: count }), () => Effect.either(call), { concurrency: "unbounded" })

/** Makes every random wait as long as possible. */
export const longest = Effect.withRandom(Random.fixed([1]))

/** Runs an effect. Returns its result, its end, and its log lines. */
export const watched = <A, E, R>(effect: Effect.Effect<A, E, R>, virtually = inVirtualTime) =>
  logging((lines) =>
    Effect.gen(function*() {
      const result = yield* Effect.either(effect)
      return { result, end: yield* Clock.currentTimeMillis, lines }
    })
  ).pipe(virtually)

export const texts = (lines: ReadonlyArray<Line>) =>
  lines.map(({ at, level, text }) => `${at / 1_000} ${level} ${text}`)

/** Expects all lines to be warnings, no two of them within a minute. */
export const expectOneAMinute = (lines: ReadonlyArray<Line>) => {
  for (const [index, { at, level }] of lines.entries()) {
    expect(level).toBe("WARN")
    expect(at - (lines[index - 1]?.at ?? -minute)).toBeGreaterThanOrEqual(minute)
  }
}

export const uploaded = Upload.upload(address, Source.bytes(pattern(3 * mebibyte)), {
  partSize: mebibyte,
  description: "the diary of 2012"
})
