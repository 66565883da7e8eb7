/** The promises of an `ObjectStore`, checked over any store. */
import { expect, layer } from "@effect/vitest"
import { Chunk, DateTime, Effect, type Layer, Option, Stream } from "effect"
import { createHash, randomBytes } from "node:crypto"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import { ContentSha256 } from "../../src/protocol/Names.ts"
import { ObjectStore } from "../../src/s3/ObjectStore.ts"

/** The features in which stores differ. */
export interface Features {
  /** Without it, the tests are skipped. */
  readonly isInstalled: boolean
  /** Whether the store lists parts and uploads. */
  readonly lists: boolean
  /** The size of a part that is not the last one. */
  readonly partSize: number
  /** Whether the store rejects bytes with another hash than the signed one. */
  readonly checksHashes: boolean
  /** Whether the store keeps the SHA-256 of objects. */
  readonly hasSha256: boolean
  /** Whether the store rejects a write to an existing object when it is asked to. */
  readonly keepsExisting: boolean
  /** A storage class besides that of the store, if the store has another. */
  readonly storageClass: string | undefined
  /** The result of completing an upload for the second time. */
  readonly completingTwice: "returns the same checksums" | "fails with ObjectUploadGone"
}

/** A body with the hash of its bytes. */
export const bodyOf = (bytes: Uint8Array) => ({
  bytes,
  contentSha256: ContentSha256.make(createHash("sha256").update(bytes).digest("hex"))
})

const objectOf = (key: string) => ({ key, metadata: {} })

export const collect = <E, R>(stream: Stream.Stream<Uint8Array, E, R>) =>
  Effect.map(Stream.runCollect(stream), (pieces) => new Uint8Array(Buffer.concat(Chunk.toReadonlyArray(pieces))))

const compositeOf = (parts: ReadonlyArray<Uint8Array>) => {
  const digests = parts.map((bytes) => createHash("sha256").update(bytes).digest())
  return `${createHash("sha256").update(Buffer.concat(digests)).digest("base64")}-${parts.length}`
}

