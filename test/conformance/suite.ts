/**
 * What a Glacier does, as a client sees it. The same checks run over every way to reach one; the vaults they make are
 * theirs alone. The Glacier must complete jobs at once and take an inventory after each write.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { expect, layer } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Pages from "../../src/client/Pages.ts"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import * as Limits from "../../src/protocol/Limits.ts"
import * as Sha256 from "../../src/protocol/Sha256.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import { Hasher } from "../../src/transport/Hasher.ts"

const mebibyte = Limits.mebibyte

/** Bytes of which no two MiBs are alike. */
export const ramp = (size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => i + (i >> 8) + 3 * (i >> 16) + 7 * (i >> 20))

const slice = (bytes: Uint8Array, range: ByteRange.ByteRange) => bytes.subarray(range.start, range.end + 1)

const collect = <E, R>(body: Stream.Stream<Uint8Array, E, R>) =>
  Effect.map(Stream.runCollect(body), (pieces) => new Uint8Array(Buffer.concat(Chunk.toReadonlyArray(pieces))))

/** Uploads bytes as one archive by the bare operations. */
const store = Effect.fnUntraced(function*(vaultName: string, body: Uint8Array, description?: string) {
  const glacier = yield* GlacierClient
  const hashes = yield* (yield* Hasher).hashes(body)
  return yield* glacier.uploadArchive({ vaultName, description, body, ...hashes })
})

const putPart = Effect.fnUntraced(
  function*(vaultName: string, uploadId: string, range: ByteRange.ByteRange, body: Uint8Array) {
    const glacier = yield* GlacierClient
    const hashes = yield* (yield* Hasher).hashes(body)
    return yield* glacier.uploadMultipartPart({ vaultName, uploadId, range, body, ...hashes })
  }
)

const retrieve = Effect.fnUntraced(function*(vaultName: string, archiveId: string, range?: ByteRange.ByteRange) {
  const glacier = yield* GlacierClient
  const { jobId } = yield* glacier.initiateJob({
    vaultName,
    parameters: { type: "archive-retrieval", archiveId, retrievalByteRange: range }
  })
  return { vaultName, jobId }
})

const created = Effect.fnUntraced(function*(vaultName: string) {
  const glacier = yield* GlacierClient
  yield* glacier.createVault({ vaultName })
  return { glacier, vaultName }
})

