/**
 * The cases of uploads: archives in one request and in parts.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Pages from "../../../client/Pages.ts"
import * as ByteRange from "../../../protocol/ByteRange.ts"
import * as ServiceError from "../../../protocol/ServiceError.ts"
import { Hasher } from "../../../transport/Hasher.ts"
import { expect } from "../expect.ts"
import { type Case, test } from "./case.ts"
import { all, collect, created, mebibyte, putPart, ramp, rejected, retrieve, slice, treeHash } from "./support.ts"

export const uploads: ReadonlyArray<Case> = [
  test(
    "parts are uploaded in any order and more than once, and completing the upload verifies them",
    () =>
      Effect.gen(function*() {
        const { account, glacier, vaultName } = yield* created("multipart")
        const body = ramp(2 * mebibyte + mebibyte / 2)
        const parts = [0, 1, 2].map((index) =>
          ByteRange.make(index * mebibyte, Math.min(mebibyte, body.length - index * mebibyte))
        )
        const { location, uploadId } = yield* glacier.initiateMultipartUpload({
          vaultName,
          partSize: mebibyte,
          description: "three"
        })
        expect(location).toEqual(Option.some(`/${account}/vaults/${vaultName}/multipart-uploads/${uploadId}`))
        expect(yield* all(Pages.uploads({ vaultName }))).toMatchObject([
          { uploadId, partSize: mebibyte, archiveDescription: Option.some("three") }
        ])
        yield* putPart(vaultName, uploadId, mebibyte, ramp(mebibyte))
        yield* Effect.forEach(
          [...parts].reverse(),
          (range) => putPart(vaultName, uploadId, range.start, slice(body, range)),
          { concurrency: 3 }
        )
        const listed = yield* all(Pages.parts({ vaultName, uploadId }))
        const expected = parts.map((range) => ({ range, treeHash: treeHash(slice(body, range)) }))
        expect(listed).toEqual(expected)
        const first = yield* glacier.listParts({ vaultName, uploadId, limit: 2 })
        expect(first).toMatchObject({ parts: expected.slice(0, 2), partSize: mebibyte, uploadId })
        const marker = Option.getOrThrow(first.marker)
        const last = yield* glacier.listParts({ vaultName, uploadId, limit: 2, marker })
        expect(last).toMatchObject({ parts: expected.slice(2), marker: Option.none() })

        const whole = treeHash(body)
        const complete = (archiveSize: number, hash: string) =>
          glacier.completeMultipartUpload({ vaultName, uploadId, archiveSize, treeHash: hash })
        yield* rejected(complete(body.length, "0".repeat(64)), ServiceError.ChecksumMismatch)
        yield* rejected(complete(body.length - 1, whole), ServiceError.InvalidParameterValue)
        const archive = yield* complete(body.length, whole)
        expect((yield* complete(body.length, whole)).archiveId).toEqual(archive.archiveId)
        yield* rejected(glacier.listParts({ vaultName, uploadId }), ServiceError.UploadNotFound)
        expect(yield* all(Pages.uploads({ vaultName }))).toEqual([])
        const back = yield* glacier.getJobOutput(yield* retrieve(vaultName, archive.archiveId))
        expect(yield* collect(back.body)).toEqual(body)
        expect(back.archiveDescription).toEqual(Option.some("three"))
      }),
    "jobs"
  ),

  test("parts with a wrong range or hash are rejected, and an upload is aborted", () =>
    Effect.gen(function*() {
      const { glacier, vaultName } = yield* created("aborts")
      const { uploadId } = yield* glacier.initiateMultipartUpload({ vaultName, partSize: mebibyte })
      const put = (start: number, body: Uint8Array) => putPart(vaultName, uploadId, start, body)
      // The client checks only that a range is aligned to MiBs. The service checks that it is aligned to parts.
      const wide = yield* glacier.initiateMultipartUpload({ vaultName, partSize: 2 * mebibyte })
      yield* rejected(putPart(vaultName, wide.uploadId, mebibyte, ramp(10)), ServiceError.RangeNotAligned)
      yield* glacier.abortMultipartUpload({ vaultName, uploadId: wide.uploadId })
      yield* rejected(put(0, ramp(mebibyte + 1)), ServiceError.InvalidParameterValue)
      yield* rejected(put(10_000 * mebibyte, ramp(10)), ServiceError.InvalidParameterValue)
      const body = ramp(10)
      const hashes = yield* (yield* Hasher).hashes(ramp(11))
      const wrong = { vaultName, uploadId, range: ByteRange.make(0, 10), body, ...hashes }
      yield* rejected(glacier.uploadMultipartPart(wrong), ServiceError.ChecksumMismatch, /x-amz-content-sha256/)
      const { contentSha256 } = yield* (yield* Hasher).hashes(body)
      yield* rejected(
        glacier.uploadMultipartPart({ ...wrong, contentSha256 }),
        ServiceError.ChecksumMismatch,
        `Checksum mismatch: expected ${wrong.treeHash}, computed ${treeHash(body)}`
      )
      expect((yield* glacier.listParts({ vaultName, uploadId })).parts).toEqual([])
      yield* glacier.abortMultipartUpload({ vaultName, uploadId })
      yield* glacier.abortMultipartUpload({ vaultName, uploadId })
      yield* rejected(
        put(0, ramp(10)),
        ServiceError.UploadNotFound,
        new RegExp(`^The upload ID was not found: ${uploadId} \\(`)
      )
      yield* glacier.deleteVault({ vaultName })
    })),

  test("archives with wrong hashes are rejected", () =>
    Effect.gen(function*() {
      const { glacier, vaultName } = yield* created("wrong-hashes")
      const body = ramp(mebibyte + 1)
      const hasher = yield* Hasher
      const right = yield* hasher.hashes(body)
      const other = yield* hasher.hashes(ramp(mebibyte))
      yield* rejected(
        glacier.uploadArchive({ vaultName, body, ...other }),
        ServiceError.ChecksumMismatch,
        /x-amz-content-sha256/
      )
      yield* rejected(
        glacier.uploadArchive({ vaultName, body, ...right, treeHash: other.treeHash }),
        ServiceError.ChecksumMismatch,
        `Checksum mismatch: expected ${other.treeHash}, computed ${right.treeHash}`
      )
      yield* glacier.deleteVault({ vaultName })
    })),

  test("open uploads are listed in pages", () =>
    Effect.gen(function*() {
      const { glacier, vaultName } = yield* created("open-uploads")
      const ids = yield* Effect.replicateEffect(
        Effect.map(glacier.initiateMultipartUpload({ vaultName, partSize: mebibyte }), ({ uploadId }) => uploadId),
        53
      )
      const listed = yield* all(Pages.uploads({ vaultName }))
      expect(listed.map(({ uploadId }) => uploadId).sort()).toEqual([...ids].sort())
      const first = yield* glacier.listMultipartUploads({ vaultName, limit: 2 })
      const marker = Option.getOrThrow(first.marker)
      const second = yield* glacier.listMultipartUploads({ vaultName, limit: 60, marker })
      expect([...first.uploads, ...second.uploads]).toEqual(listed.slice(0, 52))
      expect(Option.isSome(second.marker)).toEqual(true)
    }))
]
