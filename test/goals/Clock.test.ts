import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as RatePolicy from "../../src/policy/RatePolicy.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Timeouts from "../../src/policy/Timeouts.ts"
import { Transport } from "../../src/transport/Transport.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { welcome, welcomeHash } from "../transport/calls.ts"
import { over, responseOf, scripted } from "../transport/support.ts"
import type { Options } from "../transport/support.ts"

const vault = { vaultName: "photos" }
const minute = Duration.toMillis("1 minute")
const hour = 60 * minute

/** A clock that is ahead of another one. */
const ahead = (clock: Clock.Clock, millis: () => number): Clock.Clock => ({
  ...clock,
  unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + millis(),
  currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + millis())
})

interface Way {
  /** By how many milliseconds this machine's clock is ahead of the service's, at a time. */
  readonly wrong?: () => number
  /** How long the n-th part is on its way. */
  readonly delay?: (part: number) => Duration.DurationInput
  /** Whether the response to a request is lost. */
  readonly loses?: (response: HttpClientResponse.HttpClientResponse) => boolean
}

/** A client, the emulator it talks to on a clock of its own, and how many requests and parts that has got. */
const emulated = ({ delay = () => 0, loses = () => false, wrong = () => 0 }: Way, options: Options = {}) =>
  Effect.gen(function*() {
    const seen = { requests: 0, parts: 0 }
    // So that no clock shows a time before 1970.
    yield* Effect.sleep("1 day")
    const way = Effect.map(
      HttpClient.HttpClient,
      (http) =>
        HttpClient.transform(http, (answered, request) =>
          Effect.gen(function*() {
            const { method, url } = request
            seen.requests++
            if (method === "PUT" && url.includes("/multipart-uploads/")) {
              yield* Effect.sleep(delay(++seen.parts))
            }
            const clock = yield* Effect.clock
            const response = yield* Effect.withClock(answered, ahead(clock, () => -wrong()))
            return loses(response)
              ? yield* new HttpClientError.RequestError({ request, reason: "Transport" })
              : response
          }))
    )
    const http = Layer.effect(HttpClient.HttpClient, way).pipe(
      Layer.provide(Emulator.layerHttpClient),
      Layer.provide(Emulator.layerMemory())
    )
    const policies = RetryPolicy.layer(RetryPolicy.standard)
    return { seen, context: yield* Layer.build(over(http, { policies, ...options })) }
  })

const ask = (context: Context.Context<GlacierClient.GlacierClient>) =>
  Context.get(context, GlacierClient.GlacierClient).listVaults({})

describe("A clock that is wrong", () => {
  it.scoped.each([-60, 60, -10, 10, -6, 6])(
    "by %i minutes costs the first call one attempt, and no other [S3]",
    (off) =>
      Effect.gen(function*() {
        const { context, seen } = yield* emulated({ wrong: () => off * minute })
        yield* ask(context)
        expect(seen.requests).toBe(2)
        for (let calls = 0; calls < 50; calls++) yield* ask(context)
        expect(seen.requests).toBe(52)
        const service = (yield* Clock.currentTimeMillis) - off * minute
        // The service tells whole seconds.
        expect(Math.abs((yield* Context.get(context, Transport).time) - service)).toBeLessThanOrEqual(1_000)
      }).pipe(inVirtualTime)
  )

  it.scoped.each([-2, 2, -3, 3])("by %i minutes costs nothing [S3]", (off) =>
    Effect.gen(function*() {
      const { context, seen } = yield* emulated({ wrong: () => off * minute })
      for (let calls = 0; calls < 10; calls++) yield* ask(context)
      expect(seen.requests).toBe(10)
      expect(yield* Context.get(context, Transport).time).toBe(yield* Clock.currentTimeMillis)
    }).pipe(inVirtualTime))

  it.scoped("costs each of 32 first calls at once one attempt [S3]", () =>
    Effect.gen(function*() {
      const { context, seen } = yield* emulated({ wrong: () => hour })
      yield* Effect.replicateEffect(ask(context), 32, { concurrency: "unbounded" })
      expect(seen.requests).toBe(64)
      yield* Effect.replicateEffect(ask(context), 32, { concurrency: "unbounded" })
      expect(seen.requests).toBe(96)
    }).pipe(inVirtualTime))

  it.scoped("and is then put right costs one attempt again [S3]", () =>
    Effect.gen(function*() {
      let off = hour
      const { context, seen } = yield* emulated({ wrong: () => off })
      yield* ask(context)
      off = 0
      yield* ask(context)
      expect(seen.requests).toBe(4)
      yield* ask(context)
      expect(seen.requests).toBe(5)
    }).pipe(inVirtualTime))

  it.scoped("does not hide a wrong secret [S3]", () =>
    Effect.gen(function*() {
      const { accessKeyId } = Emulator.defaultKey
      const keys = { accessKeyId, secretAccessKey: Redacted.make("another") }
      const { context, seen } = yield* emulated({ wrong: () => hour }, { keys })
      expect(yield* Effect.flip(ask(context))).toMatchObject({ _tag: "InvalidSignature", because: undefined })
      expect(seen.requests).toBe(2)
    }).pipe(inVirtualTime))
})

