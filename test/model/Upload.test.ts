/** Multipart uploads: open until a day after their last part, completed or aborted, and an hour in which that can be repeated. */
import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import { mebibyte } from "../../src/protocol/Limits.ts"
import { putPart, treeHash } from "../../src/testing/internal/conformance/support.ts"
import { agree, calling, day, hour, responds, type Timed, vaultName, waits } from "./support.ts"

interface Upload {
  readonly id: string
  /** The content and size of each part, by its position. */
  readonly parts: Map<number, { readonly byte: number; readonly size: number }>
  state: "open" | "completed" | "aborted"
  expiresAt: number
  archiveId: string | undefined
}

interface Model extends Timed {
  uploads: Array<Upload>
}

/** The uploads as they are at this time: those that are open, and those that have just ended. */
const uploadsOf = (model: Model) => (model.uploads = model.uploads.filter(({ expiresAt }) => model.now < expiresAt))

const open = FastCheck.constant(
  calling<Model>(
    "open",
    (model, glacier) =>
      responds(glacier.initiateMultipartUpload({ vaultName, partSize: mebibyte }), ({ uploadId: id }) => {
        uploadsOf(model).push({ id, parts: new Map(), state: "open", expiresAt: model.now + day, archiveId: undefined })
      })
  )
)

const picked = FastCheck.nat({ max: 3 })

/** The one so many back, of those that the model knows. */
const pick = (model: Model, back: number): Upload | undefined => uploadsOf(model).at(-1 - back)

const bytesOf = ({ byte, size }: { readonly byte: number; readonly size: number }) => new Uint8Array(size).fill(byte)

const put = FastCheck.record({
  back: picked,
  index: FastCheck.nat({ max: 2 }),
  byte: FastCheck.nat({ max: 3 }),
  size: FastCheck.constantFrom(mebibyte, mebibyte, 10)
}).map(({ back, byte, index, size }) =>
  calling<Model>(`part ${index} of ${size} bytes, ${back} back`, (model) => {
    const upload = pick(model, back)
    return responds(
      putPart(vaultName, upload?.id ?? "none", index * mebibyte, bytesOf({ byte, size })),
      upload?.state !== "open" ? "UploadNotFound" : () => {
        upload.parts.set(index, { byte, size })
        upload.expiresAt = model.now + day
      }
    )
  })
)

const complete = picked.map((back) =>
  calling<Model>(`complete, ${back} back`, (model, glacier) => {
    const upload = pick(model, back)
    const parts = Array.from(upload?.parts ?? []).sort(([one], [other]) => one - other)
    const size = parts.reduce((sum, [, part]) => sum + part.size, 0)
    const isWhole = parts.length > 0 &&
      parts.every(([index, part], place) => index === place && (part.size === mebibyte || place === parts.length - 1))
    const bytes = new Uint8Array(Math.max(1, size))
    let offset = 0
    for (const [, part] of parts) {
      bytes.set(bytesOf(part), offset)
      offset += part.size
    }
    return responds(
      glacier.completeMultipartUpload({
        vaultName,
        uploadId: upload?.id ?? "none",
        archiveSize: bytes.length,
        treeHash: treeHash(bytes)
      }),
      upload === undefined || upload.state === "aborted"
        ? "UploadNotFound"
        : upload.state === "open" && !isWhole
        ? "InvalidParameterValue"
        : ({ archiveId }) => {
          expect(archiveId).toBe(upload.archiveId ?? archiveId)
          if (upload.state === "open") upload.expiresAt = model.now + hour
          Object.assign(upload, { state: "completed", archiveId })
        }
    )
  })
)

const abort = picked.map((back) =>
  calling<Model>(`abort, ${back} back`, (model, glacier) => {
    const upload = pick(model, back)
    return responds(
      glacier.abortMultipartUpload({ vaultName, uploadId: upload?.id ?? "none" }),
      upload === undefined || upload.state === "completed" ? "UploadNotFound" : () => {
        if (upload.state === "open") upload.expiresAt = model.now + hour
        upload.state = "aborted"
      }
    )
  })
)

const listed = ({ parts }: Upload) =>
  Array.from(parts).sort(([one], [other]) => one - other).map(([index, part]) => ({
    range: ByteRange.make(index * mebibyte, part.size),
    treeHash: treeHash(bytesOf(part))
  }))

const list = picked.map((back) =>
  calling<Model>(`list parts, ${back} back`, (model, glacier) => {
    const upload = pick(model, back)
    return responds(
      glacier.listParts({ vaultName, uploadId: upload?.id ?? "none" }),
      upload?.state !== "open" ? "UploadNotFound" : ({ parts }) => expect(parts).toEqual(listed(upload))
    )
  })
)

const listAll = FastCheck.constant(calling<Model>("list uploads", (model, glacier) => {
  const ids = uploadsOf(model).flatMap(({ id, state }) => state === "open" ? [id] : [])
  return responds(
    glacier.listMultipartUploads({ vaultName }),
    ({ uploads }) => expect(uploads.map(({ uploadId }) => uploadId)).toEqual(ids)
  )
}))

describe("the model of uploads", () => {
  it("predicts the emulator's responses to calls for multipart uploads", () =>
    agree(() => ({ now: 0, uploads: [] }), [
      open,
      put,
      put,
      complete,
      abort,
      list,
      listAll,
      waits([1, hour - 1, hour, day - 1, day])
    ]))
})
