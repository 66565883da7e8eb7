import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import { CredentialsError } from "../../src/protocol/GlacierError.ts"
import type { GlacierError } from "../../src/protocol/GlacierError.ts"
import { operations } from "../../src/protocol/Operations.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import { promptly } from "../support/retryPolicies.ts"
import { call, calls, jobId, notRepeatable, welcome, welcomeHash } from "./calls.ts"
import { errorResponseOf, keys, respondWith, responseOf, scripted, signedAt } from "./support.ts"
import type { Respond, Sent } from "./support.ts"

const vaultName = "photos"
const vault = { vaultName }
const uploadInput = { vaultName, body: welcome, contentSha256: welcomeHash, treeHash: welcomeHash }
const unavailable = () => errorResponseOf(500, "ServiceUnavailableException")
const throttled = () => errorResponseOf(400, "ThrottlingException", "Rate exceeded")
const retrying = { policies: RetryPolicy.layer(promptly(3)) }
const byDefault = { policies: Layer.empty }

/** Runs an effect for a time. Returns its exit, or none if it still runs. */
const after = <A, E, R>(time: Duration.DurationInput, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(effect)
    yield* TestClock.adjust(time)
    const exit = yield* Fiber.poll(fiber)
    yield* Fiber.interrupt(fiber)
    return exit
  })

/** Returns the failure of an effect. It must happen exactly at a time. */
const failureAt = <A, E, R>(time: Duration.DurationInput, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.flip(effect))
    yield* TestClock.adjust(Duration.subtract(time, "1 millis"))
    expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
    yield* TestClock.adjust("1 millis")
    expect(Option.isSome(yield* Fiber.poll(fiber))).toBe(true)
    return yield* Fiber.join(fiber)
  })

const waits = (sent: ReadonlyArray<Sent>) => sent.slice(1).map(({ at }, index) => at - sent[index]!.at)

describe("an attempt", () => {
  const never: Respond = () => Effect.never

  it.effect.each(
    [
      ["describeVault", 30_000],
      ["getJobOutput", 30_000],
      ["uploadMultipartPart", 300_000]
    ] as const
  )("of %s is aborted when no response arrives within %i ms", ([name, millis]) =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(never)
      const error = yield* failureAt(millis, call(name).run(glacier))
      expect({ ...error }).toMatchObject({
        _tag: "AttemptTimeout",
        waiting: "response",
        limit: Duration.millis(millis)
      })
      expect(sent.map(({ signal }) => signal.aborted)).toEqual([true])
    }))

  it.effect.each([["purchaseProvisionedCapacity", 30_000], ["uploadArchive", 300_000]] as const)(
    "of %s, which must not be repeated, is aborted when no response arrives within %i ms",
    ([name, millis]) =>
      Effect.gen(function*() {
        const { glacier, sent } = yield* scripted(never)
        const error = yield* failureAt(millis, call(name).run(glacier))
        expect({ ...error, message: error.message }).toMatchObject({
          _tag: "OutcomeUnknown",
          message: expect.stringMatching(
            `^${operations[name].name}: no response in ${Duration.format(millis)} \\([^{}]+\\)$`
          )
        })
        expect(sent.map(({ signal }) => signal.aborted)).toEqual([true])
      })
  )

  it.effect("is aborted when the response does not end within the same limit", () =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(() => Effect.sync(() => responseOf(200, new ReadableStream())))
      const error = yield* failureAt("30 seconds", glacier.describeVault(vault))
      expect({ ...error }).toMatchObject({ _tag: "AttemptTimeout", operation: "DescribeVault", waiting: "response" })
      expect(sent.map(({ signal }) => signal.aborted)).toEqual([true])
    }))

  /** Responds with a body that sends a piece of bytes after each pause. */
  const dripping = (pause: Duration.DurationInput, pieces: number): Respond => () =>
    Stream.range(1, pieces).pipe(
      Stream.mapEffect(() => Effect.as(Effect.sleep(pause), welcome)),
      Stream.toReadableStreamEffect(),
      Effect.map((body) => responseOf(200, body))
    )

  const output = (respond: Respond) =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(respond)
      const { body } = yield* glacier.getJobOutput({ vaultName, jobId })
      return { body, sent }
    })

  it.effect("is aborted when no further bytes of a body arrive within 30 seconds", () =>
    Effect.gen(function*() {
      const { body, sent } = yield* output(dripping("31 seconds", 1))
      const error = yield* failureAt("30 seconds", Stream.runDrain(body))
      expect({ ...error }).toMatchObject({ _tag: "AttemptTimeout", waiting: "body", limit: Duration.seconds(30) })
      expect(sent.map(({ signal }) => signal.aborted)).toEqual([true])
    }))

  it.effect("has no time limit for a body that keeps sending", () =>
    Effect.gen(function*() {
      const { body } = yield* output(dripping("29 seconds", 5))
      expect(yield* after("145 seconds", Stream.runCount(body))).toEqual(Option.some(Exit.succeed(5)))
    }))

  it.effect("has no time limit for a slow consumer of its body", () =>
    Effect.gen(function*() {
      const { body } = yield* output(dripping("1 second", 3))
      const slow = Stream.runCount(Stream.tap(body, () => Effect.sleep("10 minutes")))
      expect(yield* after("1 hour", slow)).toEqual(Option.some(Exit.succeed(3)))
    }))

  it.effect("is aborted when its fiber is interrupted", () =>
    Effect.gen(function*() {
      const asked = yield* Deferred.make<void>()
      const { glacier, sent } = yield* scripted(() => Effect.zipRight(Deferred.succeed(asked, undefined), Effect.never))
      const fiber = yield* Effect.fork(glacier.describeVault(vault))
      yield* Deferred.await(asked)
      expect(sent.map(({ signal }) => signal.aborted)).toEqual([false])
      yield* Fiber.interrupt(fiber)
      expect(sent.map(({ signal }) => signal.aborted)).toEqual([true])
    }))

  it.effect("is aborted when the consumer of its body stops", () =>
    Effect.gen(function*() {
      const { body, sent } = yield* output(() => Effect.sync(() => responseOf(200, welcome)))
      expect(sent.map(({ signal }) => signal.aborted)).toEqual([false])
      yield* Stream.runDrain(Stream.take(body, 1))
      expect(sent.map(({ signal }) => signal.aborted)).toEqual([true])
    }))
})

