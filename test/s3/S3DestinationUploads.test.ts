/** The multipart uploads of a destination: resumed, replaced or aborted, and those of others left alone. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ObjectStore from "../../src/s3/ObjectStore.ts"
import * as S3Destination from "../../src/s3/S3Destination.ts"
import type * as Job from "../../src/services/Job.ts"
import type { StoredUpload } from "../../src/testing/TestObjectStore.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import { same } from "../transfer/support.ts"
import * as Support from "./support.ts"

const { archive, makeMachine, mebibyte, move, onEmulator, pattern, putObject, replacing, small } = Support

const size = 3.5 * mebibyte

/** A move that was killed when it had sent its first two parts. */
const killed = Effect.fnUntraced(function*(size = 3.5 * mebibyte) {
  const machine = yield* makeMachine()
  const given = yield* archive(pattern(size))
  yield* machine.run(move(given), { cut: { at: 6, ends: "process", loses: "request" } })
  const [upload] = machine.bucket.uploads.values()
  if (upload === undefined) return yield* Effect.dieMessage("no upload is open")
  expect(Array.from(upload.parts.keys())).toEqual([1, 2])
  machine.taken()
  return { given, machine, upload }
})

const partsOf = (machine: Support.Machine): number =>
  machine.taken().filter((call) => call.startsWith("UploadPart")).length

const expectMoved = ({ bucket, pages }: Support.Machine, { bytes }: Support.Given) => {
  expect(same(bucket.objects.get("a.txt")?.bytes ?? new Uint8Array(), bytes)).toBe(true)
  expect([bucket.uploads.size, pages.size]).toEqual([0, 0])
}

describe("an upload that is resumed", () => {
  it.effect("sends only the parts that the store does not list as they were recorded", () =>
    Effect.gen(function*() {
      const changes: ReadonlyArray<readonly [sent: number, change: (parts: StoredUpload["parts"]) => void]> = [
        [2, () => undefined],
        [3, (parts) => parts.delete(1)],
        [4, (parts) => parts.clear()],
        [3, (parts) => {
          const part = parts.get(2)
          if (part !== undefined) parts.set(2, { ...part, etag: "another" })
        }],
        [3, (parts) => {
          const part = parts.get(2)
          if (part !== undefined) parts.set(2, { ...part, bytes: part.bytes.subarray(1) })
        }]
      ]
      for (const [sent, change] of changes) {
        const { given, machine, upload } = yield* killed()
        change(upload.parts)
        yield* machine.done(move(given))
        expect(partsOf(machine)).toBe(sent)
        expectMoved(machine, given)
      }
    }).pipe(onEmulator))

  it.effect("is replaced by a new one when the store does not have it any more", () =>
    Effect.gen(function*() {
      const { given, machine } = yield* killed()
      machine.bucket.uploads.clear()
      yield* machine.done(move(given))
      expect(partsOf(machine)).toBe(4)
      expectMoved(machine, given)
    }).pipe(onEmulator))

  const others: ReadonlyArray<readonly [name: string, sent: number, options: S3Destination.Options]> = [
    ["larger parts", 2, { ...small, partSize: 2 * mebibyte }],
    ["a single request", 0, { ...small, partSize: 4 * mebibyte }],
    ["another storage class", 3, { ...small, storageClass: "DEEP_ARCHIVE" }]
  ]
  it.effect.each(others)("is aborted and replaced for %s", ([_, sent, options]) =>
    Effect.gen(function*() {
      // Its last part has the same number and size as the second one of the upload before.
      const { given, machine } = yield* killed(3 * mebibyte)
      yield* machine.done(move(given, options))
      expect(partsOf(machine)).toBe(sent)
      expectMoved(machine, given)
    }).pipe(onEmulator))

  it.effect("is aborted and replaced for another archive with the same path", () =>
    Effect.gen(function*() {
      const { machine } = yield* killed()
      const other = yield* archive(pattern(size).fill(9))
      yield* machine.done(move(other))
      expect(partsOf(machine)).toBe(4)
      expectMoved(machine, other)
    }).pipe(onEmulator))

  it.effect("is aborted when another object has its key by now", () =>
    Effect.gen(function*() {
      const { given, machine } = yield* killed()
      const other = yield* putObject(pattern(10))
      machine.bucket.objects.set("a.txt", other)
      expect(yield* machine.done(Effect.flip(move(given)))).toMatchObject({ reason: "exists" })
      expect(machine.bucket.objects.get("a.txt")).toBe(other)
      expect([machine.bucket.uploads.size, machine.pages.size]).toEqual([0, 0])
    }).pipe(onEmulator))

  it.effect("is resumed when the object at its key is to be replaced", () =>
    Effect.gen(function*() {
      const { given, machine } = yield* killed()
      machine.bucket.objects.set("a.txt", yield* putObject(pattern(10)))
      yield* machine.done(move(given, { ...small, overwrite: true }))
      expect(partsOf(machine)).toBe(2)
      expectMoved(machine, given)
    }).pipe(onEmulator))
})

