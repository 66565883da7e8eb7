import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Bandwidth from "../../src/policy/Bandwidth.ts"
import * as RatePolicy from "../../src/policy/RatePolicy.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as RetryQuota from "../../src/policy/RetryQuota.ts"
import * as Timeouts from "../../src/policy/Timeouts.ts"
import { AttemptTimeout } from "../../src/protocol/GlacierError.ts"
import type { InvalidInput } from "../../src/protocol/GlacierError.ts"
import * as Metrics from "../../src/transport/Metrics.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { archiveId, call, jobId, welcome } from "./calls.ts"
import { errorResponseOf, over, promptly, respondWith, responseOf, script, scripted } from "./support.ts"
import type { Respond } from "./support.ts"

const vault = { vaultName: "photos" }
const throttled = () => errorResponseOf(400, "ThrottlingException", "Rate exceeded")
const unavailable = () => errorResponseOf(500, "ServiceUnavailableException")

type Service = GlacierClient.Service

/** Returns the seconds that an effect takes. */
const seconds = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.timed(Effect.exit(effect)), ([passed]) => Duration.toSeconds(passed))

const output = (glacier: Service) =>
  Effect.flatMap(glacier.getJobOutput({ ...vault, jobId }), ({ body }) => Stream.runCount(body))

/** Uses a client. Returns a number that shows the value of the policy in use. */
type Observe = (glacier: Service, requests: () => number) => Effect.Effect<number>

const requestsOfACall: Observe = (glacier, requests) => Effect.map(Effect.exit(glacier.describeVault(vault)), requests)

/** Returns how many of 60 calls succeed within the time of one response. */
const succeededAtOnce: Observe = (glacier) =>
  Effect.gen(function*() {
    let succeeded = 0
    const call = Effect.tap(glacier.deleteArchive({ ...vault, archiveId }), () => Effect.sync(() => succeeded++))
    const fiber = yield* Effect.fork(Effect.replicateEffect(call, 60, { concurrency: "unbounded" }))
    yield* Effect.sleep("1500 millis")
    yield* Fiber.interrupt(fiber)
    return succeeded
  })

type Around = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** A policy, the ways to provide a value of it, and a use of a client that shows the value. */
interface Replaceable {
  readonly name: string
  readonly layer: (value: number) => Layer.Layer<never>
  readonly around: (value: number) => Around
  readonly respond: Respond
  readonly observe: Observe
  /** The number without any value. */
  readonly byDefault: number
}

const replaceable = <Self, A>(
  reference: Context.Reference<Self, A>,
  make: (value: number) => Effect.Effect<A, unknown>,
  respond: Respond,
  observe: Observe,
  byDefault: number
): Replaceable => ({
  name: reference.key,
  layer: (value) => Layer.effect(reference, Effect.orDie(make(value))),
  around: (value) => Effect.provideServiceEffect(reference, Effect.orDie(make(value))),
  respond,
  observe,
  byDefault
})

const replaceables = [
  replaceable(
    RetryPolicy.RetryPolicy,
    (value) => Effect.succeed(RetryPolicy.attempts(RetryPolicy.fromSchedule(Schedule.forever), value)),
    respondWith(throttled),
    requestsOfACall,
    3
  ),
  replaceable(
    RetryQuota.RetryQuota,
    // The tokens that the retries of `value` attempts take.
    (value) => RetryQuota.make({ capacity: (value - 1) * 14 }),
    respondWith(unavailable),
    requestsOfACall,
    3
  ),
  replaceable(
    RatePolicy.RatePolicy,
    RatePolicy.concurrent,
    () => Effect.delay(Effect.sync(() => responseOf(204)), "1 second"),
    succeededAtOnce,
    60
  ),
  replaceable(
    Bandwidth.Bandwidth,
    // `value` seconds from the first byte to the last.
    (value) => Bandwidth.make({ down: 100 / value }),
    () => Effect.sync(() => responseOf(200, new Uint8Array(101))),
    (glacier) => seconds(output(glacier)),
    0
  ),
  replaceable(
    Timeouts.Timeouts,
    (value) => Effect.succeed(Timeouts.make({ response: Duration.seconds(value), call: Duration.seconds(value) })),
    () => Effect.never,
    (glacier) => seconds(glacier.describeVault(vault)),
    // Three attempts of 30 seconds.
    90
  )
]

/** Observes a policy with values provided under the client, around the program and around the call. */
const observed = (
  { layer, respond, around, observe }: Replaceable,
  { call, program, under }: { readonly under?: number; readonly program?: number; readonly call?: number }
) => {
  const { http, sent } = script(respond)
  return Effect.flatMap(GlacierClient.GlacierClient, (glacier) => {
    const use = observe(glacier, () => sent.length)
    return call === undefined ? use : around(call)(use)
  }).pipe(
    Effect.provide(over(http, { policies: under === undefined ? Layer.empty : layer(under) })),
    Effect.provide(program === undefined ? Layer.empty : layer(program)),
    // The shortest random delays.
    Effect.withRandom(Random.fixed([0])),
    inVirtualTime
  )
}

