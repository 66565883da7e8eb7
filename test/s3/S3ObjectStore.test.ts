/** The policies, signatures and errors of `S3ObjectStore`. */
import { HttpClient, HttpClientError, HttpClientResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Deferred, Duration, Effect, Fiber, Layer, Logger, Option, Redacted, Schedule } from "effect"
import { Hash } from "node:crypto"
import { afterEach, vi } from "vitest"
import { Bandwidth, RatePolicy, RetryPolicy, Timeouts } from "../../src/index.ts"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import { ObjectStore, S3ObjectStore } from "../../src/s3/index.ts"
import { recordingTracer } from "../support/recordingTracer.ts"
import { inVirtualTimeWithFiles } from "../support/virtualClock.ts"
import { bodyOf, collect } from "./conformance.ts"
import * as FakeS3 from "./fakeS3.ts"

const keys = {
  accessKeyId: "key",
  secretAccessKey: Redacted.make("s3cr3t/of/30+characters/or/more"),
  sessionToken: Redacted.make("FwoGZXIvYXdz//t0ken+more")
}

const options = { bucket: "bucket", region: "eu-west-1", endpoint: "http://fake", pathStyle: true, keys }

const keep = { replace: false }

const body = bodyOf(new TextEncoder().encode("some bytes"))

const object = { key: "a.txt", metadata: {} }

interface Script {
  /** The outcomes of the first requests, instead of the response of the fake. */
  readonly outcomes?: ReadonlyArray<
    ((request: FakeS3.Request, handle: FakeS3.Outcome & FakeS3.Response) => FakeS3.Outcome) | undefined
  >
  readonly options?: Partial<S3ObjectStore.Options>
  readonly features?: FakeS3.Features
}

/** A store over a fake, whose first requests go as a script says, with a list of all requests. */
const scripted = ({ features = {}, outcomes = [], ...more }: Script = {}) => {
  const fake = FakeS3.make(features)
  const requests: Array<FakeS3.Request & { readonly operation: string; readonly at: number }> = []
  const http = Effect.map(Effect.clock, (clock) =>
    FakeS3.clientOf((request) => {
      const outcome = outcomes[requests.length]
      requests.push({ ...request, operation: FakeS3.operationOf(request), at: clock.unsafeCurrentTimeMillis() })
      const response = fake.handle(request)
      return outcome === undefined ? response : outcome(request, response)
    }))
  const layer = Layer.provide(
    S3ObjectStore.layer({ ...options, ...more.options }),
    Layer.effect(HttpClient.HttpClient, http)
  )
  return { ...fake, requests, layer }
}

const rejected = (status: number, code: string, message?: string) => () => FakeS3.reject(status, code, message)

const brokenConnection = () => Effect.fail(new FakeS3.Broken({ message: "the connection broke" }))

/** Runs an effect over a store in virtual time. Returns its result and how long it took. */
const over = <A, E>({ layer }: ReturnType<typeof scripted>, effect: Effect.Effect<A, E, ObjectStore.ObjectStore>) =>
  Effect.timed(effect).pipe(
    Effect.map(([time, value]) => ({ value, seconds: Duration.toSeconds(time) })),
    Effect.provide(layer),
    inVirtualTimeWithFiles
  )

const { begin, complete, head, part, put } = Effect.serviceFunctions(ObjectStore.ObjectStore)

const getting = (start: number, length: number) =>
  Effect.flatMap(ObjectStore.ObjectStore, ({ get }) => collect(get("a.txt", ByteRange.make(start, length))))

/** A policy that retries at once, with this many attempts. */
const attempts = (count: number) => RetryPolicy.fromSchedule(Schedule.recurs(count - 1))