describe("A job whose response was lost", () => {
  it.scoped.each([
    { wrong: "all the time by 3 minutes", off: { first: 3, then: 3, last: 3 } },
    { wrong: "all the time by -3 minutes", off: { first: -3, then: -3, last: -3 } },
    { wrong: "since just before the call by an hour", off: { first: 0, then: 60, last: 60 } },
    { wrong: "since just before the call by -1 hour", off: { first: 0, then: -60, last: -60 } },
    { wrong: "since the response was lost by an hour", off: { first: 0, then: 0, last: 60 } },
    { wrong: "since the response was lost by -1 hour", off: { first: 0, then: 0, last: -60 } },
    { wrong: "until just before the call by an hour", off: { first: 60, then: 0, last: 0 } },
    { wrong: "until the response was lost by 2 minutes, then by -2", off: { first: 2, then: 2, last: -2 } }
  ])(
    "is found although the clock is wrong $wrong, so that no second one is paid for",
    ({ off: { first, last, then } }) =>
      Effect.gen(function*() {
        let off = first
        let lost = false
        const { context } = yield* emulated({
          wrong: () => off * minute,
          loses: ({ request: { method, url }, status }) => {
            if (lost || method !== "POST" || !url.endsWith("/jobs") || status !== 202) return false
            off = last
            return lost = true
          }
        })
        const clock = yield* Effect.clock
        yield* Effect.gen(function*() {
          const glacier = Context.get(context, GlacierClient.GlacierClient)
          yield* glacier.createVault(vault)
          const hashes = { contentSha256: welcomeHash, treeHash: welcomeHash }
          const { archiveId } = yield* glacier.uploadArchive({ ...vault, ...hashes, body: welcome })
          off = then
          const { jobId } = yield* glacier.initiateJob({
            ...vault,
            parameters: { type: "archive-retrieval", archiveId, description: "of the caller" }
          })
          const { jobs } = yield* glacier.listJobs(vault)
          expect(lost).toBe(true)
          expect(jobs.map((job) => job.jobId)).toEqual([jobId])
        }).pipe(Effect.withClock(ahead(clock, () => off * minute)))
      }).pipe(inVirtualTime)
  )
})

/** A refusal by a service that is an hour ahead. */
const anHourAhead = (headers: Readonly<Record<string, string>> = {}) =>
  Effect.map(
    Clock.currentTimeMillis,
    (now) =>
      responseOf(
        403,
        JSON.stringify({ code: "InvalidSignatureException", message: "Signature expired", type: "Client" }),
        {
          date: new Date(now + hour).toUTCString(),
          ...headers
        }
      )
  )

describe("The time of a respond", () => {
  const policies = Layer.merge(
    RetryPolicy.layer(RetryPolicy.standard),
    Timeouts.layerWith({ response: Duration.minutes(30) })
  )
  /** What a call ends with; and for each attempt how many hours its signature was ahead of this machine's clock. */
  const of = (respond: Parameters<typeof scripted>[0]) =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(respond, { policies })
      const error = yield* Effect.flip(glacier.listVaults({}))
      const ahead = sent.map(({ at, headers }) => {
        const [, day = "", time = ""] = /^(\d{8})T(\d{6})Z$/.exec(headers["x-amz-date"] ?? "") ?? []
        const date = `${day.replace(/(..)(..)$/, "-$1-$2")}T${time.replace(/(..)(..)$/, ":$1:$2")}Z`
        return Math.round((Date.parse(date) - at) / hour) + 0
      })
      return { ahead, because: error._tag === "InvalidSignature" ? error.because : error._tag }
    }).pipe(inVirtualTime)

  it.effect("is believed [S3]", () =>
    Effect.gen(function*() {
      expect(yield* of(() => anHourAhead())).toEqual({ ahead: [0, 1], because: undefined })
    }))

  it.effect("is ignored when a cache has answered [S3]", () =>
    Effect.gen(function*() {
      expect(yield* of(() => anHourAhead({ age: "10" }))).toEqual({ ahead: [0], because: undefined })
    }))

  it.effect("is believed when it took 14 minutes, not so when it took 16 [S3]", () =>
    Effect.gen(function*() {
      const late = (time: Duration.DurationInput) =>
        of((_, attempt) => attempt === 1 ? Effect.delay(anHourAhead(), time) : Effect.succeed(responseOf(500)))
      expect(yield* late("14 minutes")).toEqual({ ahead: [0, 1, 1], because: "UnknownServiceError" })
      expect(yield* late("16 minutes")).toEqual({ ahead: [0, 0, 0], because: "UnknownServiceError" })
    }))
})

