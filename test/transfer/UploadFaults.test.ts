/** Uploads whose responses are lost, have another tree hash, or could belong to an upload of another program. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Faults from "../../src/testing/Faults.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import * as Uploader from "../../src/transfer/Uploader.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { address, mebibyte, openUploads, pattern, replacing, same, stored } from "./support.ts"

const bytes = pattern(3_000_000)
const small = pattern(10)
const settings = { partSize: mebibyte, concurrency: 1 }

type Script = ReadonlyArray<Faults.Step>

const create = Effect.flatMap(GlacierClient, (glacier) => glacier.createVault(address))

/** Provides an emulator with a vault, a checkpoint in memory, and the faults. */
const over = (script: Script) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.zipRight(create, effect).pipe(
    Effect.provide(Faults.layerClient()),
    Effect.provide(Faults.layer({ script })),
    Effect.provide(TestGlacier.layer({ jobDelay: 0, inventoryDelay: 0 })),
    Effect.provide(Layer.merge(NodeHashing.layer, Checkpoint.layerMemory)),
    inVirtualTime
  )

/** A client of its own, to the same service. */
const onOtherHost = Effect.provide(Layer.fresh(TestGlacier.layerClient()))

const archives = Effect.flatMap(
  GlacierClient,
  (glacier) => Effect.map(glacier.describeVault(address), ({ numberOfArchives }) => Option.getOrThrow(numberOfArchives))
)

describe("an upload of several hosts in one vault", () => {
  it.live("never continues the upload of another host that looks the same, even after its own opening failed", () =>
    Effect.gen(function*() {
      const others = pattern(3_000_000).fill(9, 0, 100)
      // The other host has opened its upload, which has no part yet.
      const { uploadId } = yield* onOtherHost(
        Effect.flatMap(
          GlacierClient,
          (glacier) => glacier.initiateMultipartUpload({ ...address, partSize: mebibyte })
        )
      )
      const mine = yield* Upload.upload(address, Source.bytes(bytes), settings)
      const theirs = yield* onOtherHost(Upload.resume(address, uploadId, Source.bytes(others)))
      expect(theirs.archiveId).not.toBe(mine.archiveId)
      expect(same((yield* stored(mine.archiveId)).bytes, bytes)).toBe(true)
      expect(same((yield* stored(theirs.archiveId)).bytes, others)).toBe(true)
    }).pipe(over([{ fault: "Unavailable", operation: "InitiateMultipartUpload", at: 1 }])))

  it.live("opens another upload when the response to the opening is lost, and leaves an empty one", () =>
    Effect.gen(function*() {
      const { archiveId } = yield* Upload.upload(address, Source.bytes(bytes), settings)
      expect(same((yield* stored(archiveId)).bytes, bytes)).toBe(true)
      const glacier = yield* GlacierClient
      const left = yield* openUploads
      expect(left).toHaveLength(1)
      for (const { uploadId } of left) {
        expect((yield* glacier.listParts({ ...address, uploadId })).parts).toEqual([])
      }
    }).pipe(over([{ fault: "LostResponse", operation: "InitiateMultipartUpload", at: 1 }])))
})

describe("a failed upload", () => {
  it.live("is aborted even if the clock was set back since it was opened", () =>
    Effect.gen(function*() {
      const clock = yield* Effect.clock
      let back = 0
      const millis = () => clock.unsafeCurrentTimeMillis() - back
      const setBack = Effect.sync(() => void (back = 3_600_000))
      const error = yield* Upload.upload(address, Source.bytes(bytes), { ...settings, onInitiated: () => setBack })
        .pipe(
          Effect.withClock({
            ...clock,
            unsafeCurrentTimeMillis: millis,
            currentTimeMillis: Effect.sync(millis)
          }),
          Effect.flip
        )
      expect(error).toMatchObject({ _tag: "ChecksumMismatch" })
      expect(yield* openUploads).toEqual([])
    }).pipe(over([
      { fault: "Unavailable", operation: "InitiateMultipartUpload", at: 1 },
      { fault: "RejectedTreeHash", operation: "UploadMultipartPart", at: 1 }
    ])))
})

const complete = "CompleteMultipartUpload"
const forgotten: Script = [
  { fault: "LostResponse", operation: complete, at: 1 },
  { fault: "GoneAfterComplete", operation: complete, at: 2 }
]

describe("an upload that was completed and forgotten by the service before the response arrived", () => {
  const source = Source.bytes(bytes)
  const ways: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown, GlacierClient | Checkpoint.Checkpoint>]> =
    [
      ["upload", Upload.upload(address, source, settings)],
      ["upload that is kept", Upload.upload(address, source, { ...settings, onFailure: "keep" })],
      ["upload with a checkpoint", Upload.uploadWithCheckpoint(address, "name", source, settings)],
      [
        "Uploader",
        Effect.scoped(
          Effect.flatMap(Uploader.make(address, settings), ({ close, write }) => Effect.zipRight(write(bytes), close))
        )
      ],
      [
        "resume",
        Effect.flatMap(
          GlacierClient,
          (glacier) =>
            Effect.flatMap(
              glacier.initiateMultipartUpload({ ...address, partSize: mebibyte }),
              ({ uploadId }) => Upload.resume(address, uploadId, source)
            )
        )
      ]
    ]

  it.live.each(ways)(
    "fails with OutcomeUnknown and the tree hash to look for: %s",
    ([, uploading]) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(uploading)
        expect(error).toMatchObject({
          _tag: "OutcomeUnknown",
          operation: complete,
          message: expect.stringMatching(/tree hash [0-9a-f]{64} in the next inventory/)
        })
        expect(yield* archives).toBe(1)
      }).pipe(over(forgotten))
  )

  it.live("fails with UploadNotFound when no response was lost before", () =>
    Effect.gen(function*() {
      expect(yield* Effect.flip(Upload.upload(address, source, settings))).toMatchObject({ _tag: "UploadNotFound" })
    }).pipe(over([{ fault: "GoneAfterComplete", operation: complete, at: 1 }])))

  it.live("fails with OutcomeUnknown when the policy does not retry and there is nothing to abort", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Effect.provideService(Upload.upload(address, source, settings), RetryPolicy.RetryPolicy, RetryPolicy.none)
      )
      expect(error).toMatchObject({ _tag: "OutcomeUnknown", operation: complete })
      expect(yield* archives).toBe(1)
    }).pipe(over([{ fault: "LostResponse", operation: complete, at: 1 }])))

  it.live("fails with the connection error, and is aborted, when the lost request never arrived", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Effect.provideService(Upload.upload(address, source, settings), RetryPolicy.RetryPolicy, RetryPolicy.none)
      )
      expect(error).toMatchObject({ _tag: "AttemptTimeout" })
      expect(yield* openUploads).toEqual([])
    }).pipe(over([{ fault: "LostRequest", operation: complete, at: 1 }])))
})

