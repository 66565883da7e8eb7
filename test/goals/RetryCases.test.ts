import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import * as TestClock from "effect/TestClock"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as RetryQuota from "../../src/policy/RetryQuota.ts"
import * as Timeouts from "../../src/policy/Timeouts.ts"
import type { GlacierError } from "../../src/protocol/GlacierError.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import fixture from "../fixtures/retry-cases.json" with { type: "json" }
import { call, calls } from "../transport/calls.ts"
import { keys, respondWith, responseOf, scripted } from "../transport/support.ts"
import type { Respond, Sent } from "../transport/support.ts"
import { all, applied, isListed, notApplied, rowsOf } from "./cases.ts"

const standard = {
  attempts: 3,
  base: "50 millis",
  throttleBase: "1 second",
  cap: "20 seconds",
  maxExtraWait: "5 seconds",
  metered: true
} as const

const describeVault = call("describeVault")

/** Makes every random wait as long as possible. */
const longest = Effect.withRandom(Random.fixed([1]))

interface Settings {
  readonly policy?: RetryPolicy.Policy
  readonly quota?: RetryQuota.Quota
  readonly credentials?: Layer.Layer<Credentials.Credentials>
}

const client = (reply: Respond, { credentials, policy = RetryPolicy.standard, quota }: Settings) =>
  scripted(reply, {
    ...(credentials === undefined ? {} : { credentials }),
    policies: Layer.mergeAll(
      RetryPolicy.layer(policy),
      // Some rows have a response that takes longer than the default limits.
      Timeouts.layerWith({ response: Timeouts.make().upload, upload: Timeouts.make().call }),
      quota === undefined ? Layer.empty : Layer.succeed(RetryQuota.RetryQuota, quota)
    )
  })

interface ResponseRow {
  readonly status: number
  readonly errorCode?: string | null | undefined
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined
}

const response = ({ errorCode, headers = {}, status }: ResponseRow) => (): Response => {
  if (status === 200) return describeVault.response()
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) given[name] = value
  return responseOf(status, errorCode ? JSON.stringify({ code: errorCode, message: "no" }) : null, given)
}
const unavailable = response({ status: 500 })
const throttled = response({ status: 400, errorCode: "ThrottlingException" })
const always = (one: () => Response): Respond => () => Effect.sync(one)

/** Expects the next attempt after exactly `millis`: nothing is sent a millisecond earlier. */
const expectAttemptAfter = Effect.fnUntraced(function*(millis: number, sent: ReadonlyArray<Sent>) {
  const before = sent.length
  yield* TestClock.adjust(millis - 1)
  expect(sent).toHaveLength(before)
  yield* TestClock.adjust(1)
  expect(sent).toHaveLength(before + 1)
})

/** Makes a call whose attempts get these responses, and expects these waits between them. */
const expectWaits = Effect.fnUntraced(function*(
  responses: ReadonlyArray<() => Response>,
  waits: ReadonlyArray<number>,
  settings: Settings = {}
) {
  const { glacier, sent } = yield* client(respondWith(...responses), settings)
  const fiber = yield* Effect.fork(describeVault.run(glacier))
  yield* TestClock.adjust(0)
  yield* Effect.forEach(waits, (millis) => expectAttemptAfter(millis, sent))
  yield* Fiber.join(fiber)
})

/** Makes a call, however long it takes. Returns its result and the requests it sent. */
const outcome = (reply: Respond, settings: Settings = {}, run = describeVault.run) =>
  Effect.gen(function*() {
    const { glacier, sent } = yield* client(reply, settings)
    const fiber = yield* Effect.fork(Effect.either(run(glacier)))
    yield* TestClock.adjust("1 hour")
    return { result: yield* Fiber.join(fiber), sent }
  })

const failure = (reply: Respond, settings?: Settings, run = describeVault.run) =>
  Effect.map(
    outcome(reply, settings, run),
    ({ result, sent }) => ({ error: Either.getOrThrow(Either.flip(result)), sent })
  )

const rejection = { operation: "GetSomething", status: 500, message: "no" }

