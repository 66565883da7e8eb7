/** Jobs: in progress for the time of their tier, then complete for a day, and failed when the archive was deleted before. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck } from "effect"
import { collect, started, store } from "../../src/testing/internal/conformance/support.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"
import { agree, calling, day, hour, responds, type Timed, vaultName, waits } from "./support.ts"

interface Archive {
  readonly id: string
  readonly size: number
  deletedAt: number | undefined
}

interface Job {
  readonly id: string
  readonly completesAt: number
  /** None of an inventory. */
  readonly archive: Archive | undefined
}

interface Model extends Timed {
  readonly archives: Array<Archive>
  jobs: Array<Job>
  /** The time of the first write, a day after which there is an inventory. */
  first: number | undefined
}

const delays = { Expedited: hour / 12, Standard: 4 * hour, Bulk: 8 * hour }

/** The jobs that are not forgotten, oldest first. */
const jobsOf = (model: Model) => (model.jobs = model.jobs.filter(({ completesAt }) => model.now < completesAt + day))

const statusOf = ({ archive, completesAt }: Job, now: number) =>
  now < completesAt ? "InProgress" : (archive?.deletedAt ?? Infinity) < completesAt ? "Failed" : "Succeeded"

const picked = FastCheck.nat({ max: 4 })

const fill = FastCheck.constant(calling<Model>("store", (model) => {
  const size = model.archives.length + 1
  return responds(store(vaultName, new Uint8Array(size)), ({ archiveId: id }) => {
    model.archives.push({ id, size, deletedAt: undefined })
    model.first ??= model.now
  })
}))

const remove = picked.map((back) =>
  calling<Model>(`delete the archive ${back} back`, (model, glacier) => {
    const archive = model.archives.at(-1 - back)
    return responds(glacier.deleteArchive({ vaultName, archiveId: archive?.id ?? "none" }), () => {
      if (archive !== undefined) archive.deletedAt ??= model.now
    })
  })
)

const retrieve = FastCheck.record({
  back: picked,
  tier: FastCheck.constantFrom("Expedited" as const, "Standard" as const, "Bulk" as const)
}).map(
  ({ back, tier }) =>
    calling<Model>(`${tier} retrieval of the archive ${back} back`, (model) => {
      const archive = model.archives.at(-1 - back)
      return responds(
        started(vaultName, { type: "archive-retrieval", archiveId: archive?.id ?? "none", tier }),
        archive === undefined || archive.deletedAt !== undefined
          ? "ArchiveNotFound"
          : ({ jobId: id }) => void jobsOf(model).push({ id, archive, completesAt: model.now + delays[tier] })
      )
    })
)

const inventory = FastCheck.constant(calling<Model>("inventory", (model) =>
  responds(
    started(vaultName, { type: "inventory-retrieval" }),
    model.now < (model.first ?? Infinity) + day
      ? "InventoryNotReady"
      : ({ jobId: id }) => void jobsOf(model).push({ id, archive: undefined, completesAt: model.now + 4 * hour })
  )))

const look = picked.map((back) =>
  calling<Model>(`describe the job ${back} back`, (model, glacier) => {
    const job = jobsOf(model).at(-1 - back)
    return responds(
      glacier.describeJob({ vaultName, jobId: job?.id ?? "none" }),
      job === undefined ?
        "JobNotFound" :
        ({ completed, statusCode }) =>
          expect([statusCode, completed]).toEqual([statusOf(job, model.now), model.now >= job.completesAt])
    )
  })
)

const read = picked.map((back) =>
  calling<Model>(`output of the job ${back} back`, (model, glacier) => {
    const job = jobsOf(model).at(-1 - back)
    const status = job && statusOf(job, model.now)
    return responds(
      Effect.flatMap(glacier.getJobOutput({ vaultName, jobId: job?.id ?? "none" }), ({ body }) => collect(body)),
      status === undefined
        ? "JobNotFound"
        : status === "Succeeded"
        ? (bytes) => expect(bytes.length).toBeGreaterThanOrEqual(job?.archive?.size ?? 100)
        : "JobNotReady"
    )
  })
)

const list = FastCheck.constantFrom(true, false).map((completed) =>
  calling<Model>(`list jobs, completed: ${completed}`, (model, glacier) => {
    const ids = jobsOf(model).filter(({ completesAt }) => model.now >= completesAt === completed).map(({ id }) => id)
    return responds(
      glacier.listJobs({ vaultName, completed }),
      ({ jobs }) => expect(jobs.map(({ jobId }) => jobId)).toEqual(ids.reverse())
    )
  })
)

const finish = picked.map((back) =>
  calling<Model>(`the emulator knows when the job ${back} back ends`, (model) => {
    const job = jobsOf(model).at(-1 - back)
    return Effect.map(TestGlacier.inside(vaultName), ({ jobs }) => {
      const known = jobs.find(({ jobId }) => jobId === job?.id)
      expect(known && Number(known.completesAt.epochMillis) - 1_700_000_000_000).toBe(job?.completesAt)
    })
  })
)

describe("the model of jobs", () => {
  it("predicts the emulator's responses to calls for jobs and their output", () =>
    agree(() => ({ now: 0, archives: [], jobs: [], first: undefined }), [
      fill,
      remove,
      retrieve,
      retrieve,
      inventory,
      look,
      read,
      list,
      finish,
      waits([1, hour / 12, hour / 12 - 1, 4 * hour, 8 * hour - 1, day - 1, day])
    ]))
})