describe("a multipart upload", () => {
  it.effect("is aborted, and no object appears, when the output is not the archive", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      for (const size of [mebibyte, 2.5 * mebibyte]) {
        const { archive: own } = yield* archive(pattern(size))
        const { job } = yield* archive(pattern(size).fill(9))
        const { job: shorter } = yield* archive(pattern(size - 1024))
        for (const wrong of [job, shorter]) {
          const error = yield* machine.done(
            move({ archive: own, job: wrong, bytes: new Uint8Array() }).pipe(Effect.flip)
          )
          expect(error).toMatchObject({ _tag: "BrokenOutput" })
          expect([machine.bucket.objects.size, machine.bucket.uploads.size, machine.pages.size]).toEqual([0, 0, 0])
        }
      }
    }).pipe(onEmulator))

  it.effect("is not begun, and no object appears, when the output is longer than an archive of one request", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const own = yield* archive(pattern(mebibyte).fill(9))
      const { job: whole } = yield* archive(pattern(2 * mebibyte))
      // As if the service knew no tree hash of the job.
      const job: Job.Service = {
        ...whole,
        outputByWindow: (use, options) => whole.outputByWindow(use, { ...options, treeHash: undefined })
      }
      expect(yield* machine.done(Effect.flip(move({ ...own, job })))).toMatchObject({ _tag: "BrokenOutput" })
      expect(machine.taken().filter((call) => /Put|Create/.test(call))).toEqual([])
    }).pipe(onEmulator))

  it.effect("counts as completed when the store says that it is gone, but has its object", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const given = yield* archive(pattern(size))
      const gone = replacing(({ complete, locationOf }) => ({
        complete: (upload, ...args) =>
          Effect.zipRight(
            complete(upload, ...args),
            new ObjectStore.ObjectUploadGone({ location: locationOf(upload.key), uploadId: upload.uploadId })
          )
      }))
      expect(yield* machine.done(gone(move(given)))).toMatchObject({ treeHash: given.archive.treeHash })
      expectMoved(machine, given)
    }).pipe(onEmulator))

  it.effect("fails when it is gone without an object, and the next run begins again", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const given = yield* archive(pattern(size))
      const aborted = replacing(({ abort, complete }) => ({
        complete: (upload, ...args) => Effect.zipRight(Effect.ignore(abort(upload)), complete(upload, ...args))
      }))
      expect(yield* machine.done(aborted(Effect.flip(move(given))))).toMatchObject({ _tag: "ObjectUploadGone" })
      yield* machine.done(move(given))
      expectMoved(machine, given)
    }).pipe(onEmulator))

  it.effect("whose id was never received is aborted in any case, even if that is interrupted, too", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const given = yield* archive(pattern(size))
      yield* machine.run(move(given), { cut: { at: 3, ends: "process", loses: "response" } })
      yield* machine.run(move(given), { cut: { at: 3, ends: "process", loses: "request" } })
      expect(machine.taken().at(-1)).toBe("AbortMultipartUpload a.txt")
      yield* machine.done(move(given))
      expectMoved(machine, given)
    }).pipe(onEmulator))

  it.effect("does not touch uploads of others to the same key or to another one", () =>
    Effect.gen(function*() {
      const given = yield* archive(pattern(size))
      // The program is killed when it has begun the upload, but does not know it, or when it has sent a part.
      for (const at of [3, 4]) {
        const machine = yield* makeMachine()
        const { attempts, uploads } = machine.bucket
        for (const key of ["a.txt", "a.txt", "a.txt.old", "b"]) yield* attempts.begin({ key, metadata: {} })
        const foreign = Array.from(uploads.keys())
        yield* machine.run(move(given), { cut: { at, ends: "process", loses: "response" } })
        expect(machine.taken().at(-1)).toBe(at === 3 ? "CreateMultipartUpload a.txt" : "UploadPart a.txt")
        expect(uploads.size).toBe(5)
        foreign.push((yield* attempts.begin({ key: "a.txt.new", metadata: {} })).uploadId)
        yield* machine.done(move(given))
        expect(Array.from(uploads.keys())).toEqual(foreign)
      }
    }).pipe(onEmulator))

  it.effect("does not touch an upload of others that is opened to its key a day after it began", () =>
    Effect.gen(function*() {
      const { given, machine, upload } = yield* killed()
      yield* Effect.sleep("20 hours")
      const later = yield* machine.bucket.attempts.begin({ key: "a.txt", metadata: {} })
      yield* machine.done(move(given))
      expect(machine.bucket.uploads.has(upload.uploadId)).toBe(false)
      expect(Array.from(machine.bucket.uploads.keys())).toEqual([later.uploadId])
    }).pipe(onEmulator))
})

