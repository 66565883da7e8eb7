import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Timeouts from "../../src/policy/Timeouts.ts"
import { CredentialsError } from "../../src/protocol/GlacierError.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import { call, calls, jobId, notIdempotent, welcome, welcomeHash } from "./calls.ts"
import { answer, over, promptly, refusal, replies, script, scripted, signedAt } from "./support.ts"
import type { Reply, Sent } from "./support.ts"

const vaultName = "photos"
const vault = { vaultName }
const uploadInput = { vaultName, body: welcome, contentSha256: welcomeHash, treeHash: welcomeHash }
const unavailable = () => refusal(500, "ServiceUnavailableException")
const throttled = () => refusal(400, "ThrottlingException", "Rate exceeded")
const retrying = { policies: RetryPolicy.layer(promptly(3)) }
const byDefault = { policies: Layer.empty }

/** What comes of an effect when that much time passes. */
const after = <A, E, R>(time: Duration.DurationInput, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(effect)
    yield* TestClock.adjust(time)
    const exit = yield* Fiber.poll(fiber)
    yield* Fiber.interrupt(fiber)
    return exit
  })

/** The failure of an effect, which must not happen before that time. */
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
  const never: Reply = () => Effect.never

  it.effect.each(
    [
      ["describeVault", 30_000],
      ["initiateJob", 30_000],
      ["getJobOutput", 30_000],
      ["uploadArchive", 300_000],
      ["uploadMultipartPart", 300_000]
    ] as const
  )("of %s waits %i ms for an answer and is then aborted", ([name, millis]) =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(never)
      const error = yield* failureAt(millis, call(name).run(glacier))
      expect({ ...error }).toMatchObject({ _tag: "AttemptTimeout", waiting: "answer", millis })
      expect(sent.map(({ signal }) => signal.aborted)).toEqual([true])
    }))

  it.effect("waits as long for the end of the answer", () =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(() => Effect.sync(() => answer(200, new ReadableStream())))
      const error = yield* failureAt("30 seconds", glacier.describeVault(vault))
      expect({ ...error }).toMatchObject({ _tag: "AttemptTimeout", operation: "DescribeVault", waiting: "answer" })
      expect(sent.map(({ signal }) => signal.aborted)).toEqual([true])
    }))

  /** One piece of bytes every so often. */
  const dripping = (pause: Duration.DurationInput, pieces: number): Reply => () =>
    Stream.range(1, pieces).pipe(
      Stream.mapEffect(() => Effect.as(Effect.sleep(pause), welcome)),
      Stream.toReadableStreamEffect(),
      Effect.map((body) => answer(200, body))
    )

  const output = (reply: Reply) =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(reply)
      const { body } = yield* glacier.getJobOutput({ vaultName, jobId })
      return { body, sent }
    })

  it.effect("waits 30 seconds for the next bytes of a body and is then aborted", () =>
    Effect.gen(function*() {
      const { body, sent } = yield* output(dripping("31 seconds", 1))
      const error = yield* failureAt("30 seconds", Stream.runDrain(body))
      expect({ ...error }).toMatchObject({ _tag: "AttemptTimeout", waiting: "body", millis: 30_000 })
      expect(sent.map(({ signal }) => signal.aborted)).toEqual([true])
    }))

  it.effect("has all the time for a body that goes on", () =>
    Effect.gen(function*() {
      const { body } = yield* output(dripping("29 seconds", 5))
      expect(yield* after("145 seconds", Stream.runCount(body))).toEqual(Option.some(Exit.succeed(5)))
    }))

  it.effect("has all the time for a consumer that is slow", () =>
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

  it.effect("is aborted when no more of its body is wanted", () =>
    Effect.gen(function*() {
      const { body, sent } = yield* output(() => Effect.sync(() => answer(200, welcome)))
      expect(sent.map(({ signal }) => signal.aborted)).toEqual([false])
      yield* Stream.runDrain(Stream.take(body, 1))
      expect(sent.map(({ signal }) => signal.aborted)).toEqual([true])
    }))
})

