import * as Aws from "@aws-sdk/client-glacier"
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { createReadStream } from "node:fs"
import { call, mebibyte, ramp, treeHash } from "../../socket/support.ts"
import * as Support from "./support.ts"

const { created, finished, invalid, missing, notFound, output, pages, Sdk } = Support

const bytes = ramp(4 * mebibyte + 1000)

const partOf = (index: number) => bytes.subarray(index * mebibyte, (index + 1) * mebibyte)

/** Begins an upload in parts of a MiB. */
const started = (vault: Support.Vault, archiveDescription?: string) =>
  Effect.gen(function*() {
    const glacier = yield* Sdk
    const { location, uploadId } = yield* call(() =>
      glacier.initiateMultipartUpload({ ...vault, archiveDescription, partSize: String(mebibyte) })
    )
    expect(location).toBe(`/${Support.account}/vaults/${vault.vaultName}/multipart-uploads/${uploadId}`)
    return { ...vault, uploadId: uploadId! }
  })

type Upload = Effect.Effect.Success<ReturnType<typeof started>>

const rangeOf = (index: number, { length }: Uint8Array) =>
  `bytes ${index * mebibyte}-${index * mebibyte + length - 1}/*`

const put = (upload: Upload, index: number, body = partOf(index)) =>
  Effect.gen(function*() {
    const glacier = yield* Sdk
    const { checksum } = yield* call(() =>
      glacier.uploadMultipartPart({ ...upload, range: rangeOf(index, body), body })
    )
    expect(checksum).toBe(treeHash(body))
  })

/** The input that completes an upload of all bytes. */
const whole = { archiveSize: String(bytes.length), checksum: treeHash(bytes) }

const listedParts = [0, 1, 2, 3, 4].map((index) => ({
  RangeInBytes: rangeOf(index, partOf(index)).slice("bytes ".length, -"/*".length),
  SHA256TreeHash: treeHash(partOf(index))
}))

