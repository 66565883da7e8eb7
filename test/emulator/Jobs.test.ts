import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import * as Support from "./support.ts"

const { call, createVault, initiateJob, list, text, treeHash, upload, vault } = Support

const jobs = `${vault("photos")}/jobs`

const arn = "arn:aws:glacier:us-east-1:123456789012:vaults/photos"

const initiate = (body: unknown) => call("POST", jobs, { body: typeof body === "string" ? body : JSON.stringify(body) })

const describeJob = (id: string) => call("GET", `${jobs}/${id}`)

const statuses = (query: Record<string, string>) =>
  Effect.map(call("GET", jobs, { query }), (page) => list(page, "JobList").map((job) => job["StatusCode"]))

const bytes = text("Welcome to Amazon Glacier.")

const hash = treeHash(bytes)

describe("jobs", () => {
  it.effect("have all fields of an archive retrieval, before and after they complete", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const archive = yield* upload("photos", bytes)
      const initiated = yield* initiate({
        Type: "archive-retrieval",
        ArchiveId: archive,
        Description: "mine",
        SNSTopic: "arn:aws:sns:us-east-1:123456789012:topic",
        Tier: "Bulk"
      })
      const id = initiated.headers["x-amz-job-id"] ?? ""
      expect(initiated.status).toBe(202)
      expect(id).toMatch(/^[A-Za-z0-9_-]{92}$/)
      expect(initiated.headers["location"]).toBe(`/123456789012/vaults/photos/jobs/${id}`)
      expect(initiated.headers["content-type"]).toBeUndefined()
      expect(initiated.headers["content-length"]).toBe("0")

      const shape = (completed: string) =>
        `{"Action":"ArchiveRetrieval","ArchiveId":"${archive}","ArchiveSHA256TreeHash":"${hash}",` +
        `"ArchiveSizeInBytes":26,${completed},"CreationDate":"1970-01-01T00:00:00.000Z",` +
        `"InventoryRetrievalParameters":null,"InventorySizeInBytes":null,"JobDescription":"mine","JobId":"${id}",` +
        `"JobOutputPath":null,"OutputLocation":null,"RetrievalByteRange":"0-25","SHA256TreeHash":"${hash}",` +
        `"SNSTopic":"arn:aws:sns:us-east-1:123456789012:topic","SelectParameters":null`
      const running = yield* describeJob(id)
      expect(running.status).toBe(200)
      expect(running.text).toBe(
        shape(`"Completed":false,"CompletionDate":null`) +
          `,"StatusCode":"InProgress","StatusMessage":null,"Tier":"Bulk","VaultARN":"${arn}"}`
      )
      yield* TestClock.adjust("9 hours")
      expect((yield* describeJob(id)).text).toBe(
        shape(`"Completed":true,"CompletionDate":"1970-01-01T08:00:00.000Z"`) +
          `,"StatusCode":"Succeeded","StatusMessage":"Succeeded","Tier":"Bulk","VaultARN":"${arn}"}`
      )
    }).pipe(Effect.provide(Support.layer())))

  it.effect("accept the parameters in all forms that clients send", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const ArchiveId = yield* upload("photos", bytes)
      const Type = "archive-retrieval"
      for (
        const body of [
          { Type, ArchiveId },
          { jobParameters: { Type, ArchiveId } },
          { Type, ArchiveId, Description: null, SNSTopic: null, Tier: null, RetrievalByteRange: null, Format: null },
          { Type, ArchiveId, Description: "" },
          { Type, ArchiveId, RetrievalByteRange: "0-25", InventoryRetrievalParameters: null },
          `\n{ "Type" : "archive-retrieval",\n "ArchiveId": "${ArchiveId}" }`
        ]
      ) {
        const response = yield* initiate(body)
        expect([body, response.status]).toEqual([body, 202])
        const job = yield* describeJob(response.headers["x-amz-job-id"] ?? "")
        expect(job.json).toMatchObject({ JobDescription: null, Tier: "Standard", RetrievalByteRange: "0-25" })
      }
    }).pipe(Effect.provide(Support.layer())))

  it.effect("are rejected when a parameter is missing or invalid", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      yield* createVault("films")
      const ArchiveId = yield* upload("photos", bytes)
      const foreign = yield* upload("films", bytes)
      const Type = "archive-retrieval"
      const missing = "MissingParameterValueException"
      const invalid = "InvalidParameterValueException"
      const cases: ReadonlyArray<[unknown, number, string, string]> = [
        ["", 400, missing, "Required parameter missing: Job Parameters"],
        ["{}", 400, missing, "Required parameter missing: Type"],
        ["{\"Type\":", 400, "SerializationException", "The request body is not valid JSON."],
        ["[]", 400, "SerializationException", "The request body is not valid JSON."],
        ["7", 400, "SerializationException", "The request body is not valid JSON."],
        [{ Type: null }, 400, missing, "Required parameter missing: Type"],
        [{ Type: "select", ArchiveId }, 400, invalid, "Invalid Type: select"],
        [{ Type: 5 }, 400, invalid, "Invalid Type: 5"],
        [{ Type }, 400, missing, "Required parameter missing: ArchiveId"],
        [{ Type, ArchiveId: "a b" }, 400, invalid, "Invalid ArchiveId: a b"],
        [{ Type, ArchiveId: "nope" }, 404, "ResourceNotFoundException", "The archive ID was not found: nope"],
        [{ Type, ArchiveId: foreign }, 400, invalid, `Invalid vault name: ${arn}`],
        [{ Type, ArchiveId, Tier: "Slow" }, 400, invalid, "Invalid Tier: Slow"],
        [{ Type, ArchiveId, Description: "café" }, 400, invalid, "Invalid Description: café"],
        [{ Type, ArchiveId, RetrievalByteRange: "all" }, 400, invalid, "Invalid RetrievalByteRange: all"],
        [{ Type, ArchiveId, RetrievalByteRange: "5-1" }, 400, invalid, "Invalid RetrievalByteRange: 5-1"],
        [
          { Type, ArchiveId, RetrievalByteRange: "1-25" },
          400,
          invalid,
          "Invalid RetrievalByteRange: 1-25. It must be megabyte aligned."
        ],
        [
          { Type, ArchiveId, RetrievalByteRange: "0-26" },
          400,
          invalid,
          "Invalid RetrievalByteRange: 0-26. The archive has 26 bytes."
        ],
        [
          { Type: "inventory-retrieval", ArchiveId },
          400,
          invalid,
          "ArchiveId is not valid for jobs of type inventory-retrieval"
        ],
        [
          { Type: "inventory-retrieval", RetrievalByteRange: "0-1" },
          400,
          invalid,
          "RetrievalByteRange is not valid for jobs of type inventory-retrieval"
        ],
        [{ Type: "inventory-retrieval", Format: "XML" }, 400, invalid, "Invalid Format: XML"],
        [
          { Type: "inventory-retrieval", InventoryRetrievalParameters: { Limit: "0" } },
          400,
          invalid,
          "Invalid InventoryRetrievalParameters.Limit: 0"
        ],
        [
          { Type: "inventory-retrieval", InventoryRetrievalParameters: { StartDate: "soon" } },
          400,
          invalid,
          "Invalid InventoryRetrievalParameters.StartDate: soon"
        ],
        [
          {
            Type: "inventory-retrieval",
            InventoryRetrievalParameters: { StartDate: "2014-01-01T00:00:00Z", EndDate: "2013-01-01T00:00:00Z" }
          },
          400,
          invalid,
          "Invalid InventoryRetrievalParameters: {\"StartDate\":\"2014-01-01T00:00:00Z\",\"EndDate\":\"2013-01-01T00:00:00Z\"}"
        ],
        [
          { Type: "inventory-retrieval", InventoryRetrievalParameters: { EndDate: "2013-02-31T00:00:00Z" } },
          400,
          invalid,
          "Invalid InventoryRetrievalParameters.EndDate: 2013-02-31T00:00:00Z"
        ],
        [{ Type, ArchiveId, SNSTopic: "not-an-arn" }, 400, invalid, "Invalid SNSTopic: not-an-arn"]
      ]
      for (const [body, status, code, message] of cases) {
        const response = yield* initiate(body)
        expect([body, response.status, response.json]).toEqual([body, status, { code, message, type: "Client" }])
      }
      const large = yield* initiate(" ".repeat(1_048_577))
      expect([large.status, large.json["code"]]).toEqual([400, "BadRequest"])
    }).pipe(Effect.provide(Support.layer())))

  it.effect("return 404 when unknown or expired, a day after their completion", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const archive = yield* upload("photos", bytes)
      const id = yield* initiateJob("photos", { Type: "archive-retrieval", ArchiveId: archive })
      const early = yield* call("GET", `${jobs}/${id}/output`)
      expect([early.status, early.json]).toEqual([400, {
        code: "InvalidParameterValueException",
        message: `The job is not currently available for download: ${id}`,
        type: "Client"
      }])
      yield* TestClock.adjust("27 hours")
      expect((yield* call("GET", `${jobs}/${id}/output`)).status).toBe(200)
      yield* TestClock.adjust("1 hours")
      for (const path of ["", "/output"]) {
        const gone = yield* call("GET", `${jobs}/${id}${path}`)
        expect([gone.status, gone.json["message"]]).toEqual([404, `The job ID was not found: ${id}`])
      }
      expect(list(yield* call("GET", jobs), "JobList")).toEqual([])
    }).pipe(Effect.provide(Support.layer())))

  it.effect("keep their output when the archive is deleted after their end, and fail when it is deleted before", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const archive = yield* upload("photos", bytes)
      const early = yield* initiateJob("photos", { Type: "archive-retrieval", ArchiveId: archive })
      yield* TestClock.adjust("4 hours")
      const late = yield* initiateJob("photos", { Type: "archive-retrieval", ArchiveId: archive })
      yield* call("DELETE", `${vault("photos")}/archives/${archive}`)
      expect((yield* initiate({ Type: "archive-retrieval", ArchiveId: archive })).status).toBe(404)
      expect((yield* call("GET", `${jobs}/${early}/output`)).text).toBe("Welcome to Amazon Glacier.")
      expect((yield* describeJob(late)).json["StatusCode"]).toBe("InProgress")
      yield* TestClock.adjust("4 hours")
      expect((yield* describeJob(late)).json).toMatchObject({
        Completed: true,
        CompletionDate: "1970-01-01T08:00:00.000Z",
        StatusCode: "Failed",
        StatusMessage: "Failed"
      })
      expect((yield* call("GET", `${jobs}/${late}/output`)).json["message"]).toBe(
        `The job is not currently available for download: ${late}`
      )
      expect((yield* call("GET", `${jobs}/${early}/output`)).text).toBe("Welcome to Amazon Glacier.")
    }).pipe(Effect.provide(Support.layer())))

  it.effect("are listed newest first, filtered, in pages", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const archive = yield* upload("photos", bytes)
      const ids: Array<string> = []
      for (let i = 0; i < 60; i++) {
        if (i === 55) yield* TestClock.adjust("4 hours")
        ids.push(yield* initiateJob("photos", { Type: "archive-retrieval", ArchiveId: archive }))
      }
      const found: Array<unknown> = []
      let marker: unknown = undefined
      do {
        const page: Support.WireResponse = yield* call("GET", jobs, {
          query: { limit: "1000", ...(typeof marker === "string" ? { marker } : {}) }
        })
        found.push(...list(page, "JobList").map((job) => job["JobId"]))
        marker = page.json["Marker"]
      } while (marker !== null)
      expect(found).toEqual([...ids].reverse())

      expect(yield* statuses({ statuscode: "InProgress" })).toEqual(Array(5).fill("InProgress"))
      expect(yield* statuses({ completed: "false" })).toHaveLength(5)
      expect(yield* statuses({ completed: "true", limit: "7" })).toEqual(Array(7).fill("Succeeded"))
      expect(yield* statuses({ completed: "true", statuscode: "InProgress" })).toEqual([])
      const bad = yield* call("GET", jobs, { query: { statuscode: "Done" } })
      expect([bad.status, bad.json["message"]]).toEqual([400, "The job status code is not valid: Done"])
      expect((yield* call("GET", jobs, { query: { completed: "yes" } })).json["message"]).toBe("Invalid completed: yes")
      expect((yield* call("GET", jobs, { query: { limit: "0" } })).json["message"]).toBe("Invalid limit: 0")
    }).pipe(Effect.provide(Support.layer())), 20_000)

  it.effect("are listed after a marker whose job has expired", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const archive = yield* upload("photos", bytes)
      const ids: Array<string> = []
      for (const Tier of ["Bulk", "Expedited", "Bulk"]) {
        ids.push(yield* initiateJob("photos", { Type: "archive-retrieval", ArchiveId: archive, Tier }))
      }
      const found = (page: Support.WireResponse) => list(page, "JobList").map((job) => job["JobId"])
      const first = yield* call("GET", jobs, { query: { limit: "2" } })
      expect(found(first)).toEqual([ids[2], ids[1]])
      const marker = String(first.json["Marker"])
      yield* TestClock.adjust("25 hours")
      expect((yield* call("GET", `${jobs}/${marker}`)).status).toBe(404)
      const second = yield* call("GET", jobs, { query: { marker } })
      expect([found(second), second.json["Marker"]]).toEqual([[ids[0]], null])
    }).pipe(Effect.provide(Support.layer())))
})
