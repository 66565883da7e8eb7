import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ArchiveId } from "../../src/protocol/Names.ts"
import * as ArchiveMetadata from "../../src/s3/ArchiveMetadata.ts"
import * as ObjectStore from "../../src/s3/ObjectStore.ts"
import * as S3Destination from "../../src/s3/S3Destination.ts"
import * as Hasher from "../../src/transport/Hasher.ts"
import { treeHash } from "../support/hashes.ts"
import { gauge, same } from "../transfer/support.ts"
import * as Support from "./support.ts"

const { archive, makeMachine, mebibyte, move, onEmulator, pattern, putObject, replacing, small } = Support

describe("an archive that is moved to an object store", () => {
  it.effect.each([1, mebibyte, mebibyte + 1, 3.5 * mebibyte])(
    "has the same bytes, with proof: %i bytes",
    (size) =>
      Effect.gen(function*() {
        const machine = yield* makeMachine()
        const given = yield* archive(pattern(size), "2019/Ñandú.tar", "my description")
        const options = { ...small, prefix: "photos/", storageClass: "DEEP_ARCHIVE" }
        const proof = yield* machine.done(move(given, options))
        const stored = machine.bucket.objects.get("photos/2019/Ñandú.tar")
        expect(same(stored?.bytes ?? new Uint8Array(), given.bytes)).toBe(true)
        expect(stored?.metadata).toEqual({
          "glacier-vault": "photos",
          "glacier-archive-id": given.archive.archiveId,
          "glacier-tree-hash": given.archive.treeHash,
          "glacier-created": DateTime.formatIso(given.archive.creationDate),
          "glacier-description": "my%20description"
        })
        expect(stored?.storageClass).toEqual(Option.some("DEEP_ARCHIVE"))
        expect(proof).toMatchObject({
          location: "s3://bucket/photos/2019/Ñandú.tar",
          size,
          treeHash: treeHash(given.bytes),
          checksums: stored?.checksums
        })
        expect([machine.bucket.uploads.size, machine.pages.size]).toEqual([0, 0])
      }).pipe(onEmulator)
  )

  it.effect("has its exact path as the key, whatever characters that has", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const paths = ["a b+c&d=%2e%2e", "__proto__", "\u{1f4f7} \u65e5\u672c.tar", "a\\..\\b", "~'\"<>.html", "..."]
      for (const path of paths) yield* machine.done(move(yield* archive(pattern(10), path), { prefix: "in/" }))
      expect(Array.from(machine.bucket.objects.keys())).toEqual(paths.map((path) => `in/${path}`))
    }).pipe(onEmulator))

  it.effect("has larger parts when it would have too many", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine({ limits: { maximumParts: 2 } })
      const given = yield* archive(pattern(3.5 * mebibyte))
      const { checksums } = yield* machine.done(move(given))
      expect(checksums["sha256"]).toMatch(/-2$/)
      expect(machine.taken().filter((call) => call === "UploadPart a.txt")).toHaveLength(2)
    }).pipe(onEmulator))

  it.effect("reports its windows as verified, and those of an earlier run as kept", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const given = yield* archive(pattern(3.5 * mebibyte))
      const tags: Array<string> = []
      const moving = move(given, small, ({ _tag }) => Effect.sync(() => void tags.push(_tag)))
      // The third part: after the first HEAD, the list of uploads and the beginning.
      yield* machine.run(moving, { cut: { at: 6, ends: "process", loses: "request" } })
      expect(tags).toEqual(["Verified", "Verified"])
      yield* machine.done(moving)
      expect(tags.slice(2)).toEqual(["Kept", "Kept", "Verified", "Verified"])
    }).pipe(onEmulator))

  it.effect.each([[1, 1], [2, 2], [4, 4]])(
    "holds at most %i parts in memory, with those of all other archives",
    ([concurrency, most]) =>
      Effect.gen(function*() {
        const buffers = gauge()
        const { allocate, ...hasher } = yield* Hasher.Hasher
        const counted: Hasher.Service = {
          ...hasher,
          allocate: (size) =>
            Effect.zipRight(
              Effect.acquireRelease(Effect.sync(buffers.add), () => Effect.sync(buffers.remove)),
              allocate(size)
            )
        }
        const machine = yield* makeMachine()
        const all = yield* Effect.forEach(["a", "b", "c"], (path) => archive(pattern(3 * mebibyte), path))
        const moving = Effect.flatMap(S3Destination.make({ partSize: mebibyte, concurrency }), ({ store }) =>
          Effect.forEach(all, ({ archive, job }) =>
            store(archive, job, () => Effect.void), {
            concurrency: "unbounded",
            discard: true
          }))
        yield* machine.done(Effect.provideService(moving, Hasher.Hasher, counted))
        expect([buffers.total, buffers.peak]).toEqual([9, most])
        expect(machine.bucket.objects.size).toBe(3)
      }).pipe(onEmulator)
  )
})

