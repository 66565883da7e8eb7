/** Objects that are checked after they were stored. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as S3Destination from "../../src/s3/S3Destination.ts"
import type * as TestObjectStore from "../../src/testing/TestObjectStore.ts"
import { gauge, same } from "../transfer/support.ts"
import * as Support from "./support.ts"

const { archive, makeMachine, mebibyte, move, onEmulator, pattern, replacing, small } = Support

type Change = (object: TestObjectStore.StoredObject) => TestObjectStore.StoredObject

/** Runs an effect with a store that changes each object after it was created. */
const damaging = ({ bucket: { objects } }: Support.Machine, change: Change) => {
  const damage = Effect.sync(() => {
    for (const [key, object] of objects) objects.set(key, change(object))
  })
  return replacing(({ complete, put }) => ({
    put: (...args) => Effect.tap(put(...args), damage),
    complete: (...args) => Effect.tap(complete(...args), damage)
  }))
}

/** Flips a bit of the byte at a position. */
const flipAt = (position: number): Change => (object) => {
  const bytes = new Uint8Array(object.bytes)
  bytes[position] = (bytes[position] ?? 0) ^ 1
  return { ...object, bytes }
}

/** An object that is stored in one request, and an object of parts. */
const sizes = [mebibyte, 3.5 * mebibyte]

describe.each(sizes)("an object of %i bytes", (size) => {
  const wrong: ReadonlyArray<readonly [name: string, change: Change, text: string]> = [
    ["size", (object) => ({ ...object, size: size - 1 }), `has ${size - 1} bytes instead of ${size}`],
    ["ETag", (object) => ({ ...object, checksums: { ...object.checksums, etag: "b" } }), "has the ETag b instead of"],
    [
      "SHA-256",
      (object) => ({ ...object, checksums: { ...object.checksums, sha256: "b" } }),
      "has the SHA-256 b instead of"
    ],
    ["metadata", (object) => ({ ...object, metadata: {} }), "does not have the metadata"]
  ]

  it.effect.each(wrong)(
    "fails with ObjectWrong and remains when the store reports another %s",
    ([_, change, text]) =>
      Effect.gen(function*() {
        const machine = yield* makeMachine()
        const given = yield* archive(pattern(size))
        const error = yield* machine.done(damaging(machine, change)(Effect.flip(move(given))))
        expect(error).toMatchObject({ _tag: "ObjectWrong", location: "s3://bucket/a.txt" })
        expect(error.message).toContain(text)
        expect(machine.bucket.objects.size).toBe(1)
      }).pipe(onEmulator)
  )

  it.effect("is not accepted by the next run when a program dies before it has replaced the wrong object", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const given = yield* archive(pattern(size))
      const change: Change = (object) => ({ ...flipAt(7)(object), checksums: { ...object.checksums, sha256: "b" } })
      yield* machine.done(damaging(machine, change)(Effect.flip(move(given))))
      const find = Effect.flatMap(S3Destination.make({ ...small, overwrite: true }), ({ find }) => find(given.archive))
      for (let run = 0; run < 2; run++) expect(yield* machine.done(find)).toEqual(Option.none())
    }).pipe(onEmulator))

  it.effect("fails with ObjectWrong when it has disappeared", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const given = yield* archive(pattern(size))
      const vanishing = replacing(({ complete, put }) => ({
        put: (...args) => Effect.tap(put(...args), Effect.sync(() => machine.bucket.objects.clear())),
        complete: (...args) => Effect.tap(complete(...args), Effect.sync(() => machine.bucket.objects.clear()))
      }))
      expect(yield* machine.done(vanishing(Effect.flip(move(given))))).toMatchObject({ _tag: "ObjectWrong" })
    }).pipe(onEmulator))

  it.effect("needs no SHA-256 of a store that has none", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine({ sha256: false })
      const given = yield* archive(pattern(size))
      const { checksums } = yield* machine.done(move(given))
      expect(Object.keys(checksums)).toEqual(["etag"])
    }).pipe(onEmulator))

  it.effect("is read as far as asked, and fails with ObjectWrong when a byte read is wrong", () =>
    Effect.gen(function*() {
      const given = yield* archive(pattern(size))
      const last = size - 1
      const middle = Math.floor(size / 2)
      const outcomes: Array<readonly [readBack: string, position: number, tag: string]> = []
      for (const readBack of ["none", "sample", "all"] as const) {
        for (const position of [0, middle, last]) {
          const machine = yield* makeMachine()
          const moving = damaging(machine, flipAt(position))(move(given, { ...small, readBack }))
          const exit = yield* Effect.either(machine.done(moving))
          outcomes.push([readBack, position, exit._tag])
        }
      }
      // The random part of the sample is the third one, not the part in the middle.
      const isInSample = size <= mebibyte
      expect(outcomes).toEqual([
        ["none", 0, "Right"],
        ["none", middle, "Right"],
        ["none", last, "Right"],
        ["sample", 0, "Left"],
        ["sample", middle, isInSample ? "Left" : "Right"],
        ["sample", last, "Left"],
        ["all", 0, "Left"],
        ["all", middle, "Left"],
        ["all", last, "Left"]
      ])
    }).pipe(Effect.withRandom(Random.fixed([2])), onEmulator))

  it.effect("that exists and is wrong is reported when everything is read, and replaced only with overwrite", () =>
    Effect.gen(function*() {
      const machine = yield* makeMachine()
      const given = yield* archive(pattern(size))
      const { objects } = machine.bucket
      yield* machine.done(move(given))
      const damaged = flipAt(7)(Option.getOrThrow(Option.fromNullable(objects.get("a.txt"))))
      objects.set("a.txt", damaged)
      const all: S3Destination.Options = { ...small, readBack: "all" }
      expect(yield* machine.done(Effect.flip(move(given, all)))).toMatchObject({ _tag: "ObjectWrong" })
      expect(objects.get("a.txt")).toBe(damaged)
      yield* machine.done(move(given, { ...all, overwrite: true }))
      expect(same(objects.get("a.txt")?.bytes ?? new Uint8Array(), given.bytes)).toBe(true)
    }).pipe(onEmulator))
})