describe("S3Destination.abortAbandoned", () => {
  it.effect("aborts the uploads that a log knows or intended, and forgets their logs", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const { attempts, uploads } = machine.bucket
      yield* attempts.begin({ key: "in/foreign", metadata: {} })
      const all = yield* Effect.forEach(["known", "__proto__", "intended"], (path) => archive(pattern(size), path))
      // The ids of the first two are recorded, that of the third is not.
      for (const [index, given] of all.entries()) {
        const at = index < 2 ? 6 : 3
        const moving = move(given, { ...small, prefix: "in/" })
        yield* machine.run(moving, { cut: { at, ends: "process", loses: "response" } })
      }
      const out = yield* archive(pattern(size), "outside")
      yield* machine.run(move(out), { cut: { at: 6, ends: "process", loses: "response" } })
      const aborted = yield* machine.done(S3Destination.abortAbandoned({ prefix: "in/" }))
      expect(aborted.map(({ key }) => key)).toEqual(["in/__proto__", "in/intended", "in/known"])
      expect(Array.from(uploads.values(), ({ key }) => key)).toEqual(["in/foreign", "outside"])
      expect(yield* machine.done(S3Destination.abortAbandoned({ prefix: "in/" }))).toEqual([])
      expect((yield* machine.done(S3Destination.abortAbandoned())).map(({ key }) => key)).toEqual(["outside"])
      expect(machine.pages.size).toBe(0)
    }).pipe(onEmulator))

  it.effect("skips the uploads of a program that is running", () =>
    Effect.gen(function*() {
      const { machine } = yield* killed()
      const aborted = yield* machine.done(Effect.scoped(Effect.gen(function*() {
        const { open } = yield* Checkpoint.Checkpoint
        yield* open("upload to s3://bucket/a.txt")
        return yield* S3Destination.abortAbandoned()
      })))
      expect(aborted).toEqual([])
      expect(machine.bucket.uploads.size).toBe(1)
    }).pipe(onEmulator))
})

describe("two programs that move the same archive", () => {
  it.effect("do not upload it at the same time: the second one fails with CheckpointInUse", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const { archive: own, job } = yield* archive(pattern(size))
      const exits = yield* machine.done(Effect.flatMap(S3Destination.make(small), ({ store }) => {
        const storing = Effect.either(store(own, job, () => Effect.void))
        return Effect.all([storing, storing], { concurrency: 2 })
      }))
      expect(exits.map(({ _tag }) => _tag)).toEqual(["Right", "Left"])
      expect(exits[1]).toMatchObject({ left: { _tag: "CheckpointInUse" } })
    }).pipe(onEmulator))

  it.effect("accept no object that the other one may still have to check", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const given = yield* archive(pattern(size))
      yield* machine.done(move(given))
      const error = yield* machine.done(Effect.scoped(Effect.gen(function*() {
        const { open } = yield* Checkpoint.Checkpoint
        yield* open("upload to s3://bucket/a.txt")
        const { find } = yield* S3Destination.make(small)
        return yield* Effect.flip(find(given.archive))
      })))
      expect(error).toMatchObject({ _tag: "CheckpointInUse" })
    }).pipe(onEmulator))
})