describe("an object that exists already", () => {
  const size = 1.5 * mebibyte

  it.effect("is accepted without a request of its bytes when its metadata names the archive", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const given = yield* archive(pattern(size))
      const proof = yield* machine.done(move(given))
      machine.taken()
      expect(yield* machine.done(move(given))).toEqual({ ...proof, date: yield* DateTime.now })
      expect(machine.taken()).toEqual(["HeadObject a.txt"])
    }).pipe(onEmulator))

  it.effect("is rejected when it is another one, before the output is read, and not changed", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const given = yield* archive(pattern(size))
      const others = [
        yield* putObject(new Uint8Array(size)),
        yield* putObject(pattern(size - 1)),
        // Bytes that are the same are not known to be the same before they are read.
        yield* putObject(pattern(size)),
        yield* putObject(pattern(size), { "glacier-archive-id": "another" }),
        yield* putObject(pattern(size - 1), ArchiveMetadata.encode({ ...given.archive, vaultName: "photos" }))
      ]
      for (const other of others) {
        machine.bucket.objects.set("a.txt", other)
        const error = yield* machine.done(Effect.flip(move(given)))
        expect(error).toMatchObject({ _tag: "ObjectRejected", reason: "exists", location: "s3://bucket/a.txt" })
        expect(machine.bucket.objects.get("a.txt")).toBe(other)
      }
      expect(machine.taken()).toEqual(others.map(() => "HeadObject a.txt"))
    }).pipe(onEmulator))

  it.effect("is read and accepted for its bytes when everything is read back", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const given = yield* archive(pattern(size))
      machine.bucket.objects.set("a.txt", yield* putObject(pattern(size)))
      const options = { ...small, readBack: "all" } as const
      expect(yield* machine.done(move(given, options))).toMatchObject({ treeHash: given.archive.treeHash })
      const { archiveId } = given.archive
      const others = [
        yield* putObject(pattern(size).fill(1, size - 1)),
        // Its first bytes are those of the archive.
        yield* putObject(Buffer.concat([pattern(size), pattern(1)])),
        // It is the copy of another archive with the same bytes.
        yield* putObject(
          pattern(size),
          ArchiveMetadata.encode({ ...given.archive, vaultName: "photos", archiveId: ArchiveId.make(`b${archiveId}`) })
        )
      ]
      for (const other of others) {
        machine.bucket.objects.set("a.txt", other)
        expect(yield* machine.done(Effect.flip(move(given, options)))).toMatchObject({ reason: "exists" })
      }
    }).pipe(onEmulator))

  it.effect("is replaced only when the destination may overwrite", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      for (const size of [mebibyte, 2.5 * mebibyte]) {
        const given = yield* archive(pattern(size))
        yield* machine.done(move(given, { ...small, overwrite: true }))
        expect(machine.bucket.objects.get("a.txt")?.metadata["glacier-archive-id"]).toBe(given.archive.archiveId)
      }
    }).pipe(onEmulator))

  it.effect("is not taken for the new one when it has the metadata of the archive and could not be replaced", () =>
    Effect.gen(function*() {
      for (const size of [mebibyte, 1.5 * mebibyte]) {
        const machine = yield* makeMachine()
        const given = yield* archive(pattern(size))
        yield* machine.done(move(given))
        // No program that is asked for its bytes can find this out without reading them.
        const damaged = yield* putObject(pattern(size).fill(7), machine.bucket.objects.get("a.txt")?.metadata)
        machine.bucket.objects.set("a.txt", damaged)
        const denied = replacing(({ locationOf }) => {
          const error = new ObjectStore.ObjectStoreError({
            operation: "PutObject",
            location: locationOf("a.txt"),
            code: "AccessDenied",
            reason: "denied"
          })
          return { put: () => error, complete: () => error }
        })
        const error = yield* machine.done(denied(
          Effect.flatMap(
            S3Destination.make({ ...small, overwrite: true }),
            ({ store }) => Effect.flip(store(given.archive, given.job, () => Effect.void))
          )
        ))
        expect(error).toMatchObject({ code: "AccessDenied" })
        yield* machine.done(move(given, { ...small, overwrite: true, readBack: "all" }))
        expect(same(machine.bucket.objects.get("a.txt")?.bytes ?? new Uint8Array(), given.bytes)).toBe(true)
      }
    }).pipe(onEmulator))

  /** A store that replaces objects although it should not. */
  const unconditional = replacing(({ complete, put }) => ({
    put: (object, body) => put(object, body, { replace: true }),
    complete: (upload, parts) => complete(upload, parts, { replace: true })
  }))

  it.effect.each(
    [
      ["a store that rejects it", mebibyte, <A, E, R>(effect: Effect.Effect<A, E, R>) => effect],
      ["a store that rejects it", 1.5 * mebibyte, <A, E, R>(effect: Effect.Effect<A, E, R>) => effect],
      ["a store that replaces it", mebibyte, unconditional],
      ["a store that replaces it", 1.5 * mebibyte, unconditional]
    ] as const
  )(
    "is not replaced when it appears while an archive is retrieved, by %s: %i bytes",
    ([_, size, by]) =>
      Effect.gen(function*() {
        const machine = yield* makeMachine()
        const { archive: own, job } = yield* archive(pattern(size))
        const other = yield* putObject(pattern(10))
        const error = yield* machine.done(by(Effect.gen(function*() {
          const { find, store } = yield* S3Destination.make(small)
          expect(yield* find(own)).toEqual(Option.none())
          machine.bucket.objects.set("a.txt", other)
          return yield* Effect.flip(store(own, job, () => Effect.void))
        })))
        expect(error).toMatchObject({ _tag: "ObjectRejected", reason: "exists" })
        expect(machine.bucket.objects.get("a.txt")).toBe(other)
        expect([machine.bucket.uploads.size, machine.pages.size]).toEqual([0, 0])
      }).pipe(onEmulator)
  )
})