export const conformance = <E>(
  name: string,
  glacierLayer: Layer.Layer<GlacierClient | FileSystem.FileSystem, E>
) =>
  layer(glacierLayer, { excludeTestServices: true })(name, (it) => {
    it.effect("creates, describes, lists and deletes vaults", () =>
      Effect.gen(function*() {
        const { glacier } = yield* created("vaults-00")
        const names = Array.from({ length: 13 }, (_, index) => `vaults-${String(index).padStart(2, "0")}`)
        yield* Effect.forEach(names, (vaultName) => glacier.createVault({ vaultName }))
        const first = yield* glacier.createVault({ vaultName: "vaults-00" })
        expect(first.location).toEqual(Option.some("/123456789012/vaults/vaults-00"))
        const described = yield* glacier.describeVault({ vaultName: "vaults-00" })
        expect(described).toMatchObject({
          vaultName: "vaults-00",
          vaultArn: "arn:aws:glacier:us-east-1:123456789012:vaults/vaults-00",
          lastInventoryDate: Option.none(),
          numberOfArchives: Option.some(0),
          sizeInBytes: Option.some(0)
        })
        const page = yield* glacier.listVaults({ limit: 4 })
        expect(page.vaults.length).toBe(4)
        expect(Option.isSome(page.marker)).toBe(true)
        const listed = yield* Stream.runCollect(
          Stream.filter(Pages.vaults(), (one) => one.vaultName.startsWith("vaults-"))
        )
        expect(Chunk.toReadonlyArray(listed).map((one) => one.vaultName)).toEqual(names)
        yield* Effect.forEach(names, (vaultName) => glacier.deleteVault({ vaultName }))
        const gone = yield* Effect.flip(glacier.describeVault({ vaultName: "vaults-00" }))
        expect(gone).toMatchObject({
          _tag: "ResourceNotFound",
          status: 404,
          operation: "DescribeVault",
          message: "Vault not found for ARN: arn:aws:glacier:us-east-1:123456789012:vaults/vaults-00"
        })
      }))

    it.effect("stores an archive, lists it in the inventory and refuses to delete its vault", () =>
      Effect.gen(function*() {
        const { glacier, vaultName } = yield* created("archives")
        const body = ramp(3 * mebibyte + 17)
        const description = "a  \"quoted\", spaced \\ name ~ and more"
        const archive = yield* store(vaultName, body, description)
        const vault = yield* Vault.make(vaultName)
        const inventory = yield* Effect.flatMap(vault.retrieveInventory(), (job) => job.inventory)
        const treeHash = TreeHash.ofBytes(yield* Sha256.Sha256, body)
        expect(inventory.archives).toEqual([
          expect.objectContaining({ archiveId: archive.archiveId, description, size: body.length, treeHash })
        ])
        expect(yield* glacier.describeVault({ vaultName })).toMatchObject({
          numberOfArchives: Option.some(1),
          sizeInBytes: Option.some(body.length + Limits.archiveOverhead)
        })
        expect((yield* Effect.flip(glacier.deleteVault({ vaultName })))._tag).toBe("VaultNotEmpty")
        yield* glacier.deleteArchive({ vaultName, archiveId: archive.archiveId })
        yield* glacier.deleteArchive({ vaultName, archiveId: archive.archiveId })
        yield* glacier.deleteVault({ vaultName })
      }))

    it.effect("takes parts in any order and again, and completes them with all checks", () =>
      Effect.gen(function*() {
        const { glacier, vaultName } = yield* created("multipart")
        const body = ramp(2 * mebibyte + mebibyte / 2)
        const parts = [0, 1, 2].map((index) =>
          ByteRange.make(index * mebibyte, Math.min(mebibyte, body.length - index * mebibyte))
        )
        const { uploadId } = yield* glacier.initiateMultipartUpload({
          vaultName,
          partSize: mebibyte,
          description: "three"
        })
        const [open] = Chunk.toReadonlyArray(yield* Stream.runCollect(Pages.uploads({ vaultName })))
        expect(open).toMatchObject({ uploadId, partSize: mebibyte, archiveDescription: Option.some("three") })
        yield* putPart(vaultName, uploadId, { start: mebibyte, end: 2 * mebibyte - 1 }, ramp(mebibyte))
        yield* Effect.forEach(
          [...parts].reverse(),
          (range) => putPart(vaultName, uploadId, range, slice(body, range)),
          {
            concurrency: 3
          }
        )
        const page = yield* glacier.listParts({ vaultName, uploadId, limit: 2 })
        expect(page.parts.map((part) => part.range)).toEqual(parts.slice(0, 2))
        const listed = Chunk.toReadonlyArray(yield* Stream.runCollect(Pages.parts({ vaultName, uploadId })))
        const sha256 = yield* Sha256.Sha256
        expect(listed).toEqual(
          parts.map((range) => ({ range, treeHash: TreeHash.ofBytes(sha256, slice(body, range)) }))
        )
        const treeHash = TreeHash.combine(sha256, listed.map((part) => part.treeHash))
        const complete = (archiveSize: number, hash: string) =>
          glacier.completeMultipartUpload({ vaultName, uploadId, archiveSize, treeHash: hash })
        expect((yield* Effect.flip(complete(body.length, "0".repeat(64))))._tag).toBe("ChecksumMismatch")
        expect((yield* Effect.flip(complete(body.length - 1, treeHash)))._tag).toBe("InvalidParameterValue")
        const archive = yield* complete(body.length, treeHash)
        expect((yield* complete(body.length, treeHash)).archiveId).toBe(archive.archiveId)
        expect((yield* Effect.flip(glacier.listParts({ vaultName, uploadId })))._tag).toBe("ResourceNotFound")
        const back = yield* glacier.getJobOutput(yield* retrieve(vaultName, archive.archiveId))
        expect(Buffer.compare(yield* collect(back.body), body)).toBe(0)
        expect(back.archiveDescription).toEqual(Option.some("three"))
      }))

    it.effect("aborts an upload, and refuses parts that do not fit", () =>
      Effect.gen(function*() {
        const { glacier, vaultName } = yield* created("aborts")
        const { uploadId } = yield* glacier.initiateMultipartUpload({ vaultName, partSize: mebibyte })
        const put = (start: number, body: Uint8Array) =>
          Effect.flip(putPart(vaultName, uploadId, ByteRange.make(start, body.length), body))
        expect((yield* put(mebibyte / 2, ramp(10)))._tag).toBe("RangeNotAligned")
        expect((yield* put(0, ramp(mebibyte + 1)))._tag).toBe("InvalidParameterValue")
        expect((yield* put(10_000 * mebibyte, ramp(10)))._tag).toBe("InvalidParameterValue")
        const body = ramp(10)
        const hashes = yield* (yield* Hasher).hashes(ramp(11))
        const wrong = { vaultName, uploadId, range: ByteRange.make(0, 10), body, ...hashes }
        expect((yield* Effect.flip(glacier.uploadMultipartPart(wrong)))._tag).toBe("InvalidSignature")
        const { contentSha256 } = yield* (yield* Hasher).hashes(body)
        const mismatch = yield* Effect.flip(glacier.uploadMultipartPart({ ...wrong, contentSha256 }))
        expect(mismatch._tag).toBe("ChecksumMismatch")
        expect((yield* glacier.listParts({ vaultName, uploadId })).parts).toEqual([])
        yield* glacier.abortMultipartUpload({ vaultName, uploadId })
        yield* glacier.abortMultipartUpload({ vaultName, uploadId })
        expect((yield* put(0, ramp(10)))._tag).toBe("ResourceNotFound")
        yield* glacier.deleteVault({ vaultName })
      }))

    it.effect("serves ranges of a job's output, with a tree hash where one spans them", () =>
      Effect.gen(function*() {
        const { glacier, vaultName } = yield* created("ranges")
        const body = ramp(6 * mebibyte + mebibyte / 2)
        const { archiveId } = yield* store(vaultName, body)
        const whole = yield* retrieve(vaultName, archiveId)
        const sha256 = yield* Sha256.Sha256
        const check = Effect.fnUntraced(function*(start: number, end: number, hashed: boolean) {
          const range = { start, end }
          const answer = yield* glacier.getJobOutput({ ...whole, range })
          const bytes = slice(body, range)
          expect(answer.contentRange).toEqual(
            Option.some({ range: { start, end: Math.min(end, body.length - 1) }, total: body.length })
          )
          expect(answer.treeHash).toEqual(hashed ? Option.some(TreeHash.ofBytes(sha256, bytes)) : Option.none())
          expect(Buffer.compare(yield* collect(answer.body), bytes)).toBe(0)
        })
        yield* check(0, body.length - 1, true)
        yield* check(0, 4 * mebibyte - 1, true)
        yield* check(4 * mebibyte, 50 * mebibyte, true)
        yield* check(mebibyte, 3 * mebibyte - 1, false)
        yield* check(5, 5, false)
        const beyond = glacier.getJobOutput({ ...whole, range: { start: body.length, end: body.length } })
        expect((yield* Effect.flip(beyond))._tag).toBe("RangeNotSatisfiable")

        const part = yield* retrieve(vaultName, archiveId, { start: 4 * mebibyte, end: 6 * mebibyte - 1 })
        const described = yield* glacier.describeJob(part)
        expect(described).toMatchObject({
          action: "ArchiveRetrieval",
          statusCode: "Succeeded",
          completed: true,
          archiveSizeInBytes: Option.some(body.length),
          retrievalByteRange: Option.some({ start: 4 * mebibyte, end: 6 * mebibyte - 1 }),
          tier: Option.some("Standard")
        })
        const output = yield* glacier.getJobOutput(part)
        expect(Buffer.compare(yield* collect(output.body), body.subarray(4 * mebibyte, 6 * mebibyte))).toBe(0)
        const misaligned = retrieve(vaultName, archiveId, { start: 1, end: mebibyte - 1 })
        expect((yield* Effect.flip(misaligned))._tag).toBe("RangeNotAligned")

        const jobs = Chunk.toReadonlyArray(
          yield* Stream.runCollect(Pages.jobs({ vaultName, statusCode: "Succeeded", completed: true }))
        )
        expect(new Set(jobs.map((job) => job.jobId))).toEqual(new Set([whole.jobId, part.jobId]))
        expect((yield* glacier.listJobs({ vaultName, statusCode: "Failed" })).jobs).toEqual([])
      }))

    it.effect("names what is not there", () =>
      Effect.gen(function*() {
        const { glacier, vaultName } = yield* created("missing")
        const missing = yield* Effect.all([
          Effect.flip(store("no-such-vault", ramp(1))),
          Effect.flip(glacier.listParts({ vaultName, uploadId: "none" })),
          Effect.flip(glacier.describeJob({ vaultName, jobId: "none" })),
          Effect.flip(glacier.getJobOutput({ vaultName, jobId: "none" })),
          Effect.flip(glacier.initiateJob({ vaultName, parameters: { type: "inventory-retrieval" } })),
          Effect.flip(retrieve(vaultName, "none"))
        ])
        expect(missing.map((error) => [error._tag, "status" in error ? error.status : 0])).toEqual(
          missing.map(() => ["ResourceNotFound", 404])
        )
        expect((yield* Effect.flip(glacier.listVaults({ accountId: "999999999999" })))._tag).toBe("AccessDenied")
        expect((yield* Effect.flip(glacier.createVault({ vaultName: "not/a name" })))._tag).toBe("InvalidInput")
      }))

    it.scoped("carries a file in parts into a vault and in windows out again", () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        const body = ramp(9 * mebibyte + 12_345)
        yield* fs.writeFile(`${folder}/in`, body)
        const vault = yield* Vault.make("transfers")
        yield* vault.create
        const archive = yield* vault.upload(Source.file(`${folder}/in`), { partSize: mebibyte, concurrency: 3 })
        expect(archive).toMatchObject({ parts: 10, size: body.length })
        const job = yield* vault.retrieveArchive(archive.archiveId)
        yield* job.wait()
        yield* job.outputToFile(`${folder}/out`, { windowSize: 2 * mebibyte, concurrency: 3 })
        expect(Buffer.compare(yield* fs.readFile(`${folder}/out`), body)).toBe(0)
        expect(Buffer.compare(yield* collect(job.output({ windowSize: mebibyte })), body)).toBe(0)
        expect((yield* fs.readDirectory(folder)).sort()).toEqual(["in", "out"])
      }))
  })