/** Returns the tag of a call's outcome, and how often the call was sent. */
const outcomeOf = (outcome: Either.Either<object, GlacierError>, sent: ReadonlyArray<Sent>) => {
  const [first] = sent
  const repeats = sent.filter(({ method, url }) => method === first?.method && url === first.url)
  return [Either.isLeft(outcome) ? outcome.left._tag : outcome._tag, repeats.length]
}

describe("a retry", () => {
  it.effect.each(calls)(
    "of $name is made after a throttling error",
    ({ response: fine, run }) =>
      Effect.gen(function*() {
        const { glacier, sent } = yield* scripted(respondWith(throttled, throttled, fine), retrying)
        yield* run(glacier)
        expect(sent).toHaveLength(3)
      })
  )

  it.effect.each(
    calls.flatMap((call) => [{ ...call, whose: "the service's", failure: unavailable }, {
      ...call,
      whose: "a proxy's",
      failure: () => responseOf(502, "<html>")
    }])
  )(
    "of $name is made after $whose failure only if the operation is repeatable",
    ({ response: fine, failure, name, run }) =>
      Effect.gen(function*() {
        const { glacier, sent } = yield* scripted(respondWith(failure, fine), retrying)
        const outcome = yield* Effect.either(run(glacier))
        expect(outcomeOf(outcome, sent)).toEqual(notRepeatable.includes(name) ? ["OutcomeUnknown", 1] : ["Right", 2])
      })
  )

  it.effect.each(calls)(
    "of $name is made after a lost connection only if the operation is repeatable",
    ({ response: fine, name, run }) =>
      Effect.gen(function*() {
        const { glacier, sent } = yield* scripted(
          (_, attempt) => attempt === 1 ? Effect.fail("ECONNRESET") : Effect.sync(fine),
          retrying
        )
        const outcome = yield* Effect.either(run(glacier))
        expect(outcomeOf(outcome, sent)).toEqual(notRepeatable.includes(name) ? ["OutcomeUnknown", 1] : ["Right", 2])
      })
  )

  it.effect.each(calls)(
    "of $name is made after a timeout only if the operation is repeatable",
    ({ response: fine, name, run }) =>
      Effect.gen(function*() {
        const { glacier, sent } = yield* scripted(
          (_, attempt) => attempt === 1 ? Effect.never : Effect.sync(fine),
          retrying
        )
        const outcome = yield* Effect.flatten(Effect.flatten(after("5 minutes", Effect.either(run(glacier)))))
        expect(outcomeOf(outcome, sent)).toEqual(notRepeatable.includes(name) ? ["OutcomeUnknown", 1] : ["Right", 2])
      })
  )

  it.effect.each(
    [
      [403, "AccessDeniedException"],
      [403, "InvalidSignatureException"],
      [403, "SomethingNewException"],
      [404, "ResourceNotFoundException"],
      [400, "InvalidParameterValueException"],
      [400, "MissingParameterValueException"],
      [400, "NoLongerSupportedException"],
      [200, "not even an error"]
    ] as const
  )("is never made after %i %s", ([status, code]) =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(respondWith(() => errorResponseOf(status, code)), retrying)
      yield* Effect.flip(glacier.describeVault(vault))
      expect(sent).toHaveLength(1)
    }))

  it.effect("is never made after an error of the credentials", () =>
    Effect.gen(function*() {
      let asked = 0
      const credentials = Credentials.layerEffect(Effect.suspend(() => {
        asked++
        return Effect.fail(new CredentialsError({ message: "expired" }))
      }))
      const { glacier, sent } = yield* scripted(respondWith(() => responseOf(204)), { ...retrying, credentials })
      expect(yield* Effect.flip(glacier.deleteVault(vault))).toHaveProperty("_tag", "CredentialsError")
      expect([asked, sent.length]).toEqual([1, 0])
    }))

  it.effect("that is the last one decides the error of the call", () =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(
        (_, attempt) => Effect.sync(() => errorResponseOf(500, "ServiceUnavailableException", `attempt ${attempt}`)),
        retrying
      )
      expect(yield* Effect.flip(glacier.describeVault(vault))).toHaveProperty("message", "attempt 4")
      expect(sent).toHaveLength(4)
    }))

  it.effect("is signed again, with the time and the credentials of its own attempt", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(signedAt)
      let asked = 0
      const next = Effect.sync(() => ({ accessKeyId: `AKID${++asked}`, secretAccessKey: Redacted.make("secret") }))
      const { glacier, sent } = yield* scripted(respondWith(throttled), {
        credentials: Layer.succeed(Credentials.Credentials, { keys: next, refreshed: () => next }),
        policies: RetryPolicy.layer(RetryPolicy.attempts(RetryPolicy.fromSchedule(Schedule.spaced("1 second")), 3))
      })
      expect(Option.isSome(yield* after("2 seconds", glacier.uploadArchive(uploadInput)))).toBe(true)
      expect(sent.map(({ headers }) => headers["x-amz-date"])).toEqual([
        "20120525T002453Z",
        "20120525T002454Z",
        "20120525T002455Z"
      ])
      expect(sent.map(({ headers }) => /Credential=(\w+)/.exec(headers["authorization"] ?? "")?.[1])).toEqual([
        "AKID1",
        "AKID2",
        "AKID3"
      ])
      expect(new Set(sent.map(({ headers }) => headers["authorization"]?.split("Signature=")[1])).size).toBe(3)
      expect(sent.map(({ body }) => body.length)).toEqual([26, 26, 26])
    }))

  it.effect.each([["a throttle", throttled, 1_000], ["a failure of the service", unavailable, 50]] as const)(
    "after %s waits for a random time within bounds that double, and the same Random gives the same waits",
    ([, response, first]) =>
      Effect.gen(function*() {
        const run = (seed: string) =>
          Effect.gen(function*() {
            const { glacier, sent } = yield* scripted(respondWith(response), byDefault)
            const failing = Effect.withRandom(glacier.describeVault(vault), Random.make(seed))
            expect(Option.isSome(yield* after("2 minutes", failing))).toBe(true)
            return waits(sent)
          })
        const all = yield* Effect.forEach(Array.from({ length: 20 }, (_, index) => `seed ${index}`), run)
        for (const waits of all) expect(waits).toHaveLength(2)
        for (const index of [0, 1]) {
          const longest = Math.max(...all.map((waits) => waits[index] ?? NaN))
          expect(longest).toBeLessThanOrEqual(first * 2 ** index)
          expect(longest).toBeGreaterThan(first * 2 ** index * 0.8)
        }
        expect(yield* run("seed 0")).toEqual(all[0])
        expect(all[1]).not.toEqual(all[0])
      })
  )
})

