/** A program never waits silently: each long wait is reported once, with its cause and without any description. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Bandwidth from "../../src/policy/Bandwidth.ts"
import * as RatePolicy from "../../src/policy/RatePolicy.ts"
import * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Destination from "../../src/services/Destination.ts"
import * as JobWaiting from "../../src/services/JobWaiting.ts"
import * as RetrievalPlan from "../../src/services/RetrievalPlan.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as Progress from "../../src/transfer/Progress.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import { storeAll } from "../services/many.ts"
import { layer } from "../services/support.ts"
import { inVirtualTime, inVirtualTimeWithFiles } from "../support/virtualClock.ts"
import { address, type Change, lost, mebibyte, pattern } from "../transfer/support.ts"
import { errorResponseOf, keys, over, type Respond, respondWith, responseOf, script } from "../transport/support.ts"
import {
  client,
  described,
  expectOneAMinute,
  failing,
  hour,
  listed,
  longest,
  minute,
  noVaults,
  texts,
  throttled,
  together,
  uploaded,
  watched
} from "./longWaits.ts"

describe("An endpoint that cannot be reached", () => {
  it.effect.each(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "UND_ERR_CONNECT_TIMEOUT"])(
    "ends an upload after 2 minutes, with a warning at the first retry and then once a minute (%s)",
    (code) =>
      Effect.gen(function*() {
        const { end, lines, result } = yield* watched(longest(Effect.provide(uploaded, client(failing(code)))))
        expect(result).toMatchObject({ left: { _tag: "ConnectionError", sent: false, unreachable: true } })
        expect(end).toBeGreaterThan(minute)
        expect(end).toBeLessThanOrEqual(2 * minute)
        expect(lines[0]).toEqual({
          at: 0,
          level: "WARN",
          text: "InitiateMultipartUpload of vault photos failed with ConnectionError: Transport error: " +
            `connect ${code} 127.0.0.1:9. Attempt 2 starts in 500ms`
        })
        expect(lines).toHaveLength(2)
        expectOneAMinute(lines)
      })
  )

  it.effect("is retried for half an hour once any request of the client has reached it", () =>
    Effect.gen(function*() {
      const respond: Respond = (_, attempt) =>
        attempt === 1 ? noVaults(_, attempt) : failing("ECONNREFUSED")(_, attempt)
      const { end, lines, result } = yield* watched(
        Effect.provide(Effect.zipRight(listed, uploaded), client(respond))
      )
      expect(result).toMatchObject({ left: { _tag: "ConnectionError", sent: false, unreachable: false } })
      expect(end).toBeGreaterThan(29 * minute)
      expect(lines.length).toBeGreaterThan(20)
      expectOneAMinute(lines)
    }))

  it.effect("does not end an upload when it is unreachable for 20 minutes in between", () => {
    let parts = 0
    const change: Change = (send, request) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const isPart = request.method === "PUT" && request.url.includes("/multipart-uploads/")
        if (isPart) parts++
        return isPart && parts > 1 && now < 20 * minute ? lost(request) : send
      })
    return Effect.gen(function*() {
      const { end, result } = yield* watched(Effect.provide(uploaded, layer(change)))
      expect(result).toMatchObject({ right: { parts: 3 } })
      expect(end).toBeGreaterThanOrEqual(20 * minute)
    })
  })

  it.effect("ends hundreds of calls after 2 minutes, with 2 warnings for all of them", () =>
    Effect.gen(function*() {
      const calls = together(200, Effect.provideService(described, RetryPolicy.RetryPolicy, RetryPolicy.patient))
      const { end, lines } = yield* watched(Effect.provide(calls, client(failing("ECONNREFUSED"))))
      expect(end).toBeLessThanOrEqual(2 * minute)
      expect(lines).toHaveLength(2)
    }))
})

describe("Retries", () => {
  it.effect("are logged with its operation, its vault, the error and when the next attempt starts", () =>
    Effect.gen(function*() {
      const { lines } = yield* watched(longest(Effect.provide(described, client(throttled))))
      expect(texts(lines)).toEqual([
        "0 WARN DescribeVault of vault photos failed with Throttling: Rate exceeded. Attempt 2 starts in 1s"
      ])
    }))

  it.effect("say that the next attempt starts now when there is no delay", () =>
    Effect.gen(function*() {
      const { lines } = yield* watched(
        Effect.withRandom(Effect.provide(described, client(throttled)), Random.fixed([0]))
      )
      expect(texts(lines)).toEqual([
        "0 WARN DescribeVault of vault photos failed with Throttling: Rate exceeded. Attempt 2 starts now"
      ])
    }))

  it.effect("are logged once a minute for a hundred calls at once", () =>
    Effect.gen(function*() {
      const policy = RetryPolicy.layer(RetryPolicy.within(RetryPolicy.patient, "3 minutes"))
      const { end, lines } = yield* watched(Effect.provide(together(100, described), client(throttled, policy)))
      expect(end).toBeGreaterThan(2 * minute)
      expect(lines).toHaveLength(3)
      expectOneAMinute(lines)
    }))

  it.effect("are logged during a wait that the response asks for, even shortly after another warning", () =>
    Effect.gen(function*() {
      const busy = () => responseOf(503, null, { "retry-after": "600" })
      const { lines } = yield* watched(
        longest(Effect.provide(
          Effect.provideService(described, RetryPolicy.RetryPolicy, RetryPolicy.attempts(RetryPolicy.patient, 3)),
          client(respondWith(() => errorResponseOf(400, "ThrottlingException", "Rate exceeded"), busy))
        ))
      )
      expect(texts(lines)).toEqual([
        "0 WARN DescribeVault of vault photos failed with Throttling: Rate exceeded. Attempt 2 starts in 1s",
        "60 WARN DescribeVault of vault photos failed with UnknownServiceError: HTTP status 503. Attempt 3 starts in 9m 1s"
      ])
    }))

  it.effect("are not logged twice when the policy logs them itself", () =>
    Effect.gen(function*() {
      const policy = RetryPolicy.layer(RetryPolicy.log(RetryPolicy.standard))
      const { lines } = yield* watched(Effect.provide(described, client(throttled, policy)))
      expect(lines.map(({ text }) => text)).toEqual(
        ["it will be retried", "it will be retried", "it will not be retried"].map((end) =>
          expect.stringContaining(`Glacier call failed: ${end}`)
        )
      )
    }))

  it.effect("are logged in one line, without the description of the archive", () =>
    Effect.gen(function*() {
      const page = respondWith(() => responseOf(502, `<html>\n\n  <h1>Bad\tGateway</h1>${"x".repeat(1_000)}</html>`))
      const { lines } = yield* watched(Effect.provide(uploaded, client(page)))
      expect(lines.length).toBeGreaterThan(0)
      for (const { text } of lines) {
        expect(text).toMatch(
          /^InitiateMultipartUpload of vault photos failed with UnknownServiceError: <html> <h1>Bad G/
        )
        expect(text).not.toMatch(/diary|\s\s|[\n\t]/)
        expect(text.length).toBeLessThan(500)
      }
    }))
})

describe("A long wait", () => {
  it.effect("for the rate is logged once for all requests that wait", () =>
    Effect.gen(function*() {
      const slow = RatePolicy.layerWith({ requestsPerSecond: 0.1 })
      const { end, lines } = yield* watched(Effect.provide(together(5, listed), client(noVaults, slow)))
      expect(end).toBe(40_000)
      expect(texts(lines)).toEqual([
        "5 WARN ListVaults waits: the RatePolicy in use does not permit the request yet"
      ])
    }))

  it.effect("for the rate is not logged when it is short", () =>
    Effect.gen(function*() {
      const quick = RatePolicy.layerWith({ requestsPerSecond: 10 })
      const { lines } = yield* watched(Effect.provide(together(40, listed), client(noVaults, quick)))
      expect(lines).toEqual([])
    }))

  it.effect("for bandwidth is logged with the limit", () =>
    Effect.gen(function*() {
      const { lines } = yield* watched(Effect.flatMap(
        Bandwidth.make({ down: 1 }),
        ({ down }) => Effect.all(Array.from({ length: 8 }, () => down?.take(1) ?? Effect.void), { concurrency: 8 })
      ))
      expect(texts(lines)).toContain(
        "0 WARN A transfer waits because Bandwidth is limited to 1 byte per second. It continues in 6s"
      )
    }))

  it.effect("for credentials is logged once for all calls", () =>
    Effect.gen(function*() {
      const provider = Credentials.layerEffect(Effect.delay(Effect.succeed(keys), "20 seconds"))
      const calls = Effect.provide(together(100, listed), over(script(noVaults).http, { credentials: provider }))
      const { end, lines } = yield* watched(calls)
      expect(end).toBe(20_000)
      expect(texts(lines)).toEqual([
        "5 WARN The provider of credentials has not responded yet. The limit is 5m"
      ])
    }))

  it.effect("for the budget is logged with its remaining bytes and the time until there is room", () =>
    Effect.gen(function*() {
      const budget = RetrievalBudget.layerWith({ bytesPerHour: 100 })
      const spends = Effect.flatMap(
        RetrievalBudget.RetrievalBudget,
        ({ spend }) => together(2, spend({ bytes: 60 }, Effect.void))
      )
      const { end, lines } = yield* watched(
        Effect.provide(spends, Layer.provide(budget, KeyValueStore.layerMemory))
      )
      expect(end).toBe(hour)
      expect(texts(lines)).toEqual([
        "0 WARN A retrieval of 60 bytes waits: the RetrievalBudget has 40 bytes left of its bytesPerHour of 100. " +
        "There is room in 1h"
      ])
    }))

  const retrieved = Effect.gen(function*() {
    const vault = yield* Vault.Vault
    const [archive] = yield* storeAll(["the diary of 2012"], () => 10)
    const job = yield* vault.retrieveArchive(archive?.archiveId ?? "")
    yield* job.wait()
    return job.id
  })

  it.effect.each<readonly [how: string, waiting: Layer.Layer<never>]>([
    ["its own poll", JobWaiting.layer(JobWaiting.polling())],
    ["a shared poll", JobWaiting.layerShared()]
  ])(
    "for a job with %s is logged with the usual end of such jobs and the next poll",
    ([, waiting]) =>
      Effect.gen(function*() {
        const { end, lines, result } = yield* watched(Effect.provide(retrieved, waiting).pipe(Effect.provide(layer())))
        expect(end).toBeGreaterThanOrEqual(4 * hour)
        const id = result._tag === "Right" ? result.right : ""
        expect(texts(lines).map((text) => text.replace(id, "ID"))).toEqual([
          expect.stringMatching(
            /^5 WARN Job ID of vault photos is in progress since 1970-01-01T00:00:00.000Z. Standard jobs usually take 3 to 5 hours. The next poll is at 1970-01-01T00:0\d:\d\d.\d{3}Z$/
          )
        ])
      })
  )

  it.effect("for a job is logged once for a hundred jobs of a vault", () =>
    Effect.gen(function*() {
      const jobs = Effect.flatMap(Vault.Vault, (vault) =>
        Effect.flatMap(
          storeAll(["a"], () => 10),
          ([archive]) =>
            together(
              100,
              Effect.flatMap(vault.retrieveArchive(archive?.archiveId ?? ""), (job) => job.wait())
            )
        ))
      const { lines } = yield* watched(Effect.provide(jobs, layer()))
      expect(lines).toHaveLength(1)
    }))

  it.effect("for a notification that never comes is logged when the job has ended", () =>
    Effect.gen(function*() {
      const waiting = Layer.provide(
        JobWaiting.layerNotified(Stream.never),
        JobWaiting.layer(JobWaiting.polling(Schedule.spaced("30 minutes")))
      )
      const { lines } = yield* watched(
        retrieved.pipe(Effect.provide(waiting), Effect.provide(layer(undefined, { jobDelay: "70 minutes" })))
      )
      expect(texts(lines).slice(1)).toEqual([
        expect.stringMatching(
          /^5400 WARN Job \S+ of vault photos ended at 1970-01-01T01:10:00.000Z, but no message said so. Check that its topic/
        )
      ])
    }))
})

describe("Progress", () => {
  it.effect("of an upload reports its long waits", () =>
    Effect.gen(function*() {
      const waits: Array<Progress.Event> = []
      const onProgress: Progress.OnProgress = (event) =>
        Effect.sync(() => void (Progress.Event.$is("Waiting")(event) && waits.push(event)))
      const slow = RatePolicy.layerWith({ requestsPerSecond: 0.1 })
      yield* Upload.upload(address, Source.bytes(pattern(2 * mebibyte)), { partSize: mebibyte, onProgress }).pipe(
        Effect.provide(Layer.merge(layer(), slow)),
        inVirtualTime
      )
      expect(waits).toMatchObject(
        ["UploadMultipartPart", "UploadMultipartPart", "CompleteMultipartUpload"].map((operation) => ({
          reason: "rate",
          message: expect.stringContaining(`${operation} of vault photos waits`),
          total: Option.some(2 * mebibyte)
        }))
      )
    }))

  it.effect("of many retrievals reports the waits for their jobs", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const waits: Array<Progress.Event> = []
      const onProgress: Progress.OnProgress = (event) =>
        Effect.sync(() => void (Progress.Event.$is("Waiting")(event) && waits.push(event)))
      const { lines } = yield* watched(
        Effect.gen(function*() {
          const archives = yield* storeAll(["a", "b"], () => 10)
          const plan = yield* RetrievalPlan.make("plan", Stream.fromIterable(archives))
          yield* Stream.runDrain(RetrievalPlan.run(plan, yield* Destination.directory(directory), { onProgress }))
        }).pipe(Effect.provide(Layer.merge(layer(), Checkpoint.layerMemory))),
        inVirtualTimeWithFiles
      )
      expect(waits).toMatchObject([0, 1].map(() => ({ reason: "job", bytes: 0, total: Option.some(20) })))
      expect(lines).toHaveLength(1)
    }).pipe(Effect.scoped, Effect.provide(NodeContext.layer)))
})