describe("A call of an object store", () => {
  it.effect.each<[failure: string, retry: string, FakeS3.Outcome]>([
    ["SlowDown", "throttle", FakeS3.reject(503, "SlowDown")],
    ["ServiceUnavailable", "throttle", FakeS3.reject(503, "ServiceUnavailable")],
    ["status 429", "throttle", FakeS3.reject(429, "TooManyRequests")],
    ["InternalError", "transient", FakeS3.reject(500, "InternalError")],
    ["RequestTimeout", "transient", FakeS3.reject(400, "RequestTimeout")],
    ["ConditionalRequestConflict", "transient", FakeS3.reject(409, "ConditionalRequestConflict")],
    ["a wrong clock", "clock", FakeS3.reject(403, "RequestTimeTooSkewed")],
    ["the page of a proxy", "transient", FakeS3.reply(502, "<html><body>Bad gateway</body></html>")],
    ["an empty error", "transient", FakeS3.reply(503)],
    ["a broken connection", "transient", brokenConnection()]
  ])("is repeated after %s, which is of class %s", ([, retry, outcome]) =>
    Effect.gen(function*() {
      const store = scripted({ outcomes: [() => outcome] })
      const retried: Array<RetryPolicy.Retry> = []
      yield* over(
        store,
        Effect.provideService(put(object, body, { replace: true }), RetryPolicy.OnRetry, (one) =>
          Effect.sync(() =>
            retried.push(one)
          ))
      )
      expect(store.requests.map(({ operation }) => operation)).toEqual(["PutObject", "PutObject"])
      expect(retried).toMatchObject([{ operation: "PutObject", error: { retry } }])
    }))

  it.effect("fails at once with the code and the text of the store when a retry cannot help", () =>
    Effect.gen(function*() {
      const store = scripted({ outcomes: [rejected(403, "AccessDenied", "Not for you")] })
      const { value } = yield* over(store, Effect.flip(put(object, body, keep)))
      expect(value).toMatchObject({
        _tag: "ObjectStoreError",
        message: "PutObject of s3://bucket/a.txt failed with AccessDenied: Not for you"
      })
      expect(store.requests).toHaveLength(1)
    }))

  it.effect("waits as long as the store asks", () =>
    Effect.gen(function*() {
      const store = scripted({ outcomes: [() => FakeS3.reject(503, "SlowDown", "", { "retry-after": "4" })] })
      const { seconds } = yield* over(store, head("a.txt"))
      expect(seconds).toBeGreaterThanOrEqual(4)
    }))

  it.effect("reports an object that its first attempt has stored, although the response was lost, as existing", () =>
    Effect.gen(function*() {
      const store = scripted({ outcomes: [brokenConnection] })
      const { value } = yield* over(store, Effect.flip(put(object, body, keep)))
      expect(value).toMatchObject({ _tag: "ObjectExists", location: "s3://bucket/a.txt" })
      expect(store.objects.get("a.txt")?.bytes.length).toBe(10)
    }))

  it.effect("treats an error document in a response of status 200 as an error, and repeats the call", () =>
    Effect.gen(function*() {
      const store = scripted({ outcomes: [undefined, undefined, () => FakeS3.reject(200, "InternalError")] })
      const { value } = yield* over(
        store,
        Effect.gen(function*() {
          const upload = yield* begin(object)
          const etag = yield* part(upload, 1, body)
          return yield* Effect.either(complete(upload, [{ number: 1, etag, contentSha256: body.contentSha256 }], keep))
        })
      )
      // The fake had completed the upload when it responded with the error.
      expect(value).toMatchObject({ left: { _tag: "ObjectUploadGone" } })
      expect(store.requests.map(({ operation }) => operation).slice(2)).toEqual(
        Array.from({ length: 2 }, () => "CompleteMultipartUpload")
      )
    }))

  it.effect("names the region of the bucket when `region` is wrong", () =>
    Effect.gen(function*() {
      const store = scripted({ features: { region: "eu-central-1" } })
      const { value } = yield* over(store, Effect.all([Effect.flip(head("a.txt")), Effect.flip(begin(object))]))
      for (const error of value) {
        expect(error.message).toContain("the bucket is in the region eu-central-1, but `region` is eu-west-1")
      }
    }))

  it.effect("stops the request when it is interrupted", () =>
    Effect.gen(function*() {
      const [started, stopped] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const waiting = Effect.zipRight(Deferred.succeed(started, undefined), Effect.never).pipe(
        Effect.onInterrupt(() => Deferred.succeed(stopped, undefined))
      )
      const store = scripted({ outcomes: [() => waiting] })
      yield* over(
        store,
        Effect.gen(function*() {
          const fiber = yield* Effect.fork(head("a.txt"))
          yield* Deferred.await(started)
          yield* Fiber.interrupt(fiber)
          yield* Deferred.await(stopped)
        })
      )
    }))
})

