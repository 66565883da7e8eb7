/** Fills an emulator with resources of all kinds, and reads everything that its API returns about them. */
import { Effect, TestClock } from "effect"
import * as Support from "./support.ts"

const { call, createVault, hashes, initiateJob, ramp, text, treeHash, upload, vault } = Support

const MiB = 1_048_576

/** Reads everything that the API returns about these vaults, jobs and uploads. */
export const readAll = (jobs: ReadonlyArray<string>, uploads: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const responses = [
      yield* call("GET", "/-/vaults"),
      yield* call("GET", `${vault("photos")}/jobs`),
      yield* call("GET", `${vault("photos")}/multipart-uploads`),
      yield* call("GET", `${vault("photos")}/tags`),
      yield* call("GET", `${vault("photos")}/notification-configuration`),
      yield* call("GET", `${vault("photos")}/access-policy`),
      yield* call("GET", `${vault("photos")}/lock-policy`),
      yield* call("GET", "/-/policies/data-retrieval"),
      yield* call("GET", "/-/provisioned-capacity")
    ]
    for (const id of uploads) responses.push(yield* call("GET", `${vault("photos")}/multipart-uploads/${id}`))
    for (const id of jobs) responses.push(yield* call("GET", `${vault("photos")}/jobs/${id}/output`))
    return responses.map(({ status, text }) => ({ status, text }))
  })

/** Sets tags and policies, and changes some of them. */
const settings = Effect.gen(function*() {
  const path = vault("photos")
  yield* call("POST", `${path}/tags`, { query: { operation: "add" }, body: `{"Tags":{"a":"1","b":"2"}}` })
  yield* call("POST", `${path}/tags`, { query: { operation: "remove" }, body: `{"TagKeys":["a"]}` })
  const body = `{"SNSTopic":"arn:aws:sns:us-east-1:123456789012:topic","Events":["ArchiveRetrievalCompleted"]}`
  yield* call("PUT", `${path}/notification-configuration`, { body })
  const statement = { Effect: "Allow", Principal: "*", Action: "glacier:ListJobs", Resource: "*" }
  const policy = JSON.stringify({ Policy: JSON.stringify({ Statement: statement }) })
  yield* call("PUT", `${path}/access-policy`, { body: policy })
  yield* call("POST", `${path}/lock-policy`, { body: policy })
  yield* call("DELETE", `${path}/lock-policy`)
  const { headers } = yield* call("POST", `${path}/lock-policy`, { body: policy })
  yield* call("POST", `${path}/lock-policy/${headers["x-amz-lock-id"]}`)
  const rules = `{"Policy":{"Rules":[{"Strategy":"BytesPerHour","BytesPerHour":1000000000}]}}`
  yield* call("PUT", "/-/policies/data-retrieval", { body: rules })
  yield* call("POST", "/-/provisioned-capacity")
})

/** Makes vaults, archives, parts and jobs of all kinds, and returns their ids. */
export const fill = Effect.gen(function*() {
  yield* createVault("photos")
  yield* createVault("films")
  yield* createVault("gone")
  yield* call("DELETE", vault("gone"))
  yield* settings
  const one = yield* upload("photos", text("one"), "first")
  const two = yield* upload("photos", text("two"))
  const big = yield* upload("photos", ramp(3.5 * MiB))
  yield* call("DELETE", `${vault("photos")}/archives/${two}`)
  const initiate = Effect.map(
    call("POST", `${vault("photos")}/multipart-uploads`, { headers: { "x-amz-part-size": String(MiB) } }),
    ({ headers }) => headers["x-amz-multipart-upload-id"] ?? ""
  )
  const part = (id: string, index: number, bytes: Uint8Array) =>
    call("PUT", `${vault("photos")}/multipart-uploads/${id}`, {
      body: bytes,
      headers: {
        ...hashes(bytes),
        "content-range": `bytes ${index * MiB}-${index * MiB + bytes.length - 1}/*`
      }
    })
  const open = yield* initiate
  yield* part(open, 1, ramp(10))
  yield* part(open, 0, ramp(20))
  yield* part(open, 0, ramp(30))
  const done = yield* initiate
  const bytes = ramp(MiB + 5)
  yield* part(done, 1, bytes.subarray(MiB))
  yield* part(done, 0, bytes.subarray(0, MiB))
  const completed = yield* call("POST", `${vault("photos")}/multipart-uploads/${done}`, {
    headers: { "x-amz-archive-size": String(bytes.length), "x-amz-sha256-tree-hash": treeHash(bytes) }
  })
  const aborted = yield* initiate
  yield* part(aborted, 0, ramp(10))
  yield* call("DELETE", `${vault("photos")}/multipart-uploads/${aborted}`)
  const jobs: Array<string> = []
  const ids = [one, big, completed.headers["x-amz-archive-id"]]
  for (const ArchiveId of ids) jobs.push(yield* initiateJob("photos", { Type: "archive-retrieval", ArchiveId }))
  jobs.push(
    yield* initiateJob("photos", {
      Type: "archive-retrieval",
      ArchiveId: big,
      RetrievalByteRange: `0-${2 * MiB - 1}`,
      Description: "half"
    })
  )
  for (const Format of ["JSON", "CSV"]) {
    jobs.push(
      yield* initiateJob("photos", { Type: "inventory-retrieval", Format, InventoryRetrievalParameters: { Limit: 2 } })
    )
  }
  yield* TestClock.adjust("4 hours")
  yield* call("DELETE", `${vault("photos")}/archives/${one}`)
  return { jobs, uploads: [open] }
})