describe("an ExpiredToken response", () => {
  const expired = () => errorResponseOf(403, "ExpiredTokenException")
  const keyOf = ({ headers }: Sent) => /Credential=(\w+)/.exec(headers["authorization"] ?? "")?.[1]

  /** Makes credentials that have another key after each refresh. */
  const refreshable = () => {
    const stale: Array<string> = []
    const keys = Effect.sync(() => ({
      accessKeyId: `AKID${stale.length}`,
      secretAccessKey: Redacted.make("secret")
    }))
    const credentials = Layer.succeed(Credentials.Credentials, {
      keys,
      refreshed: ({ accessKeyId }) => Effect.zipRight(Effect.sync(() => stale.push(accessKeyId)), keys)
    })
    return { stale, credentials }
  }

  it.effect.each(calls)(
    "makes the client refresh the credentials and send $name once more",
    ({ response: fine, output, run }) =>
      Effect.gen(function*() {
        const { credentials, stale } = refreshable()
        const { glacier, sent } = yield* scripted(respondWith(expired, fine), { credentials })
        expect(yield* run(glacier)).toMatchObject(output)
        expect(stale).toEqual(["AKID0"])
        expect(sent.map(keyOf)).toEqual(["AKID0", "AKID1"])
      })
  )

  it.effect.each(["describeVault", "uploadArchive"] as const)(
    "to the second attempt of %s fails the call",
    (name) =>
      Effect.gen(function*() {
        const { credentials } = refreshable()
        const { glacier, sent } = yield* scripted(respondWith(expired), { ...retrying, credentials })
        expect(yield* Effect.flip(call(name).run(glacier))).toHaveProperty("_tag", "ExpiredToken")
        expect(sent.map(keyOf)).toEqual(["AKID0", "AKID1"])
      })
  )

  it.effect("after a later retry makes the client refresh the credentials again", () =>
    Effect.gen(function*() {
      const { credentials } = refreshable()
      const { glacier, sent } = yield* scripted(
        respondWith(expired, throttled, expired, call("describeVault").response),
        {
          ...retrying,
          credentials
        }
      )
      yield* glacier.describeVault(vault)
      expect(sent.map(keyOf)).toEqual(["AKID0", "AKID1", "AKID1", "AKID2"])
    }))

  it.effect("fails the call with CredentialsError when the refresh fails", () =>
    Effect.gen(function*() {
      const failure = new CredentialsError({ message: "the provider is down" })
      const { glacier, sent } = yield* scripted(respondWith(expired), {
        ...retrying,
        credentials: Layer.succeed(Credentials.Credentials, {
          keys: Effect.succeed(keys),
          refreshed: () => Effect.fail(failure)
        })
      })
      const { _tag, message } = yield* Effect.flip(glacier.describeVault(vault))
      expect([_tag, message]).toEqual(["CredentialsError", "the provider is down"])
      expect(sent).toHaveLength(1)
    }))
})