describe("The policies of calls", () => {
  const throttled = Array.from({ length: 10 }, () => rejected(503, "SlowDown"))

  it.effect("apply when they are provided around a call, to the program, or to the store", () =>
    Effect.gen(function*() {
      const failing = Effect.flip(head("a.txt"))
      const policy = RetryPolicy.layer(attempts(4))
      const around = scripted({ outcomes: throttled })
      yield* over(around, Effect.provideService(failing, RetryPolicy.RetryPolicy, attempts(2)))
      const program = scripted({ outcomes: throttled })
      yield* over(program, Effect.provide(failing, policy))
      const under = scripted({ outcomes: throttled })
      yield* over({ ...under, layer: Layer.provide(under.layer, policy) }, failing)
      expect([around, program, under].map(({ requests }) => requests.length)).toEqual([2, 4, 4])
    }))

  it.effect("end an attempt after `response` of Timeouts, and one with bytes after `upload`", () =>
    Effect.gen(function*() {
      const store = scripted({ outcomes: Array.from({ length: 2 }, () => () => Effect.never) })
      const { value } = yield* over(
        store,
        Effect.all([
          Effect.timed(Effect.flip(head("a.txt"))),
          Effect.timed(Effect.flip(put(object, body, keep)))
        ])
      ).pipe(
        Effect.provide(Timeouts.layerWith({ response: "7 seconds", upload: "2 minutes" })),
        Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none)
      )
      expect(value).toMatchObject([
        [Duration.seconds(7), { code: "AttemptTimeout", operation: "HeadObject" }],
        [Duration.minutes(2), { code: "AttemptTimeout", operation: "PutObject" }]
      ])
    }))

  it.effect("space uploads by the class `upload` of the RatePolicy, and no other calls", () =>
    Effect.gen(function*() {
      const store = scripted()
      yield* over(
        store,
        Effect.gen(function*() {
          const upload = yield* begin(object)
          yield* Effect.forEach([1, 2, 3, 4], (number) => part(upload, number, body), { concurrency: 4 })
          yield* Effect.replicateEffect(head("a.txt"), 3)
        })
      ).pipe(Effect.provide(RatePolicy.layerWith({ upload: { requestsPerSecond: 1 } })))
      expect(store.requests.map(({ at }) => Math.round(at / 1000))).toEqual([0, 0, 1, 2, 3, 3, 3, 3, 3])
    }))

  it.effect("pace the bytes of both directions by the Bandwidth", () =>
    Effect.gen(function*() {
      const store = scripted()
      const bytes = new Uint8Array(20_000)
      const { value } = yield* over(
        store,
        Effect.all([
          Effect.timed(put(object, bodyOf(bytes), keep)),
          Effect.timed(getting(0, 20_000))
        ])
      ).pipe(Effect.provide(Bandwidth.layerWith({ up: 1_000, down: 4_000 })))
      const [[up], [down, received]] = value
      expect(Math.round(Duration.toSeconds(up))).toBe(20)
      expect(Math.round(Duration.toSeconds(down))).toBe(5)
      expect(received).toEqual(bytes)
    }))
})

