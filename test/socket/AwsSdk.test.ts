import * as Aws from "@aws-sdk/client-glacier"
import { expect, layer } from "@effect/vitest"
import { Chunk, Context, Effect, Layer, Stream } from "effect"
import { NodeEmulator } from "../../src/node/index.ts"
import * as Support from "./support.ts"

const { call, mebibyte, ramp, treeHash } = Support

class Sdk extends Context.Tag("test/Sdk")<Sdk, Aws.Glacier>() {}

const sdk = Layer.scoped(Sdk, Effect.flatMap(Support.port, Support.sdk)).pipe(
  Layer.provideMerge(NodeEmulator.layerServer({ jobDelay: "100 millis", inventoryDelay: 0 }))
)

const account = "123456789012"

const inVault = (vaultName: string) => ({ accountId: "-", vaultName })

/** Initiates a job and waits for it. */
const finished = (vaultName: string, jobParameters: Aws.JobParameters) =>
  Effect.gen(function*() {
    const glacier = yield* Sdk
    const { jobId } = yield* call(() => glacier.initiateJob({ ...inVault(vaultName), jobParameters }))
    const job = { ...inVault(vaultName), jobId: jobId! }
    const description = yield* Support.until(
      call(() => glacier.describeJob(job)),
      ({ Completed }) => Completed === true
    )
    return { job, description }
  })

const output = (job: { accountId: string; vaultName: string; jobId: string }, range?: string) =>
  Effect.gen(function*() {
    const glacier = yield* Sdk
    return yield* call(async () => {
      const { body, ...rest } = await glacier.getJobOutput({ ...job, ...(range && { range }) })
      return { ...rest, bytes: Buffer.from(await body!.transformToByteArray()) }
    })
  })