describe("the clock of the service", () => {
  const dates = (sent: ReadonlyArray<Sent>) => sent.map(({ headers }) => headers["x-amz-date"])
  const dated = (date: string) => () => responseOf(204, null, { date })

  it.effect("is learned from successful responses too, and by each client separately", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(signedAt)
      const ahead = yield* scripted(respondWith(dated("Fri, 25 May 2012 01:24:53 GMT")))
      const other = yield* scripted(respondWith(() => responseOf(204)))
      yield* Effect.replicateEffect(ahead.glacier.deleteVault(vault), 2)
      yield* Effect.replicateEffect(other.glacier.deleteVault(vault), 2)
      expect(dates(ahead.sent)).toEqual(["20120525T002453Z", "20120525T012453Z"])
      expect(dates(other.sent)).toEqual(["20120525T002453Z", "20120525T002453Z"])
    }))

  it.effect.each(["yesterday", "", "Fri, 25 May 2012 00:28:53 GMT", "Fri, 25 May 2012 00:20:53 GMT"])(
    "is not learned from '%s'",
    (date) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(signedAt)
        const { glacier, sent } = yield* scripted(respondWith(dated(date)))
        yield* Effect.replicateEffect(glacier.deleteVault(vault), 2)
        expect(dates(sent)).toEqual(["20120525T002453Z", "20120525T002453Z"])
      })
  )
})
