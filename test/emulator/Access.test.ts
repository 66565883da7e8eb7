import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import * as Support from "./support.ts"

const { call, createVault, text, upload, vault } = Support

const arn = "arn:aws:glacier:us-east-1:123456789012:vaults/photos"

const access = `${vault("photos")}/access-policy`

const lock = `${vault("photos")}/lock-policy`

const body = (statement: object) =>
  JSON.stringify({
    Policy: JSON.stringify({ Statement: [{ Effect: "Deny", Principal: "*", Resource: arn, ...statement }] })
  })

const deny = (statement: object) => call("PUT", access, { body: body(statement) })

const denied = (action: string) => ({
  code: "AccessDeniedException",
  message: `User: arn:aws:iam::123456789012:root is not authorized to perform: glacier:${action} on resource: ${arn} ` +
    "with an explicit deny in a resource-based policy",
  type: "Client"
})

const young = { NumericLessThan: { "glacier:ArchiveAgeInDays": "365" } }

describe("access policies and vault locks", () => {
  it.effect("deny the deletion of archives younger than a lock allows, in progress and locked", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const old = yield* upload("photos", text("old"))
      yield* TestClock.adjust("364 days")
      const statement = { Action: ["glacier:DeleteArchive", "glacier:InitiateJob"], Condition: young }
      const { headers } = yield* call("POST", lock, { body: body(statement) })
      const fresh = yield* upload("photos", text("fresh"))
      const remove = (id: string) => call("DELETE", `${vault("photos")}/archives/${id}`)
      const rejected = yield* remove(old)
      expect([rejected.status, rejected.json]).toEqual([403, denied("DeleteArchive")])
      const retrieve = (ArchiveId: string) =>
        call("POST", `${vault("photos")}/jobs`, { body: JSON.stringify({ Type: "archive-retrieval", ArchiveId }) })
      expect((yield* retrieve(fresh)).json).toEqual(denied("InitiateJob"))
      // An inventory or an archive that does not exist has no age, so the condition does not match.
      const inventory = yield* call("POST", `${vault("photos")}/jobs`, { body: `{"Type":"inventory-retrieval"}` })
      expect(inventory.status).toBe(202)
      expect((yield* remove("nowhere")).status).toBe(204)
      expect((yield* retrieve("nowhere")).status).toBe(404)
      yield* call("POST", `${lock}/${headers["x-amz-lock-id"]}`)
      expect((yield* remove(old)).status).toBe(403)
      yield* TestClock.adjust("1 day")
      expect((yield* retrieve(old)).status).toBe(202)
      expect((yield* remove(old)).status).toBe(204)
      expect((yield* remove(fresh)).status).toBe(403)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("deny nothing once the lock has expired or was aborted", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const initiate = call("POST", lock, { body: body({ Action: "glacier:UploadArchive" }) })
      for (const end of [TestClock.adjust("24 hours"), call("DELETE", lock)]) {
        yield* initiate
        expect(yield* upload("photos", text("x"))).toBe("")
        yield* end
        expect(yield* upload("photos", text("x"))).not.toBe("")
      }
    }).pipe(Effect.provide(Support.layer())))

  it.effect("deny by the current tags of the vault", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const key = "glacier:ResourceTag/LegalHold"
      yield* deny({ Action: "glacier:DeleteArchive", Condition: { StringLike: { [key]: ["true", ""] } } })
      const id = yield* upload("photos", text("x"))
      yield* call("POST", `${vault("photos")}/tags`, { query: { operation: "add" }, body: `{"Tags":{"LegalHold":""}}` })
      expect((yield* call("DELETE", `${vault("photos")}/archives/${id}`)).status).toBe(403)
      yield* call("POST", `${vault("photos")}/tags`, {
        query: { operation: "remove" },
        body: `{"TagKeys":["LegalHold"]}`
      })
      expect((yield* call("DELETE", `${vault("photos")}/archives/${id}`)).status).toBe(204)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("can deny each operation on a vault, after the vault and before its contents are looked up", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      yield* createVault("films")
      yield* deny({ NotAction: "glacier:DeleteVaultAccessPolicy" })
      const id = "i".repeat(92)
      const policy = body({ Action: "glacier:*" })
      const topic = `{"SNSTopic":"arn:aws:sns:us-east-1:123456789012:topic","Events":["ArchiveRetrievalCompleted"]}`
      const archive = Support.hashes(text("x"))
      const part = { ...archive, "content-range": "bytes 0-0/*" }
      const tree = { "x-amz-archive-size": "1", "x-amz-sha256-tree-hash": "0".repeat(64) }
      const add = { operation: "add" }
      const remove = { operation: "remove" }
      const calls: ReadonlyArray<[string, "GET" | "PUT" | "POST" | "DELETE", string, Support.Options?]> = [
        ["AbortMultipartUpload", "DELETE", `/multipart-uploads/${id}`],
        ["AbortVaultLock", "DELETE", "/lock-policy"],
        ["AddTagsToVault", "POST", "/tags", { query: add, body: `{"Tags":{"a":""}}` }],
        ["CompleteMultipartUpload", "POST", `/multipart-uploads/${id}`, { headers: tree }],
        ["CompleteVaultLock", "POST", `/lock-policy/${id}`],
        ["DeleteArchive", "DELETE", `/archives/${id}`],
        ["DeleteVault", "DELETE", ""],
        ["DeleteVaultNotifications", "DELETE", "/notification-configuration"],
        ["DescribeJob", "GET", `/jobs/${id}`],
        ["DescribeVault", "GET", ""],
        ["GetJobOutput", "GET", `/jobs/${id}/output`],
        ["GetVaultAccessPolicy", "GET", "/access-policy"],
        ["GetVaultLock", "GET", "/lock-policy"],
        ["GetVaultNotifications", "GET", "/notification-configuration"],
        ["InitiateJob", "POST", "/jobs", { body: `{"Type":"inventory-retrieval"}` }],
        ["InitiateJob", "POST", "/jobs", { body: `{"Type":"archive-retrieval","ArchiveId":"${id}"}` }],
        ["InitiateMultipartUpload", "POST", "/multipart-uploads", { headers: { "x-amz-part-size": "1048576" } }],
        ["InitiateVaultLock", "POST", "/lock-policy", { body: policy }],
        ["ListJobs", "GET", "/jobs"],
        ["ListMultipartUploads", "GET", "/multipart-uploads"],
        ["ListParts", "GET", `/multipart-uploads/${id}`],
        ["ListTagsForVault", "GET", "/tags"],
        ["RemoveTagsFromVault", "POST", "/tags", { query: remove, body: `{"TagKeys":["a"]}` }],
        ["SetVaultAccessPolicy", "PUT", "/access-policy", { body: policy }],
        ["SetVaultNotifications", "PUT", "/notification-configuration", { body: topic }],
        ["UploadArchive", "POST", "/archives", { body: text("x"), headers: archive }],
        ["UploadMultipartPart", "PUT", `/multipart-uploads/${id}`, { body: text("x"), headers: part }]
      ]
      for (const [action, method, path, options] of calls) {
        const rejected = yield* call(method, vault("photos") + path, options)
        expect([action, rejected.status, rejected.json]).toEqual([action, 403, denied(action)])
      }
      expect((yield* call("GET", vault("films"))).status).toBe(200)
      expect((yield* call("GET", "/-/vaults")).status).toBe(200)
      expect((yield* createVault("photos")).status).toBe(201)
      expect((yield* call("DELETE", access)).status).toBe(204)
      expect((yield* call("GET", vault("photos"))).status).toBe(200)
    }).pipe(Effect.provide(Support.layer())))
})