describe("a retry", () => {
  it.effect.each(calls)(
    "of $name follows a throttle",
    ({ answer: fine, run }) =>
      Effect.gen(function*() {
        const { glacier, sent } = yield* scripted(replies(throttled, throttled, fine), retrying)
        yield* run(glacier)
        expect(sent).toHaveLength(3)
      })
  )

  it.effect.each(
    calls.flatMap((one) => [{ ...one, whose: "the service's", failure: unavailable }, {
      ...one,
      whose: "a proxy's",
      failure: () => answer(502, "<html>")
    }])
  )(
    "of $name follows $whose failure only when it does no harm",
    ({ answer: fine, failure, name, run }) =>
      Effect.gen(function*() {
        const { glacier, sent } = yield* scripted(replies(failure, fine), retrying)
        const outcome = yield* Effect.either(run(glacier))
        expect([outcome._tag, sent.length]).toEqual(notIdempotent.includes(name) ? ["Left", 1] : ["Right", 2])
      })
  )

  it.effect.each(calls)(
    "of $name follows a lost connection only when it does no harm",
    ({ answer: fine, name, run }) =>
      Effect.gen(function*() {
        const { glacier, sent } = yield* scripted(
          (_, attempt) => attempt === 1 ? Effect.fail("ECONNRESET") : Effect.sync(fine),
          retrying
        )
        const outcome = yield* Effect.either(run(glacier))
        const harmless = !notIdempotent.includes(name)
        expect([outcome._tag, sent.length]).toEqual(harmless ? ["Right", 2] : ["Left", 1])
      })
  )

  it.effect.each(calls)(
    "of $name follows a timeout only when it does no harm",
    ({ answer: fine, name, run }) =>
      Effect.gen(function*() {
        const { glacier, sent } = yield* scripted(
          (_, attempt) => attempt === 1 ? Effect.never : Effect.sync(fine),
          retrying
        )
        const exit = yield* after("5 minutes", Effect.either(run(glacier)))
        const harmless = !notIdempotent.includes(name)
        expect(exit).toMatchObject(Option.some(Exit.succeed({ _tag: harmless ? "Right" : "Left" })))
        expect(sent).toHaveLength(harmless ? 2 : 1)
      })
  )

  it.effect.each(
    [
      [403, "AccessDeniedException"],
      [403, "ExpiredTokenException"],
      [403, "InvalidSignatureException"],
      [403, "SomethingNewException"],
      [404, "ResourceNotFoundException"],
      [400, "InvalidParameterValueException"],
      [400, "MissingParameterValueException"],
      [400, "NoLongerSupportedException"],
      [200, "not even an error"]
    ] as const
  )("never follows %i %s", ([status, code]) =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(replies(() => refusal(status, code)), retrying)
      yield* Effect.flip(glacier.describeVault(vault))
      expect(sent).toHaveLength(1)
    }))

  it.effect("never follows a failure of the credentials", () =>
    Effect.gen(function*() {
      let asked = 0
      const credentials = Credentials.layerEffect(Effect.suspend(() => {
        asked++
        return Effect.fail(new CredentialsError({ message: "expired" }))
      }))
      const { glacier, sent } = yield* scripted(replies(() => answer(204)), { ...retrying, credentials })
      expect(yield* Effect.flip(glacier.deleteVault(vault))).toHaveProperty("_tag", "CredentialsError")
      expect([asked, sent.length]).toEqual([1, 0])
    }))

  it.effect("fails with the error of the last attempt", () =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(
        (_, attempt) => Effect.sync(() => refusal(500, "ServiceUnavailableException", `attempt ${attempt}`)),
        retrying
      )
      expect(yield* Effect.flip(glacier.describeVault(vault))).toHaveProperty("message", "attempt 4")
      expect(sent).toHaveLength(4)
    }))

  it.effect("is signed afresh, at its time and with the credentials of then", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(signedAt)
      let asked = 0
      const next = Effect.sync(() => ({ accessKeyId: `AKID${++asked}`, secretAccessKey: Redacted.make("secret") }))
      const { glacier, sent } = yield* scripted(replies(throttled), {
        credentials: Layer.succeed(Credentials.Credentials, { keys: next, renewed: () => next }),
        policies: RetryPolicy.layer({
          while: RetryPolicy.isSafe,
          schedule: Schedule.intersect(Schedule.spaced("1 second"), Schedule.recurs(2))
        })
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

  it.effect.each([["a throttle", throttled, 1_000], ["a failure of the service", unavailable, 500]] as const)(
    "after %s waits by default within bounds that double, and the same with the same Random",
    ([, response, first]) =>
      Effect.gen(function*() {
        const run = (seed: string) =>
          Effect.gen(function*() {
            const { glacier, sent } = yield* scripted(replies(response), byDefault)
            const failing = Effect.withRandom(glacier.describeVault(vault), Random.make(seed))
            expect(Option.isSome(yield* after("2 minutes", failing))).toBe(true)
            return waits(sent)
          })
        const [one, same, other] = [yield* run("seed"), yield* run("seed"), yield* run("another seed")]
        expect(one).toHaveLength(9)
        one.forEach((wait, index) => {
          expect(wait).toBeGreaterThanOrEqual(0)
          expect(wait).toBeLessThanOrEqual(Math.min(first * 2 ** index, 20_000))
        })
        expect(one.some((wait) => wait > first)).toBe(true)
        expect(same).toEqual(one)
        expect(other).not.toEqual(one)
      })
  )
})

describe("a policy", () => {
  const twice = promptly(1)
  const thrice = promptly(2)

  /** How many attempts a call that is always throttled makes, with a policy round it or not. */
  const attempts = (built: RetryPolicy.Policy, round?: RetryPolicy.Policy) =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(replies(throttled), { policies: RetryPolicy.layer(built) })
      const describe = Effect.flip(glacier.describeVault(vault))
      yield* round === undefined ? describe : Effect.provideService(describe, RetryPolicy.RetryPolicy, round)
      return sent.length
    })

  it.effect("of retries is replaced by a Layer", () =>
    Effect.gen(function*() {
      expect(yield* attempts(RetryPolicy.none)).toBe(1)
      expect(yield* attempts(twice)).toBe(2)
      expect(yield* attempts(thrice)).toBe(3)
    }))

  it.effect("of retries is replaced round one call, whatever the Layer", () =>
    Effect.gen(function*() {
      expect(yield* attempts(RetryPolicy.none, thrice)).toBe(3)
      expect(yield* attempts(thrice, RetryPolicy.none)).toBe(1)
      expect(yield* attempts(twice, thrice)).toBe(3)
    }))

  it.effect("of retries holds round its call only", () =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(replies(throttled), { policies: RetryPolicy.layer(twice) })
      const describe = Effect.flip(glacier.describeVault(vault))
      yield* Effect.provideService(describe, RetryPolicy.RetryPolicy, RetryPolicy.none)
      yield* describe
      expect(sent).toHaveLength(3)
    }))

  it.effect("of retries sees the error and the operation", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const policy: RetryPolicy.Policy = {
        while: (error, { idempotent, name }) => seen.push([error._tag, name, idempotent]) < 3,
        schedule: Schedule.forever
      }
      const { glacier } = yield* scripted(replies(throttled, unavailable), { policies: RetryPolicy.layer(policy) })
      yield* Effect.flip(glacier.uploadArchive(uploadInput))
      expect(seen).toEqual([
        ["Throttling", "UploadArchive", false],
        ["ServiceUnavailable", "UploadArchive", false],
        ["ServiceUnavailable", "UploadArchive", false]
      ])
    }))

  const seconds = (answer: number): Timeouts.Limits => ({
    answer: Duration.seconds(answer),
    upload: Duration.seconds(answer * 10),
    idle: Duration.seconds(answer)
  })

  /** After how many milliseconds a call without answer fails, with limits round it or not. */
  const patience = (built: Layer.Layer<never>, round?: Timeouts.Limits) =>
    Effect.gen(function*() {
      const { glacier } = yield* scripted(() => Effect.never, {
        policies: Layer.merge(built, RetryPolicy.layer(RetryPolicy.none))
      })
      const describe = Effect.flip(glacier.describeVault(vault))
      const exit = yield* after(
        "1 hour",
        round === undefined ? describe : Effect.provideService(describe, Timeouts.Timeouts, round)
      )
      const error = yield* Effect.flatten(exit)
      return error._tag === "AttemptTimeout" ? error.millis : error._tag
    })

  it.effect("of time is replaced by a Layer", () =>
    Effect.gen(function*() {
      expect(yield* patience(Layer.empty)).toBe(30_000)
      expect(yield* patience(Timeouts.layer(seconds(2)))).toBe(2_000)
    }))

  it.effect("of time is replaced round one call, whatever the Layer", () =>
    Effect.gen(function*() {
      expect(yield* patience(Layer.empty, seconds(3))).toBe(3_000)
      expect(yield* patience(Timeouts.layer(seconds(2)), seconds(60))).toBe(60_000)
    }))

  it.effect("may come from a Layer round the whole program", () =>
    Effect.gen(function*() {
      const { http, sent } = script((_, attempt) => attempt < 3 ? Effect.sync(throttled) : Effect.never)
      const program = Effect.flatMap(GlacierClient.GlacierClient, (glacier) => glacier.describeVault(vault)).pipe(
        Effect.provide(over(http, byDefault)),
        Effect.provide([RetryPolicy.layer(thrice), Timeouts.layer(seconds(7))])
      )
      expect(yield* failureAt("7 seconds", program)).toHaveProperty("_tag", "AttemptTimeout")
      expect(sent).toHaveLength(3)
    }))
})