describe.each(replaceables)("$name", (policy) => {
  it.effect("has a default", () =>
    Effect.gen(function*() {
      expect(yield* observed(policy, {})).toBe(policy.byDefault)
    }))

  it.effect.each([1, 2])("is replaced by a Layer under the client (%i)", (value) =>
    Effect.gen(function*() {
      expect(yield* observed(policy, { under: value })).toBe(value)
    }))

  it.effect.each([1, 2])("is replaced by a Layer around the program (%i)", (value) =>
    Effect.gen(function*() {
      expect(yield* observed(policy, { program: value })).toBe(value)
      expect(yield* observed(policy, { under: 3 - value, program: value })).toBe(value)
    }))

  it.effect.each([1, 2])(
    "is replaced around one call, whatever the program provides (%i)",
    (value) =>
      Effect.gen(function*() {
        expect(yield* observed(policy, { call: value })).toBe(value)
        expect(yield* observed(policy, { under: 3 - value, call: value })).toBe(value)
        expect(yield* observed(policy, { program: 3 - value, call: value })).toBe(value)
      })
  )
})

describe("A policy", () => {
  it.effect("around a call applies to that call only", () =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(respondWith(throttled), { policies: RetryPolicy.layer(promptly(1)) })
      const describe = Effect.flip(glacier.describeVault(vault))
      yield* Effect.provideService(describe, RetryPolicy.RetryPolicy, RetryPolicy.none)
      yield* describe
      expect(sent).toHaveLength(3)
    }))

  it.effect("of retries receives the error and the operation", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const policy: RetryPolicy.Policy = {
        while: (error, { name, repeatable }) => seen.push([error._tag, name, repeatable]) % 2 === 1,
        schedule: Schedule.forever,
        metered: false
      }
      const { glacier } = yield* scripted(
        respondWith(throttled, unavailable, throttled),
        { policies: RetryPolicy.layer(policy) }
      )
      yield* Effect.flip(glacier.describeVault(vault))
      yield* Effect.flip(call("uploadArchive").run(glacier))
      expect(seen).toEqual([
        ["Throttling", "DescribeVault", true],
        ["ServiceUnavailable", "DescribeVault", true],
        ["Throttling", "UploadArchive", false],
        ["Throttling", "UploadArchive", false]
      ])
    }))

  it.effect("of retries takes its delays from Random: the same Random gives the same delays", () =>
    Effect.gen(function*() {
      const run = (seed: string) =>
        Effect.gen(function*() {
          const { glacier, sent } = yield* scripted(respondWith(throttled), {
            policies: RetryPolicy.layer(RetryPolicy.patient)
          })
          yield* Effect.flip(glacier.describeVault(vault))
          return sent.map(({ at }) => at)
        }).pipe(Effect.withRandom(Random.make(seed)), inVirtualTime)
      const first = yield* run("a")
      expect(first.length).toBeGreaterThan(60)
      expect(yield* run("a")).toEqual(first)
      expect(yield* run("b")).not.toEqual(first)
    }))

  it.effect("of retries is patient by default in a transfer, and a policy around the program replaces it there too", () =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(respondWith(throttled), { policies: Layer.empty })
      const transfer = Effect.flip(glacier.describeVault(vault)).pipe(
        Effect.provideService(RetryPolicy.Default, RetryPolicy.patient)
      )
      yield* Effect.provideService(transfer, RetryPolicy.RetryPolicy, RetryPolicy.none)
      expect(sent).toHaveLength(1)
      yield* transfer
      expect(sent.length).toBeGreaterThan(60)
    }).pipe(inVirtualTime))
})

describe("Timeouts", () => {
  const never: Respond = () => Effect.never

  it.effect("of a call end the call with all its attempts and waits", () =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(respondWith(throttled), {
        policies: Layer.merge(
          RetryPolicy.layer(RetryPolicy.fromSchedule(Schedule.spaced("10 seconds"))),
          Timeouts.layerWith({ call: Duration.seconds(25) })
        )
      })
      const error = yield* Effect.flip(glacier.describeVault(vault))
      expect(error).toEqual(
        new AttemptTimeout({ operation: "DescribeVault", waiting: "call", limit: Duration.millis(25_000) })
      )
      expect(error.message).toBe("DescribeVault: no success in 25s")
      expect(sent.map(({ at }) => at)).toEqual([0, 10_000, 20_000])
      expect(yield* Clock.currentTimeMillis).toBe(25_000)
    }).pipe(inVirtualTime))

  it.effect("of a call abort the current attempt", () =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(never, { policies: Timeouts.layerWith({ call: Duration.seconds(5) }) })
      expect(yield* seconds(glacier.describeVault(vault))).toBe(5)
      expect(sent.map(({ signal }) => signal.aborted)).toEqual([true])
    }).pipe(inVirtualTime))

  it.effect("of an attempt exclude its wait for the rate, after which it is signed", () =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(
        () => Effect.delay(Effect.sync(call("listVaults").response), "20 seconds"),
        {
          policies: Layer.merge(
            Layer.orDie(RatePolicy.layerWith({ concurrency: 1 })),
            RetryPolicy.layer(RetryPolicy.none)
          )
        }
      )
      yield* Effect.replicateEffect(glacier.listVaults({}), 5, { concurrency: "unbounded" })
      expect(sent.map(({ at }) => at)).toEqual([0, 20_000, 40_000, 60_000, 80_000])
      expect(sent.map(({ headers }) => headers["x-amz-date"])).toEqual([
        "19700101T000000Z",
        "19700101T000020Z",
        "19700101T000040Z",
        "19700101T000100Z",
        "19700101T000120Z"
      ])
    }).pipe(inVirtualTime))
})