describe("The range of an object", () => {
  const bytes = Uint8Array.from({ length: 1_000 }, (_, index) => index)

  /** The outcomes of a PutObject and of some GetObjects, of which the body breaks after this many bytes. */
  const breaking = (...lengths: ReadonlyArray<number>) => [
    undefined,
    ...lengths.map((breaksAfter) => (_: FakeS3.Request, response: FakeS3.Response) => ({ ...response, breaksAfter }))
  ]

  const rangesOf = ({ requests }: ReturnType<typeof scripted>) =>
    requests.slice(1).map(({ headers }) => headers["range"])

  it.effect("is complete although two responses break, and no byte is requested twice", () =>
    Effect.gen(function*() {
      const store = scripted({ outcomes: breaking(300, 0, 100) })
      const { value } = yield* over(store, Effect.zipRight(put(object, bodyOf(bytes), keep), getting(100, 800)))
      expect(value).toEqual(bytes.subarray(100, 900))
      expect(rangesOf(store)).toEqual(["bytes=100-899", "bytes=400-899", "bytes=400-899", "bytes=500-899"])
    }))

  it.effect("fails when a response breaks and the RetryPolicy permits no retry", () =>
    Effect.gen(function*() {
      const store = scripted({ outcomes: breaking(300) })
      const { value } = yield* over(
        store,
        Effect.zipRight(put(object, bodyOf(bytes), keep), Effect.flip(getting(0, 1_000)))
      ).pipe(Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none))
      expect(value).toMatchObject({ _tag: "ObjectStoreError", operation: "GetObject", code: "ConnectionError" })
    }))

  it.effect("is rejected when the store responds with another range", () =>
    Effect.gen(function*() {
      const other = () => FakeS3.reply(200, bytes)
      const store = scripted({ outcomes: [undefined, other] })
      const { value } = yield* over(
        store,
        Effect.zipRight(put(object, bodyOf(bytes), keep), Effect.flip(getting(10, 5)))
      )
      expect(value).toMatchObject({ code: "MalformedResponse", reason: expect.stringContaining("Content-Range") })
    }))
})

describe("The response to another range", () => {
  it.effect("is not read to its end, and its connection is closed", () =>
    Effect.gen(function*() {
      const closed = yield* Deferred.make<void>()
      const endless = new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(1_000)),
        cancel: () => Deferred.unsafeDone(closed, Effect.void)
      })
      const http = HttpClient.make((request) =>
        Effect.succeed(HttpClientResponse.fromWeb(request, new globalThis.Response(endless)))
      )
      const layer = Layer.provide(S3ObjectStore.layer(options), Layer.succeed(HttpClient.HttpClient, http))
      const error = yield* Effect.provide(Effect.flip(getting(0, 10)), layer)
      expect(error).toMatchObject({ code: "MalformedResponse" })
      yield* Deferred.await(closed)
    }))
})