describe("the resume of an upload that was completed", () => {
  const resumed = (bytes: Uint8Array) =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      const { uploadId } = yield* glacier.initiateMultipartUpload({ ...address, partSize: mebibyte })
      const first = yield* Upload.resume(address, uploadId, Source.bytes(pattern(3_000_000)))
      const again = yield* Effect.either(Upload.resume(address, uploadId, Source.bytes(bytes)))
      return { first, again }
    })

  const others = pattern(3_000_000).fill(9, 0, 100)

  it.live("fails when the response has no tree hash", () =>
    Effect.gen(function*() {
      const { again, first } = yield* resumed(others)
      expect(again).toMatchObject({
        _tag: "Left",
        left: { _tag: "OutcomeUnknown", message: expect.stringContaining(first.archiveId) }
      })
    }).pipe(
      // A service that repeats its response to any completion.
      replacing((glacier) => {
        let archive: Effect.Effect.Success<ReturnType<typeof glacier.completeMultipartUpload>> | undefined
        return {
          completeMultipartUpload: (input) =>
            archive === undefined
              ? Effect.map(glacier.completeMultipartUpload(input), (response) => (archive = {
                ...response,
                treeHash: Option.none()
              }))
              : Effect.succeed(archive)
        }
      }),
      over([])
    ))

  it.live("fails with SourceChanged when the service rejects the other bytes", () =>
    Effect.gen(function*() {
      for (const bytes of [others, pattern(10)]) {
        const { again } = yield* resumed(bytes)
        expect(again).toMatchObject({ _tag: "Left", left: { _tag: "SourceChanged" } })
      }
    }).pipe(over([])))

  it.live("returns that archive when the bytes are the same", () =>
    Effect.gen(function*() {
      const { again, first } = yield* resumed(bytes)
      expect(again).toMatchObject({ _tag: "Right", right: { archiveId: first.archiveId } })
    }).pipe(over([])))
})

describe("bytes that are damaged in transit", () => {
  it.live.each<readonly [string, Uint8Array, string]>([
    ["a part", bytes, "UploadMultipartPart"],
    ["a single request", small, "UploadArchive"]
  ])("heal: %s", ([, all, operation]) =>
    Effect.gen(function*() {
      const { archiveId } = yield* Upload.upload(address, Source.bytes(all), settings)
      expect(same((yield* stored(archiveId)).bytes, all)).toBe(true)
      expect(yield* (yield* Faults.Faults).counts).toEqual({ FlippedBit: 1 })
      expect(yield* archives).toBe(1)
    }).pipe(over([{ fault: "FlippedBit", operation, at: all === bytes ? 2 : 1 }])))

  it.live("fail with ChecksumMismatch when each attempt is damaged, and the upload is aborted", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Effect.provideService(
          Upload.upload(address, Source.bytes(bytes), settings),
          RetryPolicy.RetryPolicy,
          RetryPolicy.standard
        )
      )
      expect(error).toMatchObject({ _tag: "ChecksumMismatch", status: 403 })
      expect(yield* openUploads).toEqual([])
    }).pipe(over([{ fault: "DamagedBodies", operation: "UploadMultipartPart", at: 2 }])))
})

describe("a response with another tree hash", () => {
  it.live("makes the upload send a part again", () =>
    Effect.gen(function*() {
      const { archiveId } = yield* Upload.upload(address, Source.bytes(bytes), settings)
      expect(same((yield* stored(archiveId)).bytes, bytes)).toBe(true)
    }).pipe(over([{ fault: "WrongTreeHash", operation: "UploadMultipartPart", at: 2 }])))

  it.live.each<readonly [string, Uint8Array, string]>([
    ["several parts", bytes, complete],
    ["a single request", small, "UploadArchive"]
  ])(
    "makes the upload fail with the id of the archive, which can be deleted: %s",
    ([, all, operation]) =>
      Effect.gen(function*() {
        const glacier = yield* GlacierClient
        const error = yield* Effect.flip(Upload.upload(address, Source.bytes(all), { ...settings, onFailure: "keep" }))
        expect(error).toMatchObject({ _tag: "ChecksumMismatch", status: 201 })
        const archiveId = error._tag === "ChecksumMismatch" ? error.archiveId ?? "" : ""
        expect(yield* archives).toBe(1)
        yield* glacier.deleteArchive({ ...address, archiveId })
        expect(yield* archives).toBe(0)
        expect(yield* openUploads).toEqual([])
      }).pipe(over([{ fault: "WrongTreeHash", operation, at: 1 }]))
  )
})
