import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Waiting from "../../src/policy/Waiting.ts"
import { type Line, logging } from "../support/logs.ts"
import { inVirtualTime } from "../support/virtualClock.ts"

const kind: Waiting.Kind = { reason: "budget", about: "a test" }
const left = (duration: Duration.Duration) => `${Duration.format(duration)} left`
const { hours, minutes, seconds } = Duration

/** Runs an effect with its own limiter, as a client does. Returns its log lines, the waits that its hook got, and its end. */
const watched = <E, R>(run: Effect.Effect<unknown, E, R>) => {
  const waits: Array<Waiting.Wait> = []
  return logging((lines: ReadonlyArray<Line>) =>
    run.pipe(
      Waiting.onWait((wait) => Effect.sync(() => void waits.push(wait))),
      Effect.provideService(Waiting.Warnings, Waiting.makeLimiter()),
      Effect.zipRight(Clock.currentTimeMillis),
      Effect.map((end) => ({ end, waits, lines: lines.map(({ at, level, text }) => [at, level, text]) }))
    )
  ).pipe(inVirtualTime)
}

const together = <E, R>(...waits: ReadonlyArray<Effect.Effect<unknown, E, R>>) =>
  Effect.all(waits, { concurrency: "unbounded" })

describe("Waiting.sleep", () => {
  it.effect("reports no sleep of up to 5 seconds", () =>
    Effect.gen(function*() {
      const nothing = { end: 5_000, waits: [], lines: [] }
      expect(yield* watched(Waiting.sleep(kind, seconds(5), left))).toEqual(nothing)
    }))

  it.effect("reports a longer sleep once, when it begins", () =>
    Effect.gen(function*() {
      expect(yield* watched(Waiting.sleep(kind, hours(1), left))).toEqual({
        end: 3_600_000,
        waits: [{ reason: "budget", message: "1h left", duration: Option.some(hours(1)) }],
        lines: [[0, "WARN", "1h left"]]
      })
    }))

  it.effect("logs one warning a minute for a thousand sleeps of one kind, and calls the hook for each", () =>
    Effect.gen(function*() {
      const sleeps = Array.from({ length: 1_000 }, () => Waiting.sleep(kind, seconds(59), left))
      const { lines, waits } = yield* watched(together(...sleeps))
      expect(lines).toEqual([[0, "WARN", "59s left"]])
      expect(waits).toHaveLength(1_000)
    }))

  it.effect("logs warnings of different kinds independently", () =>
    Effect.gen(function*() {
      const { lines } = yield* watched(together(
        Waiting.sleep(kind, seconds(10), left),
        Waiting.sleep({ ...kind, about: "another test" }, seconds(20), left),
        Waiting.sleep({ ...kind, reason: "rate" }, seconds(30), left)
      ))
      expect(lines.map(([at, , text]) => [at, text])).toEqual([[0, "10s left"], [0, "20s left"], [0, "30s left"]])
    }))
})

describe("Waiting.pause", () => {
  it.effect("logs a warning however short it is, and calls no hook", () =>
    Effect.gen(function*() {
      expect(yield* watched(Waiting.pause(kind, Duration.millis(20), left))).toEqual({
        end: 20,
        waits: [],
        lines: [[0, "WARN", "20ms left"]]
      })
    }))

  it.effect("logs a warning later when it was held back, if the rest of the sleep is long", () =>
    Effect.gen(function*() {
      const twice = (second: Duration.Duration) =>
        Effect.zipRight(Waiting.pause(kind, seconds(1), left), Waiting.pause(kind, second, left))
      const first = [0, "WARN", "1s left"]
      expect(yield* watched(twice(minutes(15)))).toEqual({
        end: 901_000,
        waits: [],
        lines: [first, [60_000, "WARN", "14m 1s left"]]
      })
      expect(yield* watched(twice(minutes(1)))).toEqual({ end: 61_000, waits: [], lines: [first] })
    }))
})

describe("Waiting.during", () => {
  const during = (wait: Duration.Duration, about = "a test") =>
    Waiting.during({ reason: "job", about }, () => `waits for ${Duration.format(wait)}`, () => Effect.sleep(wait))

  it.effect("reports no wait that ends within 5 seconds", () =>
    Effect.gen(function*() {
      expect(yield* watched(during(Duration.millis(4_999)))).toEqual({ end: 4_999, waits: [], lines: [] })
    }))

  it.effect("reports a longer wait once, after 5 seconds", () =>
    Effect.gen(function*() {
      expect(yield* watched(during(hours(4)))).toEqual({
        end: 4 * 3_600_000,
        waits: [{ reason: "job", message: "waits for 4h", duration: Option.none() }],
        lines: [[5_000, "WARN", "waits for 4h"]]
      })
    }))

  it.effect("does not count the time after the wait", () =>
    Effect.gen(function*() {
      const use = Waiting.during(kind, () =>
        "waits", (end): Effect.Effect<void> =>
        Effect.zipRight(end, Effect.sleep("1 minute")))
      expect(yield* watched(use)).toEqual({ end: 60_000, waits: [], lines: [] })
    }))

  it.effect("reports nothing after the wait has failed or was interrupted", () =>
    Effect.gen(function*() {
      const failed: Effect.Effect<void> = Effect.ignore(Waiting.during(kind, () => "waits", () => Effect.fail("no")))
      const interrupted: Effect.Effect<void> = Effect.ignore(Effect.timeout(during(hours(1)), "3 seconds"))
      for (const wait of [failed, interrupted]) {
        expect((yield* watched(Effect.zipRight(wait, Effect.sleep("1 minute")))).lines).toEqual([])
      }
    }))

  it.effect("logs one warning for a thousand waits at once, however long they last", () =>
    Effect.gen(function*() {
      const { lines, waits } = yield* watched(together(...Array.from({ length: 1_000 }, () => during(hours(1)))))
      expect(lines).toEqual([[5_000, "WARN", "waits for 1h"]])
      expect(waits).toHaveLength(1_000)
    }))

  it.effect("logs a warning for each of several successive waits, at most one a minute", () =>
    Effect.gen(function*() {
      const { lines } = yield* watched(Effect.all([during(minutes(10)), during(minutes(20)), during(seconds(30))]))
      expect(lines).toEqual([
        [5_000, "WARN", "waits for 10m"],
        [660_000, "WARN", "waits for 20m"]
      ])
    }))
})