describe("AWS's published retry cases", () => {
  it.effect.each(rowsOf("standard_v2_1", fixture.standard_v2_1))(
    "$name [R1]",
    ({ row: { given, steps } }) =>
      Effect.gen(function*() {
        const { initialRetryTokens = 500, maxAttempts = 3, maxBackoffMs = 20_000 } = given
        const quota = yield* RetryQuota.make({ capacity: initialRetryTokens })
        const { glacier, sent } = yield* client(respondWith(...steps.map(({ response: wire }) => response(wire))), {
          policy: RetryPolicy.make({ ...standard, attempts: maxAttempts, cap: maxBackoffMs }),
          quota
        })
        const start = Effect.zipLeft(Effect.fork(Effect.either(describeVault.run(glacier))), TestClock.adjust(0))
        let fiber = yield* start
        let attempts = 0
        for (const [index, { expected, response: wire }] of steps.entries()) {
          if (attempts === 0 && index > 0) fiber = yield* start
          attempts++
          expect(sent).toHaveLength(index + 1)
          expect(yield* quota.tokens).toBe(expected.retryQuota)
          if (expected.outcome === "retry_request") {
            yield* expectAttemptAfter(expected.delayMs ?? Number.NaN, sent)
            continue
          }
          expect(yield* Fiber.join(fiber)).toMatchObject(
            expected.outcome === "success" ? { _tag: "Right" } : { left: { status: wire.status } }
          )
          if (expected.outcome !== "success") {
            expect(expected.outcome).toBe(attempts < maxAttempts ? "retry_quota_exceeded" : "max_attempts_exceeded")
          }
          attempts = 0
        }
        expect(attempts).toBe(0)
      }).pipe(longest)
  )

  it.effect.each(rowsOf("timings_v2_1", fixture.timings_v2_1.cases))(
    "$name [R1]",
    ({ row: { capacityLeft, rows } }) =>
      Effect.gen(function*() {
        const quota = yield* RetryQuota.make()
        const taken: Array<number> = []
        const retries = rows.slice(1)
        const responses = retries.map(({ errorType }) => errorType === "THROTTLING" ? throttled : unavailable)
        yield* expectWaits([...responses, describeVault.response], retries.map(({ delayMs }) => delayMs), {
          policy: RetryPolicy.make({ ...standard, attempts: rows.length }),
          quota: {
            ...quota,
            take: (error) => Effect.tap(quota.take(error), (tokens) => Effect.sync(() => taken.push(tokens))),
            giveBack: () => Effect.void
          }
        })
        expect(taken).toEqual(retries.map(({ tokenCost }) => tokenCost))
        expect(yield* quota.tokens).toBe(capacityLeft)
      }).pipe(longest)
  )

  it.effect.each(rowsOf("backoff", ["v2_1_transient_ms"]))("$name [R1]", () => {
    const waits = fixture.backoff.v2_1_transient_ms
    return expectWaits([...waits.map(() => unavailable), describeVault.response], waits, {
      policy: RetryPolicy.make({ ...standard, attempts: waits.length + 1 })
    }).pipe(longest)
  })

  it.effect.each(rowsOf("backoff", ["jitter"]))("$name [R1]", () =>
    Effect.gen(function*() {
      const error = new ServiceError.ServiceUnavailable(rejection)
      const { schedule } = RetryPolicy.make({ ...standard, attempts: 99 })
      /** Draws the wait after `attempts` attempts many times. */
      const draw = Effect.fnUntraced(function*(attempts: number, times: number) {
        let state: unknown = schedule.initial
        for (let i = 1; i < attempts; i++) state = (yield* schedule.step(0, error, state))[0]
        const step = Effect.map(
          schedule.step(0, error, state),
          ([, , decision]) =>
            ScheduleDecision.isContinue(decision) ? ScheduleIntervals.start(decision.intervals) : Number.NaN
        )
        return yield* Effect.replicateEffect(step, times)
      })
      const third = yield* draw(3, 1_000)
      expect(Math.min(...third)).toBeGreaterThanOrEqual(0)
      expect(Math.max(...third)).toBeLessThanOrEqual(200)
      const bins = new Array<number>(20).fill(0)
      for (const wait of yield* draw(10, 10_000)) bins[Math.min(Math.floor(wait / 1_000), 19)]!++
      expect(Math.min(...bins)).toBeGreaterThanOrEqual(400)
      expect(Math.max(...bins)).toBeLessThanOrEqual(600)
    }).pipe(Effect.withRandom(Random.make("jitter"))))

  /** Makes a call with a bucket of `tokens`. Returns the tokens after each change of the bucket, and at the end. */
  const spending = Effect.fnUntraced(function*(reply: Respond, tokens = 500, policy = RetryPolicy.standard) {
    const quota = yield* RetryQuota.make({ throttleCost: 1 })
    yield* Effect.replicateEffect(quota.take(new ServiceError.Throttling(rejection)), 500 - tokens)
    const left: Array<number> = []
    const recorded = <A>(effect: Effect.Effect<A>) =>
      Effect.zipLeft(effect, Effect.map(quota.tokens, (now) => left.push(now)))
    yield* outcome(reply, {
      policy,
      quota: {
        ...quota,
        take: (error) => recorded(quota.take(error)),
        giveBack: (taken) => recorded(quota.giveBack(taken))
      }
    })
    return [...left, yield* quota.tokens]
  })

  /** Makes calls one after the other that share a bucket. Returns the attempts of each, and the tokens left. */
  const attemptsOf = Effect.fnUntraced(function*(count: number, reply: Respond, capacity?: number) {
    const quota = yield* RetryQuota.make({ capacity })
    const { glacier, sent } = yield* client(reply, { quota })
    const attempts: Array<number> = []
    for (let i = 0; i < count; i++) {
      const before = sent.length
      const fiber = yield* Effect.fork(Effect.either(describeVault.run(glacier)))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      attempts.push(sent.length - before)
    }
    return { attempts, left: yield* quota.tokens }
  })

  const twice = RetryPolicy.attempts(RetryPolicy.standard, 2)
  const taking = (reply: Respond) =>
    Effect.gen(function*() {
      const quota = yield* RetryQuota.make()
      yield* outcome(reply, { policy: twice, quota })
      return { takes: 500 - (yield* quota.tokens) }
    })

  /** For each row of `quota`, an experiment whose result the row must contain. */
  const quotas: Readonly<Record<string, Effect.Effect<object, GlacierError>>> = {
    "throttling error": taking(always(throttled)),
    "other retryable error": taking(always(unavailable)),
    "timeout": taking(() => Effect.never),
    "retry then 2xx": Effect.map(
      spending(respondWith(unavailable, describeVault.response)),
      ([afterRetry, afterSuccess]) => ({ start: 500, afterRetry, afterSuccess })
    ),
    "throttled retry then 2xx": Effect.gen(function*() {
      const quota = yield* RetryQuota.make()
      const { glacier } = yield* client(respondWith(throttled, describeVault.response), { quota })
      const fiber = yield* Effect.fork(describeVault.run(glacier))
      yield* TestClock.adjust(999)
      const afterRetry = yield* quota.tokens
      yield* TestClock.adjust(1)
      yield* Fiber.join(fiber)
      return { afterRetry, afterSuccess: yield* quota.tokens }
    }),
    "retry then final 5xx": Effect.map(
      spending(always(unavailable), 500, twice),
      ([afterRetry, afterFailure]) => ({ afterRetry, afterFailure })
    ),
    "2xx on the first attempt": Effect.gen(function*() {
      expect(yield* spending(always(describeVault.response))).toEqual([500, 500])
      return { start: 486, after: (yield* spending(always(describeVault.response), 486))[0] }
    }),
    "capacity 14, two failing calls": Effect.map(attemptsOf(2, always(unavailable), 14), ({ attempts }) => {
      expect(attempts).toEqual([2, 1])
      return { first: "granted", second: "refused" }
    }),
    "capacity 0": Effect.map(attemptsOf(1, always(unavailable), 0), ({ attempts }) => {
      expect(attempts).toEqual([1])
      return { first: "refused" }
    }),
    "single non-retryable 400 at 450": Effect.map(
      spending(always(response({ status: 400 })), 450),
      (left) => ({ after: left.length === 1 ? left[0] : undefined })
    ),
    "exhaustion count 2.1 (derived)": Effect.map(attemptsOf(18, always(response({ status: 502 }))), (seen) => {
      expect(seen).toEqual({ attempts: [...new Array<number>(17).fill(3), 2], left: 10 })
      return {}
    }),
    "concurrency": Effect.gen(function*() {
      const quota = yield* RetryQuota.make({ capacity: 50 })
      const errors = [new ServiceError.Throttling(rejection), new ServiceError.ServiceUnavailable(rejection)]
      const seen: Array<number> = []
      const worker = Effect.gen(function*() {
        const error = errors[yield* Random.nextIntBetween(0, 2)]
        const taken = error === undefined ? 0 : yield* quota.take(error)
        yield* Effect.yieldNow()
        if (yield* Random.nextBoolean) yield* quota.giveBack(taken)
        seen.push(yield* quota.tokens)
      })
      yield* Effect.replicateEffect(Effect.repeatN(worker, 500), 10, { concurrency: "unbounded" }).pipe(
        Effect.withRandom(Random.make("quota"))
      )
      expect(Math.min(...seen)).toBeGreaterThanOrEqual(0)
      expect(Math.max(...seen)).toBeLessThanOrEqual(50)
      expect(new Set(seen).size).toBeGreaterThan(20)
      return {}
    })
  }

  it.effect.each(rowsOf("quota", fixture.quota.cases))(
    "$name [R1]",
    ({ row }) =>
      Effect.map(quotas[row.case] ?? Effect.succeed({ unknown: row.case }), (seen) => expect(row).toMatchObject(seen))
        .pipe(
          longest
        )
  )

  /** The codes of Node.js for a connection that was never made, so that nothing was sent. */
  const unsent = ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN"]

  it.effect.each(rowsOf("classification", fixture.classification.cases))(
    "$name [R1]",
    ({ row }) =>
      Effect.gen(function*() {
        const { errorCode, messageContains = "no", name = "Error", nodeCode, retryable = true, status } = row
        const cause: Error = Object.assign(new Error(messageContains), { name, code: nodeCode })
        // The row with an endless chain of causes.
        if (row.note?.startsWith("cause chain")) cause.cause = cause
        const old = Effect.sync(response({ status: 403, errorCode: "InvalidSignatureException" }))
        const isOld = name === "InvalidSignatureException"
        const { error, sent } = yield* failure(
          () =>
            isOld
              // The signature expired while the part was being sent.
              ? Effect.delay(old, "280 seconds")
              : status === undefined
              ? Effect.fail(cause)
              : Effect.sync(response({ status, errorCode })),
          { policy: twice },
          call(isOld ? "uploadMultipartPart" : "describeVault").run
        )
        expect(error.retry).toBe(row.class === "THROTTLING" ? "throttle" : retryable ? "transient" : "never")
        expect(sent).toHaveLength(retryable ? 2 : 1)
        if (error._tag === "ConnectionError") expect(error.sent).toBe(!unsent.includes(nodeCode ?? ""))
      })
  )

  const now = fixture.retryAfterParsing.clockNowMs
  const dates: Readonly<Record<string, string>> = {
    "<RFC 7231 date now+60 s>": new Date(now + 60_000).toUTCString(),
    "<RFC 7231 date now+30 s>, 45": `${new Date(now + 30_000).toUTCString()}, 45`,
    "<ISO date now+30 s>": new Date(now + 30_000).toISOString()
  }

  it.effect.each(rowsOf("retryAfterParsing", fixture.retryAfterParsing.cases))(
    "$name [R1]",
    ({ row }) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(now)
        const headers: Record<string, string> = {}
        for (const [name, value] of Object.entries(row.headers)) headers[name] = dates[value] ?? value
        const asking = response({ status: 500, headers })
        yield* expectWaits([asking, describeVault.response], [Math.max(50, Math.min(row.delayMs ?? 0, 5_050))])
        yield* TestClock.setTime(now)
        const { error } = yield* failure(always(asking), { policy: RetryPolicy.none })
        const hint = "retryAfter" in error ? error.retryAfter : undefined
        if (row.delayMs === null) expect(hint).toBeUndefined()
        else {expect(Math.abs(Duration.toMillis(hint ?? Duration.infinity) - row.delayMs)).toBeLessThanOrEqual(
            row.tolMs ?? 0
          )}
      }).pipe(longest)
  )

  const second = Date.UTC(2026, 0, 1)
  /** Returns the time at which a request was signed (epoch milliseconds). */
  const signedBy = (sent: Sent | undefined): number =>
    Date.parse((sent?.headers["x-amz-date"] ?? "").replace(/^(\d{4})(..)(..T..)(..)/, "$1-$2-$3:$4:"))

  it.effect.each(rowsOf("clockSkew", fixture.clockSkew.cases))(
    "$name [R1]",
    ({ row: { code, retryable, skewSec } }) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(second)
        const headers = skewSec === null ? {} : { date: new Date(second + skewSec * 1_000).toUTCString() }
        const { sent } = yield* failure(always(response({ status: 403, errorCode: code, headers })))
        expect(sent).toHaveLength(retryable ? 2 : 1)
        if (retryable) expect(signedBy(sent[1]) - signedBy(sent[0])).toBe((skewSec ?? 0) * 1_000)
      }).pipe(Effect.withRandom(Random.fixed([0])))
  )

  /** A response whose `Date` must not correct the clock. */
  const wrong = { date: new Date(second + 3_600_000).toUTCString() }
  const rejected = (headers: Readonly<Record<string, string>>) =>
    Effect.sync(response({ status: 403, errorCode: "InvalidSignatureException", headers }))
  const rules: Readonly<Record<string, Respond>> = {
    "ignored when an Age header is present (cached reply)": () => rejected({ ...wrong, age: "1" }),
    "ignored when the reply took longer than 900 s after sending (JS)": () =>
      Effect.delay(rejected(wrong), "901 seconds")
  }
  it.effect.each(rowsOf("clockSkew", fixture.clockSkew.rules))("$name [R1]", ({ row }) =>
    Effect.gen(function*() {
      yield* TestClock.setTime(second)
      const { sent } = yield* failure(
        rules[row] ?? always(describeVault.response),
        { policy: RetryPolicy.when(RetryPolicy.standard, (error) => error.retry === "clock") },
        call("uploadMultipartPart").run
      )
      expect(sent).toHaveLength(1)
    }))

  it.effect.each(rowsOf("glacier", fixture.glacier.errors))("$name [R1]", ({ row }) =>
    Effect.gen(function*() {
      let renewals = 0
      const credentials = Layer.succeed(Credentials.Credentials, {
        keys: Effect.succeed(keys),
        refreshed: () => Effect.sync(() => (renewals++, keys))
      })
      const { error, sent } = yield* failure(always(response(row)), { policy: twice, credentials })
      expect(error.retry).toBe(
        row.class === "THROTTLING" ? "throttle" : row.retryable === true ? "transient" : "never"
      )
      expect(sent).toHaveLength(row.retryable === false ? 1 : 2)
      expect(renewals).toBe(row.class === "AUTH_EXPIRED" ? 2 : 0)
    }))

  it.effect.each(rowsOf("glacier", fixture.glacier.operationRetrySafety))(
    "$name [R1]",
    ({ row }) =>
      Effect.gen(function*() {
        const operation = calls.find(({ name }) => name.toLowerCase() === row.operation.toLowerCase())
        const { error, sent } = yield* failure(always(unavailable), {}, operation?.run)
        const [first] = sent
        const repeats = sent.filter(({ method, url }) => method === first?.method && url === first.url)
        expect(operation).toBeDefined()
        expect(repeats).toHaveLength(row.replaySafe ? 3 : 1)
        expect(error._tag).toBe(row.replaySafe ? "UnknownServiceError" : "OutcomeUnknown")
      })
  )

  it("applies every row, or lists it with a reason [R1]", () => {
    expect(all.length).toBeGreaterThan(140)
    expect(all.filter((name) => !applied.has(name) && !isListed(name))).toEqual([])
    expect([...applied].filter((name) => !all.includes(name))).toEqual([])
    const sections = all.map((name) => name.split(":")[0])
    expect(Object.keys(notApplied).filter((name) => !all.includes(name) && !sections.includes(name))).toEqual([])
  })
})
