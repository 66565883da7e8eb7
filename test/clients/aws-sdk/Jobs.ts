import * as Aws from "@aws-sdk/client-glacier"
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { call, mebibyte, ramp, treeHash } from "../../socket/support.ts"
import * as Support from "./support.ts"

const { created, emulated, finished, invalid, missing, notFound, output, Sdk, stored } = Support

const bytes = ramp(3.5 * mebibyte)

/** A vault with one archive, and what retrieves it. */
const retrieval = (vaultName: string) =>
  Effect.gen(function*() {
    const glacier = yield* Sdk
    const vault = yield* created(glacier, vaultName)
    const archiveId = yield* stored(glacier, vault, bytes)
    return { glacier, vault, archiveId, archive: { Type: "archive-retrieval", ArchiveId: archiveId } }
  })

export const jobs = (it: Support.It) => {
  it.scoped("jobs: an archive as a whole, deleted meanwhile", () =>
    Effect.gen(function*() {
      const { archive, archiveId, glacier, vault } = yield* retrieval("whole")
      const topic = `arn:aws:sns:us-east-1:${Support.account}:topic`
      const { description, job } = yield* finished(vault, {
        ...archive,
        Tier: "Expedited",
        Description: "the whole",
        SNSTopic: topic
      })
      expect(description).toMatchObject({
        Action: "ArchiveRetrieval",
        ArchiveId: archiveId,
        ArchiveSHA256TreeHash: treeHash(bytes),
        ArchiveSizeInBytes: bytes.length,
        Completed: true,
        JobDescription: "the whole",
        JobId: job.jobId,
        RetrievalByteRange: `0-${bytes.length - 1}`,
        SHA256TreeHash: treeHash(bytes),
        SNSTopic: topic,
        StatusCode: "Succeeded",
        StatusMessage: "Succeeded",
        Tier: "Expedited",
        VaultARN: `arn:aws:glacier:us-east-1:${Support.account}:vaults/whole`
      })
      expect(Date.parse(description.CreationDate!)).toBeLessThan(Date.parse(description.CompletionDate!))
      yield* call(() => glacier.deleteArchive({ ...vault, archiveId }))
      const all = yield* output(job)
      expect(all).toMatchObject({
        status: 200,
        acceptRanges: "bytes",
        contentType: "application/octet-stream",
        checksum: treeHash(bytes)
      })
      expect(all.contentRange).toBeUndefined()
      expect(all.bytes.equals(bytes)).toBe(true)
    }))

  it.scoped("jobs: an output in ranges", () =>
    Effect.gen(function*() {
      const { archive, glacier, vault } = yield* retrieval("ranges")
      const { job } = yield* finished(vault, archive)
      const last = bytes.length - 1
      // The requested range, its first and last byte, and whether it has a tree hash.
      for (
        const [range, from, to, hasHash] of [
          ["bytes=0-0", 0, 0, false],
          ["bytes=0-1048575", 0, mebibyte - 1, true],
          ["bytes=1048576-3145727", mebibyte, 3 * mebibyte - 1, false],
          ["bytes=2097152-9999999", 2 * mebibyte, last, true],
          ["bytes=3145728-", 3 * mebibyte, last, true],
          ["bytes=1048576-", mebibyte, last, false],
          ["bytes=1-10", 1, 10, false],
          ["bytes=-5", bytes.length - 5, last, false],
          [`bytes=0-${last}`, 0, last, true]
        ] as const
      ) {
        const part = yield* output({ ...job, range })
        const expected = bytes.subarray(from, to + 1)
        expect(part).toMatchObject({ status: 206, contentRange: `bytes ${from}-${to}/${bytes.length}` })
        expect(part.checksum).toBe(hasHash ? treeHash(expected) : undefined)
        expect(part.bytes.equals(expected)).toBe(true)
      }
      for (const range of ["0-9", "bytes 0-9/*", "bytes=9-0", "bytes=0-1,4-5"]) {
        const all = yield* output({ ...job, range })
        expect(all.status).toBe(200)
        expect(all.bytes.equals(bytes)).toBe(true)
      }
      yield* invalid(
        () => glacier.getJobOutput({ ...job, range: `bytes=${bytes.length}-` }),
        /^The start of the range is larger than size of retrieved data: /
      )
    }))

  it.scoped("jobs: a part of an archive", () =>
    Effect.gen(function*() {
      const { archive, vault } = yield* retrieval("part")
      const second = yield* finished(vault, { ...archive, RetrievalByteRange: "1048576-2097151", Tier: "Bulk" })
      const expected = bytes.subarray(mebibyte, 2 * mebibyte)
      expect(second.description).toMatchObject({
        ArchiveSHA256TreeHash: treeHash(bytes),
        RetrievalByteRange: "1048576-2097151",
        SHA256TreeHash: treeHash(expected),
        Tier: "Bulk"
      })
      const all = yield* output(second.job)
      expect(all).toMatchObject({ status: 200, checksum: treeHash(expected) })
      expect(all.bytes.equals(expected)).toBe(true)
      const some = yield* output({ ...second.job, range: "bytes=10-19" })
      expect(some.contentRange).toBe(`bytes 10-19/${mebibyte}`)
      expect(some.bytes.equals(expected.subarray(10, 20))).toBe(true)

      // No node of the tree spans these three MiB.
      const three = yield* finished(vault, { ...archive, RetrievalByteRange: "0-3145727" })
      expect(three.description.SHA256TreeHash).toBeUndefined()
      const unhashed = yield* output(three.job)
      expect(unhashed.checksum).toBeUndefined()
      expect(unhashed.bytes.equals(bytes.subarray(0, 3 * mebibyte))).toBe(true)
    }))

  it.scoped("jobs: wrong parameters", () =>
    Effect.gen(function*() {
      const { archive, glacier, vault } = yield* retrieval("wrong-parameters")
      const initiate = (jobParameters: Aws.JobParameters) => () => glacier.initiateJob({ ...vault, jobParameters })
      for (
        const [parameters, message] of [
          [{ Type: "retrieval" }, /^Invalid Type: retrieval/],
          [{ ...archive, Tier: "Slow" }, /^Invalid Tier: Slow/],
          [{ ...archive, RetrievalByteRange: "0-9" }, /megabyte aligned/],
          [{ ...archive, RetrievalByteRange: "9-0" }, /^Invalid RetrievalByteRange: 9-0/],
          [{ ...archive, RetrievalByteRange: "0-4194303" }, /^Invalid RetrievalByteRange: 0-4194303/],
          [{ ...archive, Description: "~".repeat(1025) }, /^Invalid Description: ~/],
          [{ ...archive, Description: "ü" }, /^Invalid Description: ü/],
          [{ ...archive, Type: "inventory-retrieval" }, /^ArchiveId is not valid for jobs of type inventory/],
          [{ Type: "inventory-retrieval", Format: "XML" }, /^Invalid Format: XML/]
        ] as const
      ) yield* invalid(initiate(parameters), message)
      yield* missing(initiate({ Tier: "Bulk" }), "Required parameter missing: Type")
      yield* missing(initiate({ Type: "archive-retrieval" }), "Required parameter missing: ArchiveId")
      yield* notFound(initiate({ ...archive, ArchiveId: "A".repeat(138) }), /^The archive ID was not found: A+$/)
    }))

  it.scoped("jobs: take their time", () =>
    Effect.gen(function*() {
      const glacier = yield* emulated({ jobDelay: "1 hour", inventoryDelay: "1 hour" })
      const vault = yield* created(glacier, "slow")
      const archiveId = yield* stored(glacier, vault, bytes)
      const { jobId } = yield* call(() =>
        glacier.initiateJob({ ...vault, jobParameters: { Type: "archive-retrieval", ArchiveId: archiveId } })
      )
      const job = { ...vault, jobId: jobId! }
      const described = yield* call(() => glacier.describeJob(job))
      expect(described).toMatchObject({ Completed: false, StatusCode: "InProgress", Tier: "Standard" })
      for (const absent of ["CompletionDate", "StatusMessage", "JobDescription", "SNSTopic"] as const) {
        expect(described[absent]).toBeUndefined()
      }
      yield* invalid(
        () => glacier.getJobOutput(job),
        `The job is not currently available for download: ${jobId}`
      )
      yield* notFound(
        () => glacier.initiateJob({ ...vault, jobParameters: { Type: "inventory-retrieval" } }),
        /^The job cannot be initiated yet, because no initial inventory exists for the vault: arn:/
      )
      yield* call(() => glacier.deleteArchive({ ...vault, archiveId }))
      yield* invalid(() => glacier.deleteVault(vault), /^Vault not empty or recently written to: arn:/)
    }))

  it.scoped("jobs: listed, filtered and in pages", () =>
    Effect.gen(function*() {
      const { archive, glacier, vault } = yield* retrieval("jobs-in-pages")
      const inventory = { Type: "inventory-retrieval" }
      const finishedJobs = yield* Effect.forEach([inventory, archive, inventory, archive], (parameters) =>
        finished(vault, parameters))
      const newestFirst = finishedJobs.map(({ job }) =>
        job.jobId
      ).reverse()
      const list = (filter: Partial<Aws.ListJobsInput>, pageSize?: number) =>
        Effect.map(
          Support.pages(
            Aws.paginateListJobs({ client: glacier, ...(pageSize && { pageSize }) }, { ...vault, ...filter })
          ),
          (pages) => pages.map(({ JobList = [] }) => JobList.map(({ JobId }) => JobId))
        )
      for (const [pageSize, sizes] of [[undefined, [4]], [1, [1, 1, 1, 1]], [3, [3, 1]], [1000, [4]]] as const) {
        const listed = yield* list({}, pageSize)
        expect(listed.map(({ length }) => length)).toEqual(sizes)
        expect(listed.flat()).toEqual(newestFirst)
      }
      expect(yield* list({ statuscode: "Succeeded", completed: "true" })).toEqual([newestFirst])
      for (const filter of [{ statuscode: "Failed" }, { statuscode: "InProgress" }, { completed: "false" }]) {
        expect(yield* list(filter)).toEqual([[]])
      }
      yield* invalid(() => glacier.listJobs({ ...vault, statuscode: "Lost" }), "The job status code is not valid: Lost")
      yield* invalid(() => glacier.listJobs({ ...vault, completed: "TRUE" }), "Invalid completed: TRUE")
    }))

  it.scoped("jobs: unknown ones", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const job = { ...yield* created(glacier, "unknown-jobs"), jobId: "A".repeat(92) }
      for (const run of [() => glacier.describeJob(job), () => glacier.getJobOutput(job)]) {
        yield* notFound(run, /^The job ID was not found: A{92}$/)
      }
    }))
}