describe("A request to an object store", () => {
  const checksumsIn = (headers: Readonly<Record<string, string>>) =>
    Object.keys(headers).filter((name) => /checksum|trailer/.test(name))

  it.effect("is signed with the given hash of its bytes, and nothing hashes them again", () =>
    Effect.gen(function*() {
      const store = scripted({ outcomes: [() => FakeS3.reply(200, "", { etag: "\"1\"" })] })
      const lengths: Array<number> = []
      const hashed = vi.spyOn(Hash.prototype, "update")
      const bytes = new Uint8Array(new SharedArrayBuffer(100_000))
      const { contentSha256 } = body
      yield* over(store, Effect.zipRight(put(object, { bytes, contentSha256 }, keep), begin(object))).pipe(
        Effect.ensuring(Effect.sync(() => {
          for (const [data] of hashed.mock.calls) lengths.push(Buffer.byteLength(data))
          hashed.mockRestore()
        }))
      )
      // The fake hashes the body of each request, the client its canonical form.
      expect(lengths.filter((length) => length === 100_000)).toHaveLength(1)
      expect(lengths.length).toBe(4)
      expect(store.requests[0]?.headers["x-amz-content-sha256"]).toBe(contentSha256)
    }))

  it.effect.each<["sha256" | "none", ReadonlyArray<string>]>([
    ["sha256", ["x-amz-checksum-sha256"]],
    ["none", []]
  ])("has with `checksums: %s` these checksum headers: %s", ([checksums, names]) =>
    Effect.gen(function*() {
      const store = scripted({ options: { checksums } })
      yield* over(store, put(object, body, keep))
      expect(checksumsIn(store.requests[0]?.headers ?? {})).toEqual(names)
    }))

  it.effect.each<[promise: string, Partial<S3ObjectStore.Options>, ObjectStore.CreateOptions, string | undefined]>([
    ["asks the store to keep an existing object", {}, keep, "*"],
    ["asks for nothing when it may replace an object", {}, { replace: true }, undefined],
    ["asks for nothing of a store without conditional writes", { conditionalWrites: false }, keep, undefined]
  ])("%s", ([, options, create, condition]) =>
    Effect.gen(function*() {
      const store = scripted({ options })
      yield* over(store, put(object, body, create))
      expect(store.requests[0]?.headers["if-none-match"]).toBe(condition)
    }))

  it.effect("is dated by the Clock", () =>
    Effect.gen(function*() {
      const store = scripted()
      yield* over(store, Effect.zipRight(Effect.sleep("1 day"), head("a.txt")))
      expect(store.requests[0]?.headers["x-amz-date"]).toMatch(/^19700102T/)
    }))

  it.effect("shows no secret in an error, a log or a span, even if the store repeats it", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const see = (...values: ReadonlyArray<unknown>) => {
        for (const value of values) {
          seen.push(Cause.isCause(value) ? Cause.pretty(value) : `${String(value)} ${JSON.stringify(value)}`)
        }
      }
      const echo = ({ headers }: FakeS3.Request) => FakeS3.reject(503, "SlowDown", JSON.stringify(headers))
      const broken = ({ headers }: FakeS3.Request) =>
        Effect.fail(new FakeS3.Broken({ message: JSON.stringify(headers) }))
      const store = scripted({ outcomes: [echo, broken, echo, broken, broken, broken] })
      yield* over(store, Effect.all([Effect.flip(put(object, body, keep)), Effect.flip(begin(object))])).pipe(
        Effect.tap(({ value }) => see(...value, ...value.map(({ stack }) => stack))),
        Effect.provide(
          Logger.replace(Logger.defaultLogger, Logger.make(({ annotations, message }) => see(message, ...annotations)))
        ),
        Effect.withTracer(recordingTracer(see))
      )
      expect(store.requests).toHaveLength(6)
      const token = Redacted.value(keys.sessionToken)
      const signatures = store.requests.map(({ headers }) =>
        /Signature=(\w+)/.exec(headers["authorization"] ?? "")?.[1] ?? "none"
      )
      expect(store.requests[0]?.headers["x-amz-security-token"]).toBe(token)
      const shown = seen.join("\n")
      expect(shown).toContain("SlowDown")
      for (const secret of [token, Redacted.value(keys.secretAccessKey), ...signatures]) {
        expect(shown).not.toContain(secret)
      }
    }))
})

