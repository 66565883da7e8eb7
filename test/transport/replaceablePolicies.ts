/** Policies that can be replaced, and calls that show which policy is in use. */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Bandwidth from "../../src/policy/Bandwidth.ts"
import * as RatePolicy from "../../src/policy/RatePolicy.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as RetryQuota from "../../src/policy/RetryQuota.ts"
import * as Timeouts from "../../src/policy/Timeouts.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { archiveId, jobId } from "./calls.ts"
import { errorResponseOf, over, respondWith, responseOf, script } from "./support.ts"
import type { Respond } from "./support.ts"

export const vault = { vaultName: "photos" }

export const throttled = () => errorResponseOf(400, "ThrottlingException", "Rate exceeded")

export const unavailable = () => errorResponseOf(500, "ServiceUnavailableException")

type Service = GlacierClient.Service

/** Returns the seconds that an effect takes. */
export const seconds = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.timed(Effect.exit(effect)), ([passed]) => Duration.toSeconds(passed))

export const output = (glacier: Service) =>
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

export const replaceables = [
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
export const observed = (
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
