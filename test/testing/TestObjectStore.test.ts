import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import { ContentSha256 } from "../../src/protocol/Names.ts"
import * as ObjectStore from "../../src/s3/ObjectStore.ts"
import * as TestObjectStore from "../../src/testing/TestObjectStore.ts"
import { promptly } from "../support/retryPolicies.ts"
import { collect, mebibyte, pattern, same } from "../transfer/support.ts"

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes)

const bodyOf = (bytes: Uint8Array): ObjectStore.Body => ({
  bytes,
  contentSha256: ContentSha256.make(digest(bytes).digest("hex"))
})

const object: ObjectStore.NewObject = { key: "a", metadata: {} }

const bytes = pattern(2.5 * mebibyte)

const slice = (number: number) => bodyOf(bytes.subarray((number - 1) * mebibyte, number * mebibyte))

const keep = { replace: false }

/** Runs a test with the store on a bucket. */
const using = <A, E>(
  test: (store: ObjectStore.Service, bucket: TestObjectStore.Bucket) => Effect.Effect<A, E>,
  options: TestObjectStore.BucketOptions = {},
  around?: TestObjectStore.Around
) =>
  Effect.gen(function*() {
    const bucket = yield* TestObjectStore.makeBucket(options)
    return yield* Effect.flatMap(ObjectStore.ObjectStore, (store) => test(store, bucket)).pipe(
      Effect.provide(TestObjectStore.layer({ bucket, around }))
    )
  }).pipe(Effect.provideService(RetryPolicy.RetryPolicy, promptly(1)))

/** Opens an upload with its parts 1, 2 and 3. */
const upload = Effect.fnUntraced(function*(store: ObjectStore.Service) {
  const opened = yield* store.begin(object)
  const parts = yield* Effect.forEach([1, 2, 3], (number) => {
    const body = slice(number)
    return Effect.map(store.part(opened, number, body), (etag) => ({
      number,
      etag,
      contentSha256: body.contentSha256
    }))
  })
  return { opened, parts }
})