it.effect("reads at most `concurrency` ranges at once, of all objects together", () =>
  Effect.gen(function*() {
    const machine = yield* makeMachine()
    const all = yield* Effect.forEach(["a", "b", "c"], (path) => archive(pattern(3 * mebibyte), path))
    yield* Effect.forEach(all, (given) => machine.done(move(given)))
    const ranges = gauge()
    const counting = replacing(({ get }) => ({
      get: (key, range) =>
        Stream.unwrapScoped(Effect.as(
          Effect.acquireRelease(Effect.sync(ranges.add), () => Effect.sync(ranges.remove)),
          get(key, range)
        ))
    }))
    const finding = Effect.flatMap(
      S3Destination.make({ partSize: mebibyte, concurrency: 2, readBack: "all" }),
      ({ find }) => Effect.forEach(all, ({ archive }) => find(archive), { concurrency: "unbounded", discard: true })
    )
    yield* machine.done(counting(finding))
    expect([ranges.total, ranges.peak]).toEqual([9, 2])
  }).pipe(onEmulator))

describe.each(sizes)("an object of %i bytes that failed its check", (size) => {
  it.effect("is not accepted by the next run, but stored again when it was deleted", () =>
    Effect.gen(function*() {
      const changes: ReadonlyArray<readonly [change: Change, readBack: "none" | "sample"]> = [
        [(object) => ({ ...object, checksums: { ...object.checksums, sha256: "b" } }), "none"],
        [flipAt(0), "sample"]
      ]
      for (const [change, readBack] of changes) {
        const machine = yield* makeMachine()
        const given = yield* archive(pattern(size))
        const moving = move(given, { ...small, readBack })
        yield* machine.done(damaging(machine, change)(Effect.flip(moving)))
        expect(yield* machine.done(Effect.flip(moving))).toMatchObject({ _tag: "ObjectWrong" })
        machine.bucket.objects.clear()
        yield* machine.done(moving)
        expect(same(machine.bucket.objects.get("a.txt")?.bytes ?? new Uint8Array(), given.bytes)).toBe(true)
        expect([machine.bucket.uploads.size, machine.pages.size]).toEqual([0, 0])
      }
    }).pipe(onEmulator))
})

describe.each([
  // The last HEAD, after 2 HEADs and the request with all bytes.
  [mebibyte, 4, "PutObject a.txt"],
  // The last HEAD, after 1 HEAD, 1 list, the beginning, 3 parts, 1 HEAD and the completion.
  [2.5 * mebibyte, 9, "CompleteMultipartUpload a.txt"]
])("an object of %i bytes whose program died before it was checked", (size, at, creation) => {
  const died = Effect.fnUntraced(function*(change: Change) {
    const machine = yield* makeMachine()
    const given = yield* archive(pattern(size))
    const dying = damaging(machine, change)(move(given))
    yield* machine.run(dying, { cut: { at, ends: "process", loses: "request" } })
    expect(machine.taken().slice(-2)).toEqual([creation, "HeadObject a.txt"])
    return { given, machine }
  })

  it.effect("is checked by the next run", () =>
    Effect.gen(function*() {
      const changed: Change = (object) => ({ ...object, checksums: { ...object.checksums, sha256: "b" } })
      const { given, machine } = yield* died(changed)
      expect(yield* machine.done(Effect.flip(move(given)))).toMatchObject({ _tag: "ObjectWrong" })
      const next = move(given, { ...small, overwrite: true })
      expect(yield* machine.done(next)).toMatchObject({ treeHash: given.archive.treeHash })
      expect(machine.bucket.objects.get("a.txt")?.checksums.sha256).not.toBe("b")
      expect([machine.bucket.uploads.size, machine.pages.size]).toEqual([0, 0])
    }).pipe(onEmulator))

  it.effect("is read by the next run as far as asked", () =>
    Effect.gen(function*() {
      const { given, machine } = yield* died(flipAt(0))
      const sample = move(given, { ...small, readBack: "sample" })
      expect(yield* machine.done(Effect.flip(sample))).toMatchObject({ _tag: "ObjectWrong" })
      expect(yield* machine.done(move(given))).toMatchObject({ treeHash: given.archive.treeHash })
      expect(machine.pages.size).toBe(0)
    }).pipe(onEmulator))

  it.effect("is accepted by store itself, without another upload", () =>
    Effect.gen(function*() {
      const { given: { archive, job }, machine } = yield* died((object) => object)
      yield* machine.done(
        Effect.flatMap(S3Destination.make(small), ({ store }) => store(archive, job, () => Effect.void))
      )
      const calls = ["HeadObject a.txt", "HeadObject a.txt", "ListMultipartUploads a.txt"]
      expect(machine.taken()).toEqual(calls.slice(0, size > mebibyte ? 3 : 2))
    }).pipe(onEmulator))
})