describe("A part", () => {
  const policies = Layer.merge(
    RetryPolicy.layer(RetryPolicy.standard),
    Timeouts.layerWith({ upload: Duration.minutes(15) })
  )

  /** A part is uploaded over that way: what comes of it, how often it was sent, and how many parts there are then. */
  const uploading = (delay: Way["delay"] & object) =>
    Effect.gen(function*() {
      const { context, seen } = yield* emulated({ delay }, { policies })
      const glacier = Context.get(context, GlacierClient.GlacierClient)
      yield* glacier.createVault(vault)
      const { uploadId } = yield* glacier.initiateMultipartUpload({ ...vault, partSize: 1_048_576 })
      const result = yield* Effect.either(glacier.uploadMultipartPart({
        ...vault,
        uploadId,
        range: { start: 0, end: welcome.length - 1 },
        contentSha256: welcomeHash,
        treeHash: welcomeHash,
        body: welcome
      }))
      const { parts } = yield* glacier.listParts({ ...vault, uploadId })
      return { sent: seen.parts, parts: parts.length, error: Either.isLeft(result) ? result.left : undefined }
    }).pipe(Effect.scoped, inVirtualTime)

  it.effect("whose signature got too old on the way is signed again and sent again [S4]", () =>
    Effect.gen(function*() {
      const twice = yield* uploading((part) => part <= 2 ? "6 minutes" : "1 minute")
      expect(twice).toEqual({ sent: 3, parts: 1, error: undefined })
    }))

  it.effect("that is always too slow is given up after the attempts of the policy [S4]", () =>
    Effect.gen(function*() {
      const always = yield* uploading(() => "6 minutes")
      expect(always).toMatchObject({ sent: 3, parts: 0, error: { _tag: "InvalidSignature", because: "slow" } })
    }))

  it.effect("that takes less than 5 minutes is not refused [S4]", () =>
    Effect.gen(function*() {
      expect(yield* uploading(() => "290 seconds")).toEqual({ sent: 1, parts: 1, error: undefined })
    }))

  it.effect("on its way while the clock is put back is refused for the clock, not for being slow [S4]", () =>
    Effect.gen(function*() {
      let off = 0
      const seen: Array<string> = []
      const { glacier, sent } = yield* scripted(
        (_, n) =>
          Effect.gen(function*() {
            yield* Effect.sleep(n === 1 ? "6 minutes" : 0)
            off = hour
            return yield* anHourAhead()
          }),
        {
          policies: Layer.merge(
            Timeouts.layerWith({ response: Duration.minutes(15) }),
            RetryPolicy.layer(RetryPolicy.when(RetryPolicy.standard, (error) => {
              seen.push(error._tag === "InvalidSignature" ? String(error.because) : error._tag)
              return true
            }))
          )
        }
      )
      yield* Effect.flip(glacier.listVaults({}))
      expect([off, sent.length, seen]).toEqual([hour, 2, ["clock"]])
    }).pipe(inVirtualTime))

  it.effect("is signed when its turn has come, however long it waited [S4]", () =>
    Effect.gen(function*() {
      const { glacier, sent } = yield* scripted(
        () => Effect.succeed(responseOf(200, JSON.stringify({ VaultList: [] }))),
        {
          policies: Layer.orDie(RatePolicy.layerWith({ requestsPerSecond: 1 / 600 }))
        }
      )
      yield* Effect.replicateEffect(glacier.listVaults({}), 4, { concurrency: "unbounded" })
      expect(sent.map(({ at }) => at)).toEqual([0, 600_000, 1_200_000, 1_800_000])
      expect(sent.map(({ headers }) => headers["x-amz-date"])).toEqual(
        [0, 10, 20, 30].map((minutes) => `19700101T00${String(minutes).padStart(2, "0")}00Z`)
      )
    }).pipe(inVirtualTime))
})