describe("the object store in memory", () => {
  it.effect("stores objects, describes them and reads ranges of them", () =>
    using((store) =>
      Effect.gen(function*() {
        expect(yield* store.head("a")).toEqual(Option.none())
        const checksums = yield* store.put(
          { ...object, metadata: { name: "b" }, storageClass: "COLD" },
          bodyOf(bytes),
          keep
        )
        expect(checksums.sha256).toBe(digest(bytes).digest("base64"))
        expect(yield* store.head("a")).toMatchObject(Option.some({
          size: bytes.length,
          checksums,
          metadata: { name: "b" },
          storageClass: Option.some("COLD")
        }))
        const read = yield* collect(store.get("a", { start: 10, end: 2 * mebibyte }))
        expect(same(read, bytes.subarray(10, 2 * mebibyte + 1))).toBe(true)
      })
    ))

  it.effect("makes an object of its parts once, with a checksum of their checksums", () =>
    using((store, { objects, uploads }) =>
      Effect.gen(function*() {
        const { opened, parts } = yield* upload(store)
        const checksums = yield* store.complete(opened, parts, keep)
        const composite = createHash("sha256")
        for (const { bytes } of [1, 2, 3].map(slice)) composite.update(digest(bytes).digest())
        expect(checksums.sha256).toBe(`${composite.digest("base64")}-3`)
        expect(checksums.etag).toMatch(/^[0-9a-f]{32}-3$/)
        expect(same(objects.get("a")?.bytes ?? new Uint8Array(), bytes)).toBe(true)
        expect(yield* store.complete(opened, parts, keep)).toEqual(checksums)
        const error = yield* Effect.flip(store.complete(opened, parts.slice(1), keep))
        expect(error).toMatchObject({ _tag: "ObjectUploadGone" })
        expect(uploads.size).toBe(0)
      })
    ))

  it.effect("rejects parts that are missing, changed, small or in another order", () =>
    using((store) =>
      Effect.gen(function*() {
        const { opened, parts } = yield* upload(store)
        const [first, second, third] = parts
        if (first === undefined || second === undefined || third === undefined) {
          return yield* Effect.dieMessage("no part")
        }
        const wrong: ReadonlyArray<readonly [code: string, parts: ReadonlyArray<ObjectStore.CompletedPart>]> = [
          ["MalformedXML", []],
          ["InvalidPartOrder", [second, first]],
          ["InvalidPartOrder", [first, first]],
          ["InvalidPart", [first, { ...second, number: 4 }]],
          ["InvalidPart", [first, { ...second, etag: first.etag }]],
          ["InvalidPart", [first, { ...second, contentSha256: first.contentSha256 }]]
        ]
        for (const [code, named] of wrong) {
          expect(yield* Effect.flip(store.complete(opened, named, keep))).toMatchObject({ code })
        }
        const etag = yield* store.part(opened, 4, slice(1))
        const small = [...parts, { number: 4, etag, contentSha256: slice(1).contentSha256 }]
        expect(yield* Effect.flip(store.complete(opened, small, keep))).toMatchObject({ code: "EntityTooSmall" })
        yield* store.complete(opened, parts, keep)
      })
    ))

  it.effect("rejects bytes that do not have the SHA-256 of their request", () =>
    using((store, { objects }) =>
      Effect.gen(function*() {
        const body = { ...bodyOf(bytes), bytes: pattern(bytes.length).fill(1, 5, 6) }
        const code = "XAmzContentSHA256Mismatch"
        expect(yield* Effect.flip(store.put(object, body, keep))).toMatchObject({ code, operation: "PutObject" })
        const { opened } = yield* upload(store)
        expect(yield* Effect.flip(store.part(opened, 1, body))).toMatchObject({ code, operation: "UploadPart" })
        expect(objects.size).toBe(0)
      })
    ))

  it.effect("rejects metadata that a store may change or reject, and keys that are too long", () =>
    using((store) =>
      Effect.gen(function*() {
        const wrong: ReadonlyArray<readonly [code: string, object: ObjectStore.NewObject]> = [
          ["InvalidArgument", { key: "a", metadata: { Name: "b" } }],
          ["InvalidArgument", { key: "a", metadata: { name: "a b" } }],
          ["InvalidArgument", { key: "a", metadata: { name: "\xe9" } }],
          ["MetadataTooLarge", { key: "a", metadata: { name: "b".repeat(2_045) } }],
          ["KeyTooLongError", { key: "\xe9".repeat(513), metadata: {} }]
        ]
        for (const [code, object] of wrong) {
          expect(yield* Effect.flip(store.begin(object))).toMatchObject({ code })
          expect(yield* Effect.flip(store.put(object, slice(1), keep))).toMatchObject({ code })
        }
        yield* store.begin({ key: "\xe9".repeat(512), metadata: { name: "b".repeat(2_044) } })
      })
    ))

  it.effect("replaces an object only when told to", () =>
    using((store, { objects }) =>
      Effect.gen(function*() {
        yield* store.put(object, slice(1), keep)
        const { opened, parts } = yield* upload(store)
        for (const creating of [store.put(object, slice(2), keep), store.complete(opened, parts, keep)]) {
          expect(yield* Effect.flip(creating)).toMatchObject({ _tag: "ObjectExists", location: "s3://bucket/a" })
        }
        expect(objects.get("a")?.size).toBe(mebibyte)
        yield* store.complete(opened, parts, { replace: true })
        expect(objects.get("a")?.size).toBe(bytes.length)
      })
    ))

  it.effect("lists parts and uploads in pages, until an upload is aborted", () =>
    using((store) =>
      Effect.gen(function*() {
        const { opened } = yield* upload(store)
        for (const number of [4, 11]) yield* store.part(opened, number, slice(1))
        const parts = Chunk.toReadonlyArray(yield* Stream.runCollect(store.parts(opened)))
        expect(parts.map(({ number, size }) => [number, size])).toEqual(
          [[1, mebibyte], [2, mebibyte], [3, mebibyte / 2], [4, mebibyte], [11, mebibyte]]
        )
        for (const key of ["b/2", "b/1", "b/1"]) yield* store.begin({ ...object, key })
        const keys = (prefix: string) =>
          Effect.map(Stream.runCollect(store.uploads(prefix)), Chunk.map(({ key }) => key))
        expect(yield* keys("")).toEqual(Chunk.make("a", "b/1", "b/1", "b/2"))
        expect(yield* keys("b/")).toEqual(Chunk.make("b/1", "b/1", "b/2"))
        yield* store.abort(opened)
        yield* store.abort(opened)
        expect(yield* keys("a")).toEqual(Chunk.empty())
        expect(yield* Effect.flip(Stream.runDrain(store.parts(opened)))).toMatchObject({ _tag: "ObjectUploadGone" })
        expect(yield* Effect.flip(store.part(opened, 1, slice(1)))).toMatchObject({ _tag: "ObjectUploadGone" })
      }), { pageSize: 2 }))

  it.effect("injects faults around an attempt, which the policies in use retry", () => {
    const attempts: Array<string> = []
    const around: TestObjectStore.Around = (effect, attempt) => {
      const count = attempts.push(`${attempt.operation} ${attempt.key}`)
      if (count === 1) return TestObjectStore.throttled(attempt)
      return count === 3 ? Effect.zipRight(effect, TestObjectStore.lost(attempt)) : effect
    }
    return using(
      (store, { uploads }) =>
        Effect.gen(function*() {
          expect(yield* store.head("a")).toEqual(Option.none())
          yield* store.begin(object)
          expect(attempts).toEqual([
            "HeadObject a",
            "HeadObject a",
            "CreateMultipartUpload a",
            "CreateMultipartUpload a"
          ])
          expect(uploads.size).toBe(2)
        }),
      {},
      around
    )
  })
})
