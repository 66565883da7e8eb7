import { describe, expect, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { down, id, issuer } from "./keyProvider.ts"

describe("Credentials of a provider", () => {
  it.scoped("are requested when they are first needed, once for all callers", () =>
    Effect.gen(function*() {
      const { provider, seen } = issuer(() => ({ latency: "1 second" }))
      const credentials = yield* Credentials.make(provider)
      yield* TestClock.adjust("1 minute")
      expect(seen.asked).toEqual([])
      const waiting = yield* Effect.fork(Effect.all(Arr.makeBy(64, () => id(credentials)), { concurrency: 64 }))
      yield* TestClock.adjust("999 millis")
      expect(yield* Fiber.poll(waiting)).toEqual(Option.none())
      yield* TestClock.adjust("1 millis")
      expect(new Set(yield* Fiber.join(waiting))).toEqual(new Set(["ASIA1"]))
      expect(seen.asked).toEqual([60_000])
    }))

  it.scoped("are refreshed in the last 5 minutes before they expire, while the old keys stay in use", () =>
    Effect.gen(function*() {
      const { provider, seen } = issuer((n) => ({ life: "15 minutes", latency: n === 1 ? 0 : "1 second" }))
      const credentials = yield* Credentials.make(provider)
      expect(yield* id(credentials)).toBe("ASIA1")
      yield* TestClock.adjust("599999 millis")
      expect(yield* id(credentials)).toBe("ASIA1")
      yield* TestClock.adjust("1 millis")
      expect(seen.asked).toEqual([0])
      expect(yield* Effect.all(Arr.makeBy(64, () => id(credentials)), { concurrency: 64 })).toEqual(
        Arr.makeBy(64, () => "ASIA1")
      )
      yield* TestClock.adjust("999 millis")
      expect(yield* id(credentials)).toBe("ASIA1")
      yield* TestClock.adjust("1 millis")
      expect(yield* id(credentials)).toBe("ASIA2")
      expect(seen.asked).toEqual([0, 600_000])
    }))

  it.scoped("are requested every 30 seconds while the provider is down, and fail only when the old keys have expired", () =>
    Effect.gen(function*() {
      const { provider, seen } = issuer((n) => ({ life: "15 minutes", fails: n > 1 && n < 13 }))
      const credentials = yield* Credentials.make(provider)
      yield* credentials.keys
      yield* Effect.sleep("10 minutes")
      for (const _ of Arr.range(1, 300)) {
        expect(yield* id(credentials)).toBe("ASIA1")
        yield* Effect.sleep("1 second")
      }
      expect(seen.asked).toEqual([0, ...Arr.makeBy(10, (n) => 600_000 + n * 30_000)])
      expect(yield* Effect.flip(credentials.keys)).toBe(down)
      expect(yield* id(credentials)).toBe("ASIA13")
    }).pipe(inVirtualTime))

  it.scoped("make all callers wait for one refresh when they have expired", () =>
    Effect.gen(function*() {
      const { provider, seen } = issuer(() => ({ life: "15 minutes", latency: "1 second" }))
      const credentials = yield* Credentials.make(provider)
      const first = yield* Effect.fork(credentials.keys)
      yield* TestClock.adjust("901 seconds")
      expect(DateTime.toEpochMillis((yield* Fiber.join(first)).expiration!)).toBe(901_000)
      const waiting = yield* Effect.fork(Effect.all(Arr.makeBy(64, () => id(credentials)), { concurrency: 64 }))
      yield* TestClock.adjust("1 second")
      expect(new Set(yield* Fiber.join(waiting))).toEqual(new Set(["ASIA2"]))
      expect(seen.asked).toEqual([0, 901_000])
    }))

  it.scoped("are requested at most every 30 seconds when they always expire soon", () =>
    Effect.gen(function*() {
      const { provider, seen } = issuer(() => ({ life: "2 minutes" }))
      const credentials = yield* Credentials.make(provider)
      for (const _ of Arr.range(1, 600)) {
        yield* credentials.keys
        yield* Effect.sleep("1 second")
      }
      expect(seen.asked).toEqual(Arr.makeBy(20, (n) => n * 30_000))
    }).pipe(inVirtualTime))

  it.scoped("without an expiration are kept until the service rejects them", () =>
    Effect.gen(function*() {
      const { provider } = issuer(() => ({}))
      const credentials = yield* Credentials.make(provider)
      const stale = yield* credentials.keys
      yield* TestClock.adjust("1000 days")
      expect(yield* credentials.keys).toBe(stale)
      expect((yield* credentials.refreshed(stale)).accessKeyId).toBe("ASIA2")
      expect(yield* id(credentials)).toBe("ASIA2")
    }))

  it.scoped("that the service rejects are refreshed once for all callers", () =>
    Effect.gen(function*() {
      const { provider, seen } = issuer((n) => ({ life: "15 minutes", latency: n === 1 ? 0 : "1 second" }))
      const credentials = yield* Credentials.make(provider)
      const stale = yield* credentials.keys
      const refreshed = Effect.map(credentials.refreshed(stale), ({ accessKeyId }) => accessKeyId)
      const waiting = yield* Effect.fork(Effect.all(Arr.makeBy(64, () => refreshed), { concurrency: 64 }))
      yield* TestClock.adjust("1 second")
      expect(new Set(yield* Fiber.join(waiting))).toEqual(new Set(["ASIA2"]))
      yield* TestClock.adjust("1 minute")
      // A late rejection of the first keys.
      expect(yield* refreshed).toBe("ASIA2")
      expect(seen.asked).toEqual([0, 0])
    }))

  it.scoped("that the service rejects during a refresh wait for that refresh", () =>
    Effect.gen(function*() {
      const { provider, seen } = issuer((n) => ({ life: "15 minutes", latency: n === 1 ? 0 : "1 minute" }))
      const credentials = yield* Credentials.make(provider)
      const stale = yield* credentials.keys
      yield* TestClock.adjust("10 minutes")
      expect(yield* credentials.keys).toBe(stale)
      const waiting = yield* Effect.fork(credentials.refreshed(stale))
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.join(waiting)).accessKeyId).toBe("ASIA2")
      expect(seen.asked).toEqual([0, 600_000])
    }))

  it.scoped("that the service rejects are returned again when the provider has no others", () =>
    Effect.gen(function*() {
      let asked = 0
      const credentials = yield* Credentials.make(Effect.sync(() => ({
        accessKeyId: "AKID",
        secretAccessKey: Redacted.make("secret"),
        expiration: DateTime.unsafeMake(1_000_000 + ++asked)
      })))
      const stale = yield* credentials.keys
      const refreshed = yield* credentials.refreshed(stale)
      expect(asked).toBe(2)
      expect(refreshed).not.toBe(stale)
      expect(Credentials.Equivalence(refreshed, stale)).toBe(true)
    }))

  it.scoped("that the service rejects stay in use when the refresh fails", () =>
    Effect.gen(function*() {
      const { provider } = issuer((n) => ({ life: "15 minutes", fails: n === 2 }))
      const credentials = yield* Credentials.make(provider)
      const stale = yield* credentials.keys
      expect(yield* Effect.flip(credentials.refreshed(stale))).toBe(down)
      expect(yield* credentials.keys).toBe(stale)
      expect((yield* credentials.refreshed(stale)).accessKeyId).toBe("ASIA3")
    }))

  it.scoped("are rejected when the provider returns them expired", () =>
    Effect.gen(function*() {
      const { provider } = issuer((n) => ({ life: n === 1 ? 0 : "1 second" }))
      const credentials = yield* Credentials.make(provider)
      expect(yield* Effect.flip(credentials.keys)).toMatchObject({ _tag: "CredentialsError", message: /clock/ })
      expect(yield* id(credentials)).toBe("ASIA2")
    }))

  it.scoped("reach the other callers when the first is interrupted, which ends at once", () =>
    Effect.gen(function*() {
      const { provider, seen } = issuer(() => ({ latency: "1 minute" }))
      const credentials = yield* Credentials.make(provider)
      const [first, ...others] = yield* Effect.all(Arr.makeBy(3, () => Effect.fork(credentials.keys)))
      yield* TestClock.adjust("1 second")
      expect(Exit.isInterrupted(yield* Fiber.interrupt(first!))).toBe(true)
      yield* TestClock.adjust("59 seconds")
      expect((yield* Fiber.join(Fiber.all(others))).map(({ accessKeyId }) => accessKeyId)).toEqual(["ASIA1", "ASIA1"])
      expect([seen.asked, seen.interrupted]).toEqual([[0], 0])
    }))

  it.scoped("are still cached when all callers are interrupted", () =>
    Effect.gen(function*() {
      const { provider, seen } = issuer(() => ({ latency: "1 minute" }))
      const credentials = yield* Credentials.make(provider)
      const waiting = yield* Effect.fork(credentials.keys)
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(waiting)
      yield* TestClock.adjust("59 seconds")
      expect(yield* id(credentials)).toBe("ASIA1")
      expect(seen.asked).toEqual([0])
    }))

  it.scoped("fail after a wait of 5 minutes, and are used when they arrive later", () =>
    Effect.gen(function*() {
      const { provider, seen } = issuer(() => ({ latency: "6 minutes" }))
      const credentials = yield* Credentials.make(provider)
      const first = yield* Effect.fork(Effect.flip(id(credentials)))
      yield* TestClock.adjust("299999 millis")
      expect(yield* Fiber.poll(first)).toEqual(Option.none())
      yield* TestClock.adjust("1 millis")
      expect((yield* Fiber.join(first)).message).toBe(
        "The provider of credentials did not respond within 5m: check that it runs"
      )
      yield* TestClock.adjust("1 minute")
      expect(yield* id(credentials)).toBe("ASIA1")
      expect(seen.asked).toEqual([0])
    }))

  it.effect("interrupt their provider and all callers when the scope closes", () =>
    Effect.gen(function*() {
      const { provider, seen } = issuer(() => ({ latency: "1 minute" }))
      const scope = yield* Scope.make()
      const credentials = yield* Scope.extend(Credentials.make(provider), scope)
      // Even when the first caller is uninterruptible.
      const waiting = yield* Effect.fork(Effect.uninterruptible(credentials.keys))
      yield* TestClock.adjust("1 second")
      yield* Scope.close(scope, Exit.void)
      expect(seen).toMatchObject({ interrupted: 1, running: 0 })
      expect(Exit.isInterrupted(yield* Fiber.await(waiting))).toBe(true)
      expect(Exit.isInterrupted(yield* Effect.exit(credentials.keys))).toBe(true)
      expect(seen.running).toBe(0)
    }))

  it.scoped("are requested again after a defect of the provider", () =>
    Effect.gen(function*() {
      let asked = 0
      const keys: Credentials.Keys = { accessKeyId: "AKID", secretAccessKey: Redacted.make("secret") }
      const credentials = yield* Credentials.make(Effect.sync(() => {
        if (++asked === 1) throw new Error("a bug")
        return keys
      }))
      expect(yield* Effect.sandbox(credentials.keys).pipe(Effect.flip, Effect.map(Cause.isDie))).toBe(true)
      expect(yield* credentials.keys).toBe(keys)
    }))

  it.effect.prop(
    "are never refreshed twice at once, returned expired, or waited for while valid keys are cached",
    [
      FastCheck.array(
        FastCheck.record({
          life: FastCheck.oneof(FastCheck.integer({ min: 0, max: 1_200_000 }), FastCheck.constant("infinity")),
          latency: FastCheck.oneof(FastCheck.constant(0), FastCheck.integer({ min: 0, max: 400_000 })),
          fails: FastCheck.boolean()
        }),
        { minLength: 1, maxLength: 20 }
      ),
      FastCheck.array(
        FastCheck.record({
          pause: FastCheck.oneof(FastCheck.constant(0), FastCheck.integer({ min: 0, max: 600_000 })),
          forced: FastCheck.boolean(),
          interruptedAfter: FastCheck.option(FastCheck.integer({ min: 0, max: 100_000 }), { nil: undefined })
        }),
        { minLength: 1, maxLength: 40 }
      )
    ],
    ([runs, calls]) =>
      Effect.gen(function*() {
        const { provider, seen } = issuer((n) => {
          const { fails, latency, life } = runs[n % runs.length]!
          return { fails, latency, ...(life === "infinity" ? {} : { life: Number(life) }) }
        })
        const credentials = yield* Credentials.make(provider)
        let last: Credentials.Keys | undefined
        const use = Effect.fnUntraced(function*({ forced, interruptedAfter }: typeof calls[number]) {
          const start = yield* Clock.currentTimeMillis
          const stale = forced ? last : undefined
          const hasValid = Option.exists(
            Arr.findLast(seen.issued, ({ at }) => at < start),
            ({ expiration }) => expiration === undefined || DateTime.toEpochMillis(expiration) > start
          )
          const fiber = yield* Effect.fork(
            Effect.exit(stale === undefined ? credentials.keys : credentials.refreshed(stale)).pipe(
              Effect.zip(Clock.currentTimeMillis)
            )
          )
          if (interruptedAfter !== undefined) {
            yield* Effect.sleep(interruptedAfter)
            yield* Fiber.interrupt(fiber)
          }
          const ended = yield* Fiber.await(fiber)
          if (Exit.isFailure(ended)) return
          const [result, end] = ended.value
          if (stale === undefined && hasValid) expect([Exit.isSuccess(result), end]).toEqual([true, start])
          if (Exit.isFailure(result)) return
          last = result.value
          if (last.expiration !== undefined) expect(DateTime.toEpochMillis(last.expiration)).toBeGreaterThan(end)
        })
        const using = yield* Effect.fork(Effect.gen(function*() {
          const fibers: Array<Fiber.RuntimeFiber<void>> = []
          for (const call of calls) {
            yield* Effect.sleep(call.pause)
            fibers.push(yield* Effect.fork(use(call)))
          }
          yield* Fiber.join(Fiber.all(fibers))
        }))
        yield* Effect.sleep("8 hours")
        yield* Fiber.join(using)
        expect(seen.most).toBeLessThanOrEqual(1)
        expect(seen.interrupted).toBe(0)
      }).pipe(Effect.scoped, inVirtualTime),
    { fastCheck: { numRuns: 100, seed: 4 } }
  )
})