layer(sdk, { excludeTestServices: true })("AWS's JavaScript client", (it) => {
  it.scoped("vaults", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const names = Array.from({ length: 12 }, (_, i) => `vault-${String(i).padStart(2, "0")}`)
      for (const name of names) {
        const { location } = yield* call(() => glacier.createVault(inVault(name)))
        expect(location).toBe(`/${account}/vaults/${name}`)
      }
      const described = yield* call(() => glacier.describeVault(inVault("vault-07")))
      expect(described).toMatchObject({
        VaultName: "vault-07",
        VaultARN: `arn:aws:glacier:us-east-1:${account}:vaults/vault-07`,
        NumberOfArchives: 0,
        SizeInBytes: 0
      })
      expect(Date.now() - Date.parse(described.CreationDate!)).toBeLessThan(60_000)
      expect(described.$metadata.requestId).toMatch(/^[\w-]{47}$/)

      const listed = (pageSize?: number) =>
        Stream.fromAsyncIterable(
          Aws.paginateListVaults({ client: glacier, ...(pageSize && { pageSize }) }, { accountId: account }),
          (error) => error as Aws.GlacierServiceException
        ).pipe(
          Stream.runCollect,
          Effect.map(Chunk.toReadonlyArray),
          Effect.map((pages) => pages.map(({ VaultList = [] }) => VaultList.map(({ VaultName }) => VaultName)))
        )
      expect(yield* listed()).toEqual([names.slice(0, 10), names.slice(10)])
      expect(yield* listed(5)).toEqual([names.slice(0, 5), names.slice(5, 10), names.slice(10)])

      for (const name of names) yield* call(() => glacier.deleteVault(inVault(name)))
      expect((yield* listed()).flat()).toEqual([])
    }))

  it.scoped("the waiters", () =>
    Effect.gen(function*() {
      const client = yield* Sdk
      const options = { client, minDelay: 0.05, maxDelay: 0.1, maxWaitTime: 10 }
      for (
        const [wait, change] of [
          [Aws.waitUntilVaultExists, () => client.createVault(inVault("awaited"))],
          [Aws.waitUntilVaultNotExists, () => client.deleteVault(inVault("awaited"))]
        ] as const
      ) {
        const [{ state }] = yield* Effect.all(
          [call(() => wait(options, inVault("awaited"))), Effect.delay(call<unknown>(change), "30 millis")],
          { concurrency: 2 }
        )
        expect(state).toBe("SUCCESS")
      }
    }))

  it.scoped("an archive, retrieved as a whole and in ranges", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = inVault("archives")
      yield* call(() => glacier.createVault(vault))
      const bytes = ramp(3.5 * mebibyte)
      const stored = yield* call(() =>
        glacier.uploadArchive({ ...vault, archiveDescription: "a  \"ramp\", all of it", body: bytes })
      )
      expect(stored.checksum).toBe(treeHash(bytes))
      expect(stored.location).toBe(`/${account}/vaults/archives/archives/${stored.archiveId}`)

      const archive = { Type: "archive-retrieval", ArchiveId: stored.archiveId }
      const whole = yield* finished("archives", { ...archive, Tier: "Expedited", Description: "the whole" })
      expect(whole.description).toMatchObject({
        Action: "ArchiveRetrieval",
        ArchiveId: stored.archiveId,
        ArchiveSizeInBytes: bytes.length,
        ArchiveSHA256TreeHash: treeHash(bytes),
        JobDescription: "the whole",
        RetrievalByteRange: `0-${bytes.length - 1}`,
        SHA256TreeHash: treeHash(bytes),
        StatusCode: "Succeeded",
        StatusMessage: "Succeeded",
        Tier: "Expedited"
      })
      const all = yield* output(whole.job)
      expect(all).toMatchObject({
        status: 200,
        acceptRanges: "bytes",
        archiveDescription: "a  \"ramp\", all of it",
        contentType: "application/octet-stream",
        checksum: treeHash(bytes)
      })
      expect(all.bytes.equals(bytes)).toBe(true)

      // Status, first and last byte, and whether there is a tree hash.
      for (
        const [range, from, to, hasHash] of [
          ["bytes=0-1048575", 0, mebibyte - 1, true],
          ["bytes=2097152-9999999", 2 * mebibyte, bytes.length - 1, true],
          ["bytes=1048576-", mebibyte, bytes.length - 1, false],
          ["bytes=1-10", 1, 10, false],
          ["bytes=-5", bytes.length - 5, bytes.length - 1, false]
        ] as const
      ) {
        const part = yield* output(whole.job, range)
        const expected = bytes.subarray(from, to + 1)
        expect(part).toMatchObject({ status: 206, contentRange: `bytes ${from}-${to}/${bytes.length}` })
        expect(part.checksum).toBe(hasHash ? treeHash(expected) : undefined)
        expect(part.bytes.equals(expected)).toBe(true)
      }

      const second = yield* finished("archives", { ...archive, RetrievalByteRange: "1048576-2097151" })
      const secondBytes = bytes.subarray(mebibyte, 2 * mebibyte)
      expect(second.description.SHA256TreeHash).toBe(treeHash(secondBytes))
      const secondOutput = yield* output(second.job)
      expect(secondOutput).toMatchObject({ status: 200, checksum: treeHash(secondBytes) })
      expect(secondOutput.bytes.equals(secondBytes)).toBe(true)

      yield* call(() => glacier.deleteArchive({ ...vault, archiveId: stored.archiveId! }))
      yield* call(() => glacier.deleteArchive({ ...vault, archiveId: stored.archiveId! }))
      const gone = yield* Effect.flip(call(() => glacier.initiateJob({ ...vault, jobParameters: archive })))
      expect(gone).toBeInstanceOf(Aws.ResourceNotFoundException)
      expect((yield* output(whole.job)).bytes.equals(bytes)).toBe(true)
    }))

  it.scoped("a multipart upload out of order, one part sent twice", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = inVault("multipart")
      yield* call(() => glacier.createVault(vault))
      const bytes = ramp(5 * mebibyte)
      const initiated = yield* call(() =>
        glacier.initiateMultipartUpload({ ...vault, archiveDescription: "parts", partSize: String(mebibyte) })
      )
      const upload = { ...vault, uploadId: initiated.uploadId! }
      expect(initiated.location).toBe(`/${account}/vaults/multipart/multipart-uploads/${upload.uploadId}`)

      const put = (index: number, body: Buffer) => {
        const start = index * mebibyte
        const range = `bytes ${start}-${start + body.length - 1}/*`
        return Effect.map(call(() => glacier.uploadMultipartPart({ ...upload, range, body })), ({ checksum }) =>
          expect(checksum).toBe(treeHash(body)))
      }
      const part = (index: number) =>
        bytes.subarray(index * mebibyte, (index + 1) * mebibyte)
      yield* put(1, Buffer.alloc(mebibyte, "x"))
      yield* Effect.forEach([3, 0, 4, 1, 2], (index) => put(index, part(index)), { concurrency: 3 })

      const uploads = yield* call(() => glacier.listMultipartUploads(vault))
      expect(uploads.UploadsList).toMatchObject([
        { ArchiveDescription: "parts", MultipartUploadId: upload.uploadId, PartSizeInBytes: mebibyte }
      ])
      const first = yield* call(() => glacier.listParts({ ...upload, limit: 3 }))
      const second = yield* call(() => glacier.listParts({ ...upload, limit: 3, marker: first.Marker! }))
      expect(first).toMatchObject({ ArchiveDescription: "parts", MultipartUploadId: upload.uploadId })
      expect(second.Marker).toBeUndefined()
      expect([...first.Parts!, ...second.Parts!]).toEqual([0, 1, 2, 3, 4].map((index) => ({
        RangeInBytes: `${index * mebibyte}-${(index + 1) * mebibyte - 1}`,
        SHA256TreeHash: treeHash(part(index))
      })))

      const complete = (checksum: string, archiveSize = bytes.length) =>
        call(() => glacier.completeMultipartUpload({ ...upload, archiveSize: String(archiveSize), checksum }))
      for (const wrong of [complete(treeHash(part(0))), complete(treeHash(bytes), bytes.length - 1)]) {
        expect(yield* Effect.flip(wrong)).toBeInstanceOf(Aws.InvalidParameterValueException)
      }
      const completed = yield* complete(treeHash(bytes))
      expect(completed.checksum).toBe(treeHash(bytes))
      expect((yield* complete(treeHash(bytes))).archiveId).toBe(completed.archiveId)

      const { job } = yield* finished("multipart", { Type: "archive-retrieval", ArchiveId: completed.archiveId })
      const all = yield* output(job)
      expect(all.checksum).toBe(treeHash(bytes))
      expect(all.bytes.equals(bytes)).toBe(true)
    }))

  it.scoped("aborted uploads and their pages", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = inVault("aborted")
      yield* call(() => glacier.createVault(vault))
      const initiate = call(() => glacier.initiateMultipartUpload({ ...vault, partSize: "1048576" }))
      const ids = yield* Effect.replicateEffect(Effect.map(initiate, ({ uploadId }) => uploadId!), 3)
      const list = (marker?: string) =>
        call(() => glacier.listMultipartUploads({ ...vault, limit: 2, ...(marker && { marker }) }))
      const first = yield* list()
      const second = yield* list(first.Marker)
      expect(second.Marker).toBeUndefined()
      const listed = [...first.UploadsList!, ...second.UploadsList!].map(({ MultipartUploadId }) => MultipartUploadId)
      expect(listed.sort()).toEqual([...ids].sort())

      for (const uploadId of ids) yield* call(() => glacier.abortMultipartUpload({ ...vault, uploadId }))
      expect((yield* list()).UploadsList).toEqual([])
      const gone = yield* Effect.flip(call(() => glacier.listParts({ ...vault, uploadId: ids[0]! })))
      expect(gone).toBeInstanceOf(Aws.ResourceNotFoundException)
    }))

  it.scoped("an inventory in pages, and the list of jobs", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = inVault("inventory")
      yield* call(() => glacier.createVault(vault))
      const early = call(() => glacier.initiateJob({ ...vault, jobParameters: { Type: "inventory-retrieval" } }))
      expect(yield* Effect.flip(early)).toBeInstanceOf(Aws.ResourceNotFoundException)
      for (const archiveDescription of ["one", "two", ""]) {
        yield* call(() => glacier.uploadArchive({ ...vault, archiveDescription, body: Buffer.from("bytes") }))
      }
      const page = (parameters: Aws.InventoryRetrievalJobInput) =>
        Effect.gen(function*() {
          const { description, job } = yield* finished("inventory", {
            Type: "inventory-retrieval",
            Format: "JSON",
            InventoryRetrievalParameters: { Limit: "2", ...parameters }
          })
          const { bytes, checksum, contentType, status } = yield* output(job)
          expect({ checksum, contentType, status }).toEqual({ contentType: "application/json", status: 200 })
          expect(description.InventorySizeInBytes).toBe(bytes.length)
          return {
            marker: description.InventoryRetrievalParameters?.Marker,
            job: description,
            archives: JSON.parse(bytes.toString()).ArchiveList
          }
        })
      const first = yield* page({})
      const second = yield* page({ Marker: first.marker })
      expect(second.marker).toBeUndefined()
      const archive = { Size: 5, SHA256TreeHash: treeHash(Buffer.from("bytes")) }
      expect([first.archives, second.archives]).toMatchObject([
        [{ ArchiveDescription: "one", ...archive }, { ArchiveDescription: "two", ...archive }],
        [{ ArchiveDescription: "", ...archive }]
      ])
      expect(yield* call(() => glacier.describeVault(vault))).toMatchObject({ NumberOfArchives: 3 })

      const list = (filter: Omit<Aws.ListJobsInput, "accountId" | "vaultName">) =>
        Effect.map(
          call(() => glacier.listJobs({ ...vault, ...filter })),
          ({ JobList = [], Marker }) => ({ ids: JobList.map(({ JobId }) => JobId), Marker })
        )
      const ids = [second.job.JobId, first.job.JobId]
      for (
        const [filter, expected] of [
          [{}, ids],
          [{ statuscode: "Succeeded", completed: "true" }, ids],
          [{ statuscode: "InProgress" }, []],
          [{ completed: "false" }, []],
          [{ limit: 1 }, ids.slice(0, 1)]
        ] as const
      ) expect((yield* list(filter)).ids).toEqual(expected)
      const { Marker } = yield* list({ limit: 1 })
      expect(yield* list({ limit: 1, marker: Marker })).toEqual({ ids: ids.slice(1) })
    }))

  it.scoped("typed errors", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = inVault("errors")
      yield* call(() => glacier.createVault(vault))
      yield* call(() => glacier.uploadArchive({ ...vault, body: Buffer.from("bytes") }))
      const inventory = { ...vault, jobParameters: { Type: "inventory-retrieval" } }
      const slow = yield* Layer.build(NodeEmulator.layerServer({ jobDelay: "1 hour", inventoryDelay: 0 })).pipe(
        Effect.flatMap((context) => Effect.provide(Support.port, context)),
        Effect.flatMap(Support.sdk)
      )
      yield* call(() => slow.createVault(vault))
      yield* call(() => slow.uploadArchive({ ...vault, body: Buffer.from("bytes") }))
      const { accessKeyId, secretAccessKey } = Support.defaultKey
      const impostor = (key: Support.Key) => Effect.flatMap(Support.port, (port) => Support.sdk(port, key))
      const unknown = yield* impostor({ accessKeyId: "AKIANOBODY", secretAccessKey })
      const wrong = yield* impostor({ accessKeyId, secretAccessKey: "wrong" })
      const temporary = yield* impostor({ accessKeyId, secretAccessKey, sessionToken: "not expected" })

      const invalid = [Aws.InvalidParameterValueException, "InvalidParameterValueException", 400] as const
      const other = Aws.GlacierServiceException
      const cases = [
        [
          () => glacier.describeVault(inVault("missing")),
          [Aws.ResourceNotFoundException, "ResourceNotFoundException", 404],
          `Vault not found for ARN: arn:aws:glacier:us-east-1:${account}:vaults/missing`
        ],
        [
          () => glacier.initiateMultipartUpload({ ...vault, partSize: "1048577" }),
          invalid,
          /^Invalid part size: 1048577\./
        ],
        [
          () => glacier.initiateMultipartUpload(vault),
          [Aws.MissingParameterValueException, "MissingParameterValueException", 400],
          "Required parameter missing: x-amz-part-size"
        ],
        [
          async () => {
            const { jobId } = await slow.initiateJob(inventory)
            return slow.getJobOutput({ ...vault, jobId })
          },
          invalid,
          /^The job is not currently available for download: [\w-]{92}$/
        ],
        [() => glacier.listJobs({ ...vault, statuscode: "Lost" }), invalid, "The job status code is not valid: Lost"],
        [() => glacier.deleteVault(vault), invalid, /^Vault not empty or recently written to: arn:aws:glacier:/],
        [
          () =>
            glacier.uploadArchive({ ...vault, body: Buffer.from("bytes"), checksum: treeHash(Buffer.from("others")) }),
          invalid,
          /^Checksum mismatch: expected [0-9a-f]{64}, computed [0-9a-f]{64}$/
        ],
        [
          () => glacier.describeVault({ ...vault, accountId: "999999999999" }),
          [other, "AccessDeniedException", 403],
          "Access denied for account ID: 999999999999"
        ],
        [() => unknown.listVaults({ accountId: "-" }), [other, "UnrecognizedClientException", 400], /security token/],
        [
          () => wrong.listVaults({ accountId: "-" }),
          [other, "InvalidSignatureException", 403],
          /does not match the signature you/
        ],
        [() => temporary.listVaults({ accountId: "-" }), [other, "UnrecognizedClientException", 400], /security token/]
      ] as const
      for (const [run, [type, name, status], message] of cases) {
        const error = yield* Effect.flip(call<unknown>(run))
        expect(error).toBeInstanceOf(type)
        expect(error).toMatchObject({ name, $fault: "client", $metadata: { httpStatusCode: status, attempts: 1 } })
        expect(error.message).toMatch(message)
      }
    }))
})