describe("an archive that the store cannot have", () => {
  it.effect("is rejected when it is larger than an object may be, or would have too many parts", () =>
    Effect.gen(function*() {
      const given = yield* archive(pattern(2.5 * mebibyte))
      const limits = [{ maximumObjectSize: 2 * mebibyte }, { maximumParts: 2, maximumPartSize: mebibyte }]
      for (const limit of limits) {
        const machine = yield* makeMachine({ limits: limit })
        const error = yield* machine.done(Effect.flip(move(given)))
        expect(error).toMatchObject({ _tag: "ObjectRejected", reason: "size" })
        expect(error.message).toContain("2,621,440 bytes")
        expect(machine.bucket.uploads.size).toBe(0)
      }
    }).pipe(onEmulator))

  it.effect("is rejected when its key has more than 1,024 bytes in UTF-8", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const given = yield* archive(pattern(10), "\u65e5".repeat(80))
      const prefix = `${"p".repeat(199)}/${"q".repeat(199)}/${"r".repeat(199)}/`
      yield* machine.done(move(given, { prefix: `${prefix}${"s".repeat(183)}/` }))
      const error = yield* machine.done(Effect.flip(move(given, { prefix: `${prefix}${"s".repeat(184)}/` })))
      expect(error).toMatchObject({ _tag: "ObjectRejected", reason: "key" })
    }).pipe(onEmulator))
})

describe("S3Destination.make", () => {
  it.effect("rejects invalid options", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine({ limits: { minimumPartSize: 5 * mebibyte, maximumPartSize: 64 * mebibyte } })
      const invalid: ReadonlyArray<readonly [field: string, options: S3Destination.Options]> = [
        ...["/", "/a/", "a", "a//b/", "../", "a/../b/", "a\n/"].map((prefix) => ["prefix", { prefix }] as const),
        ...[4 * mebibyte, 128 * mebibyte, 10 * mebibyte, 0].map((partSize) => ["partSize", { partSize }] as const),
        ["concurrency", { concurrency: 0 }],
        ["readBack", { partSize: 8 * mebibyte, storageClass: "DEEP_ARCHIVE", readBack: "sample" }],
        ["readBack", { partSize: 8 * mebibyte, storageClass: "GLACIER", readBack: "all" }]
      ]
      for (const [field, options] of invalid) {
        const error = yield* machine.done(Effect.flip(S3Destination.make(options)))
        expect(error).toMatchObject({ _tag: "InvalidInput", field })
      }
      yield* machine.done(S3Destination.make({ prefix: "a/b c/", partSize: 8 * mebibyte }))
    }))
})

describe("S3Destination.verify", () => {
  it.effect("accepts the proof of an object only while the object is the same", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const given = yield* archive(pattern(1.5 * mebibyte))
      const proof = yield* machine.done(move(given))
      const verify = (options = small) =>
        machine.done(Effect.flatMap(S3Destination.make(options), ({ verify }) => verify(given.archive, proof)))
      const { objects } = machine.bucket
      const object = Option.getOrThrow(Option.fromNullable(objects.get("a.txt")))
      expect(yield* verify()).toBe(true)
      expect(yield* verify({ ...small, prefix: "b/" })).toBe(false)
      const { checksums, metadata } = object
      const changes: ReadonlyArray<Partial<ObjectStore.ObjectInfo>> = [
        { size: object.size + 1 },
        { checksums: { ...checksums, etag: "another" } },
        { checksums: { ...checksums, sha256: "another" } },
        { metadata: { ...metadata, "glacier-archive-id": "another" } }
      ]
      for (const change of changes) {
        objects.set("a.txt", { ...object, ...change })
        expect(yield* verify()).toBe(false)
      }
      objects.clear()
      expect(yield* verify()).toBe(false)
    }).pipe(onEmulator))
})