describe("A wait", () => {
  /** Returns the waits of an effect: the events of its spans, and the increase of the metric. */
  const waitsOf = <A, E, R>(reason: "retry" | "rate" | "bandwidth", effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function*() {
      const counter = Metric.tagged(Metrics.waits, "reason", reason)
      const events: Array<unknown> = []
      const tracer = yield* Effect.tracer
      const noting = Tracer.make({
        context: (f, fiber) => tracer.context(f, fiber),
        span: (...args) => {
          const span = tracer.span(...args)
          return new Proxy(span, {
            get: (target, key) =>
              key === "event"
                ? (name: string, _: bigint, attributes: object) => {
                  // Effect also records logs as events.
                  if (name.startsWith("glacier.")) events.push([span.name, name, attributes])
                }
                : Reflect.get(target, key)
          })
        }
      })
      const before = (yield* Metric.value(counter)).count
      yield* Effect.withTracer(Effect.exit(effect), noting)
      return { events, millis: (yield* Metric.value(counter)).count - before }
    }).pipe(Effect.withRandom(Random.fixed([1])), inVirtualTime)

  const policies = (layer: Layer.Layer<never, InvalidInput>) => ({ policies: Layer.orDie(layer) })
  const wait = (operation: string, attributes: object) => [`Glacier.${operation}`, "glacier.wait", attributes]

  it.effect("before a retry is recorded in the span and the metric", () =>
    Effect.gen(function*() {
      const { glacier } = yield* scripted(
        respondWith(throttled, unavailable),
        policies(RetryPolicy.layer(RetryPolicy.standard))
      )
      expect(yield* waitsOf("retry", glacier.describeVault(vault))).toEqual({
        events: [
          wait("DescribeVault", { reason: "retry", millis: 1_000, error: "Throttling" }),
          wait("DescribeVault", { reason: "retry", millis: 100, error: "ServiceUnavailable" })
        ],
        millis: 1_100
      })
    }))

  it.effect("for the rate is recorded in the span and the metric", () =>
    Effect.gen(function*() {
      const { glacier } = yield* scripted(
        respondWith(call("listVaults").response),
        policies(RatePolicy.layerWith({ requestsPerSecond: 2 }))
      )
      const three = Effect.replicateEffect(glacier.listVaults({}), 3, { concurrency: "unbounded" })
      expect(yield* waitsOf("rate", three)).toEqual({
        events: [
          wait("ListVaults", { reason: "rate", millis: 500 }),
          wait("ListVaults", { reason: "rate", millis: 1_000 })
        ],
        millis: 1_500
      })
    }))

  it.effect("for bandwidth is recorded in the span and the metric, once for each body", () =>
    Effect.gen(function*() {
      const { glacier } = yield* scripted(
        () => Effect.sync(() => responseOf(200, new Uint8Array(5))),
        policies(Bandwidth.layerWith({ down: 2 }))
      )
      expect(yield* waitsOf("bandwidth", Effect.withSpan(output(glacier), "download"))).toEqual({
        events: [["download", "glacier.wait", { reason: "bandwidth", millis: 2_000 }]],
        millis: 2_000
      })
    }))

  it.effect("of 0 milliseconds is recorded nowhere", () =>
    Effect.gen(function*() {
      const fine = yield* scripted(respondWith(call("listVaults").response), policies(Layer.empty))
      const none = { events: [], millis: 0 }
      expect(yield* waitsOf("retry", fine.glacier.listVaults({}))).toEqual(none)
      expect(yield* waitsOf("rate", fine.glacier.listVaults({}))).toEqual(none)
      const fast = yield* scripted(
        () => Effect.sync(() => responseOf(200, welcome)),
        policies(Bandwidth.layerWith({ down: 1e9 }))
      )
      expect(yield* waitsOf("bandwidth", Effect.withSpan(output(fast.glacier), "download"))).toEqual(none)
    }))
})