describe("A bucket", () => {
  it.effect("is in the host of the URL, unless `pathStyle` is set", () =>
    Effect.gen(function*() {
      const urls: Array<string> = []
      const http = HttpClient.make((request, url) => {
        urls.push(url.href)
        return Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport" }))
      })
      for (const pathStyle of [false, true]) {
        for (const endpoint of [undefined, "https://s3.example.com:8443"]) {
          const layer = S3ObjectStore.layer({ ...options, endpoint, pathStyle })
          yield* Effect.flip(head("a/%2e b.txt")).pipe(
            Effect.provide(Layer.provide(layer, Layer.succeed(HttpClient.HttpClient, http))),
            Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none)
          )
        }
      }
      expect(urls).toEqual([
        "https://bucket.s3.eu-west-1.amazonaws.com/a/%252e%20b.txt",
        "https://bucket.s3.example.com:8443/a/%252e%20b.txt",
        "https://s3.eu-west-1.amazonaws.com/bucket/a/%252e%20b.txt",
        "https://s3.example.com:8443/bucket/a/%252e%20b.txt"
      ])
    }))

  it.effect("that does not exist is reported when an object is looked for, and not taken for a bucket without it", () =>
    Effect.gen(function*() {
      const missing = () => FakeS3.reply(404)
      const store = scripted({ outcomes: [missing, missing] })
      const { value } = yield* over(store, Effect.flip(head("a.txt")))
      expect(value.message).toContain("NoSuchBucket: The bucket bucket does not exist")
    }))

  it.effect.each<[response: string, () => FakeS3.Outcome]>([
    ["describes it", () => FakeS3.reply(200)],
    ["forbids to describe it", () => FakeS3.reply(403)],
    ["cannot describe it", () => FakeS3.reply(501)]
  ])("is described once at most when the store %s", ([, outcome]) =>
    Effect.gen(function*() {
      const store = scripted({ outcomes: [undefined, outcome] })
      const { value } = yield* over(store, Effect.replicateEffect(head("a.txt"), 3))
      expect(value).toEqual([Option.none(), Option.none(), Option.none()])
      expect(store.requests.map(({ operation }) => operation)).toEqual([
        "HeadObject",
        "HeadBucket",
        "HeadObject",
        "HeadObject"
      ])
    }))
})

describe("The layer", () => {
  afterEach(() => {
    vi.doUnmock("@aws-sdk/client-s3")
    vi.unstubAllEnvs()
  })

  const build = (of: S3ObjectStore.Options) =>
    Effect.flip(
      Effect.scoped(
        Layer.build(Layer.provide(
          S3ObjectStore.layer(of),
          Layer.succeed(HttpClient.HttpClient, FakeS3.clientOf(() => FakeS3.reply(500)))
        ))
      )
    )

  it.live("fails with the package to install when AWS's client is missing", () =>
    Effect.gen(function*() {
      vi.doMock("@aws-sdk/client-s3", () => {
        throw new Error("not installed")
      })
      expect((yield* build(options)).message).toContain("@aws-sdk/client-s3")
    }))

  it.live("lets a call fail with the keys to give when AWS's configuration has none", () =>
    Effect.gen(function*() {
      for (const name of ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]) {
        vi.stubEnv(name, undefined)
      }
      for (const name of ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]) vi.stubEnv(name, "/dev/null")
      vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true")
      const http = Layer.succeed(HttpClient.HttpClient, FakeS3.clientOf(() => FakeS3.reply(500)))
      const layer = Layer.provide(S3ObjectStore.layer({ ...options, keys: undefined }), http)
      const error = yield* Effect.provide(Effect.flip(head("a.txt")), layer)
      expect(error).toMatchObject({ code: "CredentialsError", reason: expect.stringContaining("Give `keys`") })
    }))

  it.live("fails when neither the options nor AWS's configuration name a region", () =>
    Effect.gen(function*() {
      for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION"]) vi.stubEnv(name, undefined)
      for (const name of ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]) vi.stubEnv(name, "/dev/null")
      const error = yield* build({ bucket: "bucket" })
      expect(error).toMatchObject({
        _tag: "S3ObjectStoreError",
        message: expect.stringContaining("Region is missing. Give `region`, or set AWS_REGION")
      })
    }))

  it.live.each(["localhost:9000", "s3.example.com", ""])(
    "fails when the endpoint has no scheme: \"%s\"",
    (endpoint) =>
      Effect.gen(function*() {
        const error = yield* build({ ...options, endpoint })
        expect(error).toMatchObject({ _tag: "S3ObjectStoreError" })
        expect(error.message).toContain(`The endpoint "${endpoint}" is not a url with a scheme`)
      })
  )
})