/** Declares the tests of a store. */
export const conformance = <E>(name: string, store: Layer.Layer<ObjectStore, E>, features: Features) => {
  const { checksHashes, completingTwice, isInstalled, lists, hasSha256, keepsExisting, partSize, storageClass } =
    features
  const keep = { replace: false }
  const last = randomBytes(100)
  const contents = [randomBytes(partSize), randomBytes(partSize), last]
  const whole = new Uint8Array(Buffer.concat(contents))

  /** Stores the parts of an upload, the last one first, and returns what completes them. */
  const storeParts = Effect.fnUntraced(function*(upload: { readonly key: string; readonly uploadId: string }) {
    const { part } = yield* ObjectStore
    const stored = yield* Effect.forEach(
      contents.map((bytes, index) => [index + 1, bodyOf(bytes)] as const).reverse(),
      ([number, body]) =>
        Effect.map(part(upload, number, body), (etag) => ({ number, etag, contentSha256: body.contentSha256 }))
    )
    return stored.reverse()
  })

  layer(store, { excludeTestServices: true, timeout: "1 minute" })(`an object store ${name}`, (it) => {
    const test = (promise: string, body: Effect.Effect<void, unknown, ObjectStore>, applies = true) =>
      it.effect.runIf(isInstalled && applies)(promise, () => body, 60_000)

    test(
      "has no object under a key that nobody has written",
      Effect.gen(function*() {
        const { head } = yield* ObjectStore
        expect(yield* head("nothing")).toEqual(Option.none())
      })
    )

    test(
      "returns the size, the metadata and the checksums of an object",
      Effect.gen(function*() {
        const { head, put } = yield* ObjectStore
        const metadata = { vault: "photos", "tree-hash": "ab12", description: "b64:w7xiZXI=" }
        const bytes = randomBytes(1_000)
        const sha256 = createHash("sha256").update(bytes).digest("base64")
        const checksums = yield* put({ key: "described", metadata }, bodyOf(bytes), keep)
        expect(checksums.etag).toMatch(/^[^"]+$/)
        if (hasSha256) expect(checksums.sha256).toBe(sha256)
        const found = Option.getOrThrow(yield* head("described"))
        expect(found).toMatchObject({ size: 1_000, metadata, checksums })
      })
    )

    test(
      "stores an object in a storage class",
      Effect.gen(function*() {
        const { head, put } = yield* ObjectStore
        yield* put({ ...objectOf("cold"), storageClass }, bodyOf(last), keep)
        expect(Option.getOrThrow(yield* head("cold")).storageClass).toEqual(Option.fromNullable(storageClass))
      }),
      storageClass !== undefined
    )

    test(
      "stores an object under a key of any characters, and lists its upload",
      Effect.gen(function*() {
        const { abort, begin, get, head, put, uploads } = yield* ObjectStore
        const keys = [
          "a folder/it's (1) + 2 & \"3\" = ü/日本.txt",
          "%2e%2e/100%/%41/what?#a;b@c:d,$e!*",
          "a\\..\\b/\u{1f4f7}/u\u0308/<b> [1] {2} ^|`~",
          ".../..a/ a "
        ]
        for (const key of keys) {
          yield* put(objectOf(key), bodyOf(last), { replace: true })
          expect(Option.getOrThrow(yield* head(key)).size).toBe(100)
          expect(yield* collect(get(key, ByteRange.make(0, 100)))).toEqual(new Uint8Array(last))
          const upload = yield* begin(objectOf(key))
          if (lists) expect(Array.from(yield* Stream.runCollect(uploads(key)))).toMatchObject([upload])
          yield* abort(upload)
        }
        expect(yield* head("a/b")).toEqual(Option.none())
      })
    )

    test(
      "keeps an existing object unless it may replace it",
      Effect.gen(function*() {
        const { get, locationOf, put } = yield* ObjectStore
        const [old, young] = [randomBytes(10), randomBytes(10)]
        const content = Effect.map(collect(get("existing", ByteRange.make(0, 10))), (bytes) => Buffer.from(bytes))
        yield* put(objectOf("existing"), bodyOf(old), keep)
        const error = yield* Effect.flip(put(objectOf("existing"), bodyOf(young), keep))
        expect(error).toMatchObject({ _tag: "ObjectExists", location: locationOf("existing") })
        expect(yield* content).toEqual(old)
        yield* put(objectOf("existing"), bodyOf(young), { replace: true })
        expect(yield* content).toEqual(young)
      }),
      keepsExisting
    )

    test(
      "stores nothing when the bytes have another hash than the signed one",
      Effect.gen(function*() {
        const { begin, head, part, parts, put } = yield* ObjectStore
        const damaged = { ...bodyOf(last), bytes: randomBytes(100) }
        const error = yield* Effect.flip(put(objectOf("damaged"), damaged, keep))
        expect(error).toMatchObject({
          _tag: "ObjectStoreError",
          operation: "PutObject",
          code: expect.stringMatching(/SHA256Mismatch|BadDigest/)
        })
        expect(yield* head("damaged")).toEqual(Option.none())
        const upload = yield* begin(objectOf("damaged"))
        expect(yield* Effect.flip(part(upload, 1, damaged))).toMatchObject({ operation: "UploadPart" })
        expect(yield* Stream.runCollect(parts(upload))).toEqual(Chunk.empty())
      }),
      checksHashes
    )

    test(
      "makes an object of parts that were stored in any order",
      Effect.gen(function*() {
        const { begin, complete, get, head } = yield* ObjectStore
        const upload = yield* begin({ key: "parts", metadata: { vault: "photos" } })
        const checksums = yield* complete(upload, yield* storeParts(upload), keep)
        if (hasSha256) expect(checksums.sha256).toBe(compositeOf(contents))
        const found = Option.getOrThrow(yield* head("parts"))
        expect(found).toMatchObject({
          size: whole.length,
          metadata: { vault: "photos" },
          checksums: { etag: checksums.etag }
        })
        const bytes = yield* collect(get("parts", ByteRange.make(0, whole.length)))
        // `toEqual` would compare millions of bytes one by one.
        expect(Buffer.from(bytes).equals(whole)).toBe(true)
      })
    )

    test(
      "keeps an object that was stored while the parts of another one were",
      Effect.gen(function*() {
        const { begin, complete, head, put } = yield* ObjectStore
        const upload = yield* begin(objectOf("overtaken"))
        const stored = yield* storeParts(upload)
        yield* put(objectOf("overtaken"), bodyOf(last), keep)
        expect(yield* Effect.flip(complete(upload, stored, keep))).toMatchObject({ _tag: "ObjectExists" })
        expect(Option.getOrThrow(yield* head("overtaken")).size).toBe(100)
        yield* complete(upload, stored, { replace: true })
        expect(Option.getOrThrow(yield* head("overtaken")).size).toBe(whole.length)
      }),
      keepsExisting
    )

    test(
      "lists the parts of an upload on all pages",
      Effect.gen(function*() {
        const { abort, begin, parts } = yield* ObjectStore
        const upload = yield* begin(objectOf("listed parts"))
        const stored = yield* storeParts(upload)
        const listed = Chunk.toReadonlyArray(yield* Stream.runCollect(parts(upload)))
        expect(listed).toEqual(
          stored.map(({ etag, number }, index) => ({ number, etag, size: contents[index]?.length }))
        )
        yield* abort(upload)
      }),
      lists
    )

    test(
      "lists the open uploads of a prefix on all pages",
      Effect.gen(function*() {
        const { abort, begin, uploads } = yield* ObjectStore
        const opened = yield* Effect.forEach(
          ["open/a", "open/b & c", "open/d", "closed/e"],
          (key) => begin(objectOf(key))
        )
        const listed = Chunk.toReadonlyArray(yield* Stream.runCollect(uploads("open/")))
        expect(listed).toEqual(
          opened.slice(0, 3).map((upload) => ({ ...upload, initiated: expect.toSatisfy(DateTime.isDateTime) }))
        )
        yield* Effect.forEach(opened, abort)
        expect(yield* Stream.runCollect(uploads("open/"))).toEqual(Chunk.empty())
      }),
      lists
    )

    test(
      "aborts an upload twice, and reports that it is gone",
      Effect.gen(function*() {
        const { abort, begin, complete, locationOf, part, parts } = yield* ObjectStore
        const upload = yield* begin(objectOf("aborted"))
        const stored = yield* storeParts(upload)
        yield* abort(upload)
        yield* abort(upload)
        const gone = { _tag: "ObjectUploadGone", location: locationOf("aborted"), uploadId: upload.uploadId }
        expect(yield* Effect.flip(part(upload, 1, bodyOf(last)))).toMatchObject(gone)
        if (lists) expect(yield* Effect.flip(Stream.runDrain(parts(upload)))).toMatchObject(gone)
        expect(yield* Effect.flip(complete(upload, stored, keep))).toMatchObject(gone)
      })
    )

    test(
      `${completingTwice} when an upload is completed twice`,
      Effect.gen(function*() {
        const { begin, complete } = yield* ObjectStore
        const upload = yield* begin(objectOf("twice"))
        const stored = yield* storeParts(upload)
        const checksums = yield* complete(upload, stored, { replace: true })
        const again = yield* Effect.either(complete(upload, stored, { replace: true }))
        expect(again).toMatchObject(
          completingTwice === "returns the same checksums"
            ? { right: checksums }
            : { left: { _tag: "ObjectUploadGone" } }
        )
      })
    )

    test(
      "returns each range of an object",
      Effect.gen(function*() {
        const { get, put } = yield* ObjectStore
        const bytes = randomBytes(300_000)
        yield* put(objectOf("ranges"), bodyOf(bytes), keep)
        for (const [start, length] of [[0, 300_000], [0, 1], [123_456, 7], [299_999, 1]] as const) {
          const range = yield* collect(get("ranges", ByteRange.make(start, length)))
          expect(Buffer.from(range).equals(bytes.subarray(start, start + length))).toBe(true)
        }
      })
    )

    test(
      "fails with the code of the store when an object to read is missing",
      Effect.gen(function*() {
        const { get, locationOf } = yield* ObjectStore
        expect(yield* Effect.flip(collect(get("missing", ByteRange.make(0, 1))))).toMatchObject({
          _tag: "ObjectStoreError",
          operation: "GetObject",
          location: locationOf("missing"),
          code: "NoSuchKey"
        })
      })
    )
  })
}