/** Runs an effect in many fibers at once, again after each pause. Returns how often it failed. */
const busy = <E>(
  use: Effect.Effect<unknown, E>,
  pause: Duration.DurationInput,
  total: Duration.DurationInput,
  fiberCount = 64
) =>
  Effect.gen(function*() {
    let failures = 0
    const counted = Effect.catchAll(use, () => Effect.sync(() => failures++))
    for (const _ of Arr.range(1, Math.round(Duration.toMillis(total) / Duration.toMillis(pause)))) {
      const fibers = yield* Effect.all(Arr.makeBy(fiberCount, () => Effect.fork(counted)))
      yield* Effect.sleep(pause)
      yield* Fiber.join(Fiber.all(fibers))
    }
    return failures
  })

describe("Temporary credentials", () => {
  it.scoped.each([[15, 36], [20, 24]] as const)(
    "of %i minutes need about %i refreshes for 64 fibers in 6 hours, one at a time and without a failure [S2]",
    ([minutes, refreshes]) =>
      Effect.gen(function*() {
        const { provider, seen } = issuer(() => ({ life: Duration.minutes(minutes), latency: "2 seconds" }))
        const credentials = yield* Credentials.make(provider)
        expect(yield* busy(credentials.keys, "30 seconds", "6 hours")).toBe(0)
        expect(Math.abs(seen.asked.length - refreshes)).toBeLessThanOrEqual(2)
        expect(seen.most).toBe(1)
      }).pipe(inVirtualTime)
  )

  it.scoped.each([540_000, 598_000, 600_000, 602_000, 660_000])(
    "stay available when the provider is down for 4 minutes from %i ms on [S2]",
    (from) =>
      Effect.gen(function*() {
        const { provider, seen } = issuer((_, at) => ({
          life: "15 minutes",
          latency: "2 seconds",
          fails: at >= from && at < from + 240_000
        }))
        const credentials = yield* Credentials.make(provider)
        expect(yield* busy(credentials.keys, "5 seconds", "20 minutes")).toBe(0)
        expect(seen.issued.length).toBe(2)
        expect(seen.most).toBe(1)
      }).pipe(inVirtualTime)
  )

  it.scoped("never reach the service after they expired [S2]", () =>
    Effect.gen(function*() {
      const { provider, seen } = issuer((_, at) => ({
        life: "15 minutes",
        latency: "2 seconds",
        fails: at >= 3_000_000 && at < 3_240_000
      }))
      // The emulator looks up a key for each request, so keys can be added later.
      const issued: Array<Emulator.Key> = []
      const recorded = Effect.tap(provider, (keys) => Effect.sync(() => issued.push(keys)))
      const client = (credentials: Layer.Layer<Credentials.Credentials>) =>
        Effect.map(
          Layer.build(GlacierClient.layer.pipe(
            Layer.provide(Emulator.layerHttpClient),
            Layer.provide(credentials),
            Layer.provide(Endpoint.layer({ region: "us-east-1" })),
            Layer.provide(RetryPolicy.layer(RetryPolicy.none))
          )),
          Context.get(GlacierClient.GlacierClient)
        )
      yield* Effect.gen(function*() {
        const glacier = yield* client(Credentials.layerEffect(recorded))
        expect(yield* busy(glacier.listVaults({}), "7 minutes", "6 hours", 8)).toBe(0)
        const old = yield* client(Credentials.layer(issued[0]!))
        expect((yield* Effect.flip(old.listVaults({})))._tag).toBe("ExpiredToken")
      }).pipe(Effect.provide(Emulator.layerMemory({ keys: issued })), Effect.provide(NodeHashing.layer))
      expect(seen.issued.length).toBeGreaterThan(20)
      expect(seen.most).toBe(1)
    }).pipe(inVirtualTime), 60_000)
})