export const multipart = (it: Support.It) => {
  it.scoped("multipart: out of order and sent again", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "out-of-order")
      const upload = yield* started(vault, "in parts")
      yield* put(upload, 1, Buffer.alloc(mebibyte, "x"))
      yield* put(upload, 4, Buffer.from("short"))
      yield* Effect.forEach([3, 0, 4, 1, 2, 2], (index) => put(upload, index), { concurrency: 3 })
      expect(yield* call(() => glacier.listParts(upload))).toMatchObject({
        ArchiveDescription: "in parts",
        MultipartUploadId: upload.uploadId,
        PartSizeInBytes: mebibyte,
        Parts: listedParts,
        VaultARN: `arn:aws:glacier:us-east-1:${Support.account}:vaults/out-of-order`
      })
      const complete = call(() => glacier.completeMultipartUpload({ ...upload, ...whole }))
      const { archiveId, checksum, location } = yield* complete
      expect(checksum).toBe(whole.checksum)
      expect(location).toBe(`/${Support.account}/vaults/out-of-order/archives/${archiveId}`)
      expect((yield* complete).archiveId).toBe(archiveId)
      yield* notFound(() => glacier.listParts(upload), `The upload ID was not found: ${upload.uploadId}`)
      yield* notFound(() => glacier.abortMultipartUpload(upload), `The upload ID was not found: ${upload.uploadId}`)

      const { job } = yield* finished(vault, { Type: "archive-retrieval", ArchiveId: archiveId })
      const all = yield* output(job)
      expect(all).toMatchObject({ archiveDescription: "in parts", checksum: whole.checksum })
      expect(all.bytes.equals(bytes)).toBe(true)
    }))

  it.scoped("multipart: parts of a file", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const fs = yield* FileSystem.FileSystem
      const upload = yield* started(yield* created(glacier, "of-a-file"))
      const path = yield* fs.makeTempFileScoped()
      yield* fs.writeFile(path, bytes)
      for (const index of [4, 3, 2, 1, 0]) {
        const start = index * mebibyte
        const end = start + partOf(index).length - 1
        const { checksum } = yield* call(() =>
          glacier.uploadMultipartPart({
            ...upload,
            range: `bytes ${start}-${end}/*`,
            body: createReadStream(path, { start, end })
          })
        )
        expect(checksum).toBe(treeHash(partOf(index)))
      }
      const { checksum } = yield* call(() => glacier.completeMultipartUpload({ ...upload, ...whole }))
      expect(checksum).toBe(whole.checksum)
    }).pipe(Effect.provide(NodeContext.layer)))

  it.scoped("multipart: completed only when all is there", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const upload = yield* started(yield* created(glacier, "all-there"))
      const complete = (changes = {}) => glacier.completeMultipartUpload({ ...upload, ...whole, ...changes })
      yield* invalid(() => complete(), /^No parts have been uploaded/)
      yield* Effect.forEach([0, 1, 3, 4], (index) => put(upload, index))
      yield* invalid(() => complete(), /gap/)
      yield* put(upload, 2, partOf(2).subarray(0, 10))
      yield* invalid(() => complete(), /gap/)
      yield* put(upload, 2)
      yield* invalid(() => complete({ archiveSize: "1000" }), /^Invalid x-amz-archive-size: 1000\./)
      yield* invalid(() => complete({ checksum: treeHash(partOf(0)) }), /^Invalid x-amz-sha256-tree-hash: /)
      yield* missing(() => complete({ archiveSize: undefined }), "Required parameter missing: x-amz-archive-size")
      yield* missing(() => complete({ checksum: undefined }), "Required parameter missing: x-amz-sha256-tree-hash")
      expect((yield* call(complete)).archiveId).toMatch(/^[\w-]{138}$/)
    }))

  it.scoped("multipart: wrong parts", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const upload = yield* started(yield* created(glacier, "wrong-parts"))
      for (
        const [changes, message] of [
          [{ checksum: treeHash(bytes) }, /^Checksum mismatch: /],
          [{ range: "bytes=0-1048575/*" }, /^Invalid Content-Range: bytes=0-1048575\/\*/],
          [{ range: "bytes 9-0/*" }, /^Invalid Content-Range: bytes 9-0\/\*/],
          [{ range: "bytes 0-1048576/*" }, /is incompatible with Content-Length: 1048576$/],
          [{ range: "bytes 1-1048576/*" }, /not aligned/],
          [{ range: "bytes 0-1048576/*", body: Buffer.alloc(mebibyte + 1) }, /larger than the part size/],
          [
            { range: `bytes ${10_000 * mebibyte}-${10_001 * mebibyte - 1}/*` },
            /^Part number 10001 exceeds the limit of 10000/
          ]
        ] as const
      ) {
        yield* invalid(
          () => glacier.uploadMultipartPart({ ...upload, range: rangeOf(0, partOf(0)), body: partOf(0), ...changes }),
          message
        )
      }
      yield* missing(
        () => glacier.uploadMultipartPart({ ...upload, body: partOf(0) }),
        "Required parameter missing: content-range"
      )
      expect((yield* call(() => glacier.listParts(upload))).Parts).toEqual([])
    }))

  it.scoped("multipart: sizes of parts", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "part-sizes")
      const start = (size: number) => glacier.initiateMultipartUpload({ ...vault, partSize: String(size) })
      for (const size of [mebibyte, 4096 * mebibyte]) {
        expect((yield* call(() => start(size))).uploadId).toMatch(/^[\w-]{92}$/)
      }
      for (const size of [0, mebibyte - 1, mebibyte + 1, 3 * mebibyte, 8192 * mebibyte]) {
        yield* invalid(() => start(size), new RegExp(`^Invalid part size: ${size}\\.`))
      }
      yield* missing(() => glacier.initiateMultipartUpload(vault), "Required parameter missing: x-amz-part-size")
    }))

  it.scoped("multipart: parts in pages", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const upload = yield* started(yield* created(glacier, "parts-in-pages"))
      yield* Effect.forEach([4, 1, 3, 0, 2], (index) => put(upload, index))
      // The client writes into the input that it is given.
      for (
        const [pageSize, sizes] of [[undefined, [5]], [1, [1, 1, 1, 1, 1]], [2, [2, 2, 1]], [1000, [5]]] as const
      ) {
        const listed = yield* pages(
          Aws.paginateListParts({ client: glacier, ...(pageSize && { pageSize }) }, { ...upload })
        )
        expect(listed.map(({ Parts = [] }) => Parts.length)).toEqual(sizes)
        expect(listed.flatMap(({ Parts = [] }) => Parts)).toEqual(listedParts)
      }
      yield* invalid(() => glacier.listParts({ ...upload, marker: "somewhere" }), "Invalid marker: somewhere")
    }))

  it.scoped("multipart: uploads in pages, and aborted twice", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "uploads-in-pages")
      const uploads = yield* Effect.forEach([undefined, "1", "2", "3", "4"], (text) => started(vault, text))
      const ids = uploads.map(({ uploadId }) => uploadId)
      for (const [pageSize, sizes] of [[undefined, [5]], [2, [2, 2, 1]], [5, [5]]] as const) {
        const listed = yield* pages(
          Aws.paginateListMultipartUploads({ client: glacier, ...(pageSize && { pageSize }) }, { ...vault })
        )
        expect(listed.map(({ UploadsList = [] }) => UploadsList.length)).toEqual(sizes)
        const all = listed.flatMap(({ UploadsList = [] }) => UploadsList)
        expect(all.map(({ MultipartUploadId }) => MultipartUploadId).sort()).toEqual([...ids].sort())
        expect(all).toContainEqual(expect.objectContaining({ ArchiveDescription: "3", PartSizeInBytes: mebibyte }))
        expect(all.filter(({ ArchiveDescription }) => ArchiveDescription === undefined)).toHaveLength(1)
      }
      const [upload] = uploads
      for (let times = 0; times < 2; times++) {
        expect((yield* call(() => glacier.abortMultipartUpload(upload!))).$metadata.httpStatusCode).toBe(204)
      }
      const left = yield* call(() => glacier.listMultipartUploads(vault))
      expect(left.UploadsList?.map(({ MultipartUploadId }) => MultipartUploadId).sort()).toEqual(
        ids.slice(1).sort()
      )
      for (
        const run of [
          () => glacier.listParts(upload!),
          () => glacier.completeMultipartUpload({ ...upload!, ...whole }),
          () => glacier.uploadMultipartPart({ ...upload!, range: rangeOf(0, partOf(0)), body: partOf(0) })
        ]
      ) yield* notFound(run, `The upload ID was not found: ${upload!.uploadId}`)
      yield* notFound(
        () => glacier.abortMultipartUpload({ ...vault, uploadId: "A".repeat(92) }),
        /^The upload ID was not found: A{92}$/
      )
    }))
}
