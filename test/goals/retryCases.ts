/** The rows of AWS's retry cases, and calls whose attempts and waits they describe. */
import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as TestClock from "effect/TestClock"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as RetryQuota from "../../src/policy/RetryQuota.ts"
import * as Timeouts from "../../src/policy/Timeouts.ts"
import type * as Credentials from "../../src/transport/Credentials.ts"
import { call } from "../transport/calls.ts"
import { respondWith, responseOf, scripted } from "../transport/support.ts"
import type { Respond, Sent } from "../transport/support.ts"

export const standard = {
  attempts: 3,
  base: "50 millis",
  throttleBase: "1 second",
  cap: "20 seconds",
  maxExtraWait: "5 seconds",
  metered: true
} as const

export const describeVault = call("describeVault")

/** Makes every random wait as long as possible. */
export const longest = Effect.withRandom(Random.fixed([1]))

interface Settings {
  readonly policy?: RetryPolicy.Policy
  readonly quota?: RetryQuota.Quota
  readonly credentials?: Layer.Layer<Credentials.Credentials>
}

export const client = (respond: Respond, { credentials, policy = RetryPolicy.standard, quota }: Settings) =>
  scripted(respond, {
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

export const response = ({ errorCode, headers = {}, status }: ResponseRow) => (): Response => {
  if (status === 200) return describeVault.response()
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) given[name] = value
  return responseOf(status, errorCode ? JSON.stringify({ code: errorCode, message: "no" }) : null, given)
}

export const unavailable = response({ status: 500 })

export const throttled = response({ status: 400, errorCode: "ThrottlingException" })

export const always = (one: () => Response): Respond => () => Effect.sync(one)

/** Expects the next attempt after exactly `millis`: nothing is sent a millisecond earlier. */
export const expectAttemptAfter = Effect.fnUntraced(function*(millis: number, sent: ReadonlyArray<Sent>) {
  const before = sent.length
  yield* TestClock.adjust(millis - 1)
  expect(sent).toHaveLength(before)
  yield* TestClock.adjust(1)
  expect(sent).toHaveLength(before + 1)
})

/** Makes a call whose attempts get these responses, and expects these waits between them. */
export const expectWaits = Effect.fnUntraced(function*(
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
export const outcome = (respond: Respond, settings: Settings = {}, run = describeVault.run) =>
  Effect.gen(function*() {
    const { glacier, sent } = yield* client(respond, settings)
    const fiber = yield* Effect.fork(Effect.either(run(glacier)))
    yield* TestClock.adjust("1 hour")
    return { result: yield* Fiber.join(fiber), sent }
  })

export const failure = (respond: Respond, settings?: Settings, run = describeVault.run) =>
  Effect.map(
    outcome(respond, settings, run),
    ({ result, sent }) => ({ error: Either.getOrThrow(Either.flip(result)), sent })
  )

export const rejection = { operation: "GetSomething", status: 500, message: "no" }
