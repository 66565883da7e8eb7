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
import { responseOf, scripted } from "../transport/support.ts"
import { ahead, ask, emulated, hour, minute, type Network, vault } from "./wrongClocks.ts"

describe("A wrong clock", () => {
  it.scoped.each([-60, 60, -10, 10, -6, 6])(
    "off by %i minutes costs 1 attempt of the first call, and none of the later calls [S3]",
    (off) =>
      Effect.gen(function*() {
        const { context, seen } = yield* emulated({ wrong: () => off * minute })
        yield* ask(context)
        expect(seen.requests).toBe(2)
        for (let calls = 0; calls < 50; calls++) yield* ask(context)
        expect(seen.requests).toBe(52)
        const service = (yield* Clock.currentTimeMillis) - off * minute
        // The service's dates have whole seconds.
        expect(Math.abs((yield* Context.get(context, Transport).time) - service)).toBeLessThanOrEqual(1_000)
      }).pipe(inVirtualTime)
  )

  it.scoped.each([-2, 2, -3, 3])("off by %i minutes costs no attempt [S3]", (off) =>
    Effect.gen(function*() {
      const { context, seen } = yield* emulated({ wrong: () => off * minute })
      for (let calls = 0; calls < 10; calls++) yield* ask(context)
      expect(seen.requests).toBe(10)
      expect(yield* Context.get(context, Transport).time).toBe(yield* Clock.currentTimeMillis)
    }).pipe(inVirtualTime))

  it.scoped("costs 1 attempt of each of 32 first calls at once [S3]", () =>
    Effect.gen(function*() {
      const { context, seen } = yield* emulated({ wrong: () => hour })
      yield* Effect.replicateEffect(ask(context), 32, { concurrency: "unbounded" })
      expect(seen.requests).toBe(64)
      yield* Effect.replicateEffect(ask(context), 32, { concurrency: "unbounded" })
      expect(seen.requests).toBe(96)
    }).pipe(inVirtualTime))

  it.scoped("costs 1 attempt again when it is corrected [S3]", () =>
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

  it.scoped("does not hide a wrong secret key [S3]", () =>
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
    { wrong: "by 3 minutes all the time", off: { first: 3, then: 3, last: 3 } },
    { wrong: "by -3 minutes all the time", off: { first: -3, then: -3, last: -3 } },
    { wrong: "by an hour since just before the call", off: { first: 0, then: 60, last: 60 } },
    { wrong: "by -1 hour since just before the call", off: { first: 0, then: -60, last: -60 } },
    { wrong: "by an hour since the response was lost", off: { first: 0, then: 0, last: 60 } },
    { wrong: "by -1 hour since the response was lost", off: { first: 0, then: 0, last: -60 } },
    { wrong: "by an hour until just before the call", off: { first: 60, then: 0, last: 0 } },
    { wrong: "by 2 minutes until the response was lost, then by -2", off: { first: 2, then: 2, last: -2 } }
  ])(
    "is found when the clock is wrong $wrong, so no second job is started",
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
            parameters: { type: "archive-retrieval", archiveId, description: "weekly" }
          })
          const { jobs } = yield* glacier.listJobs(vault)
          expect(lost).toBe(true)
          expect(jobs.map((job) => job.jobId)).toEqual([jobId])
        }).pipe(Effect.withClock(ahead(clock, () => off * minute)))
      }).pipe(inVirtualTime)
  )
})

/** A rejection by a service whose clock is an hour ahead. */
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

describe("The date of a response", () => {
  const policies = Layer.merge(
    RetryPolicy.layer(RetryPolicy.standard),
    Timeouts.layerWith({ response: Duration.minutes(30) })
  )
  /** Returns the error of a call, and for each attempt the hours by which its signature was ahead of the client's clock. */
  const aheadOf = (respond: Parameters<typeof scripted>[0]) =>
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

  it.effect("corrects the time of the next signature [S3]", () =>
    Effect.gen(function*() {
      expect(yield* aheadOf(() => anHourAhead())).toEqual({ ahead: [0, 1], because: undefined })
    }))

  it.effect("is ignored when the response comes from a cache [S3]", () =>
    Effect.gen(function*() {
      expect(yield* aheadOf(() => anHourAhead({ age: "10" }))).toEqual({ ahead: [0], because: undefined })
    }))

  it.effect("is used when the response took 14 minutes, but not when it took 16 [S3]", () =>
    Effect.gen(function*() {
      const late = (time: Duration.DurationInput) =>
        aheadOf((_, attempt) => attempt === 1 ? Effect.delay(anHourAhead(), time) : Effect.succeed(responseOf(500)))
      expect(yield* late("14 minutes")).toEqual({ ahead: [0, 1, 1], because: "UnknownServiceError" })
      expect(yield* late("16 minutes")).toEqual({ ahead: [0, 0, 0], because: "UnknownServiceError" })
    }))
})

describe("A part", () => {
  const policies = Layer.merge(
    RetryPolicy.layer(RetryPolicy.standard),
    Timeouts.layerWith({ upload: Duration.minutes(15) })
  )

  /** Uploads a part over a slow network. Returns its error, how often it was sent, and how many parts are stored. */
  const uploading = (delay: Network["delay"] & object) =>
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

  it.effect("whose signature expires in transit is signed and sent again [S4]", () =>
    Effect.gen(function*() {
      const twice = yield* uploading((part) => part <= 2 ? "6 minutes" : "1 minute")
      expect(twice).toEqual({ sent: 3, parts: 1, error: undefined })
    }))

  it.effect("that is always too slow fails after the attempts of the policy [S4]", () =>
    Effect.gen(function*() {
      const always = yield* uploading(() => "6 minutes")
      expect(always).toMatchObject({ sent: 3, parts: 0, error: { _tag: "InvalidSignature", because: "slow" } })
    }))

  it.effect("that takes less than 5 minutes is accepted [S4]", () =>
    Effect.gen(function*() {
      expect(yield* uploading(() => "290 seconds")).toEqual({ sent: 1, parts: 1, error: undefined })
    }))

  it.effect("in transit while the clock is set back is rejected because of the clock, not of its speed [S4]", () =>
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

  it.effect("is signed after its wait for the rate, however long that takes [S4]", () =>
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
