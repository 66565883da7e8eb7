import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Redacted, TestClock } from "effect"
import * as Support from "./support.ts"

const { call, codes, createVault, errorOf, text, upload, vault } = Support

const guest = "111122223333"

const closed = "444455556666"

const keyOf = (accountId: string) => ({ accessKeyId: `AKIA${accountId}`, secretAccessKey: `secret of ${accountId}` })

const emulator = Support.layer({
  keys: [Support.account, guest, closed].map((accountId) => {
    const { accessKeyId, secretAccessKey } = keyOf(accountId)
    return { accountId, accessKeyId, secretAccessKey: Redacted.make(secretAccessKey) }
  }),
  withoutStorage: [closed]
})

const asOwner = { key: keyOf(Support.account) }

const asGuest = { key: keyOf(guest) }

const photos = `/${Support.account}/vaults/photos`

const setPolicy = (...statements: ReadonlyArray<object>) =>
  call("PUT", `${photos}/access-policy`, {
    ...asOwner,
    body: JSON.stringify({
      Policy: JSON.stringify({
        Statement: statements.map((statement) => ({ Effect: "Allow", Resource: "*", ...statement }))
      })
    })
  })

const accessDenied = [403, "AccessDeniedException", `Access denied for account ID: ${Support.account}`]

const listed = ({ json }: Support.WireResponse) =>
  (json["VaultList"] as ReadonlyArray<{ readonly VaultARN: string }>).map(({ VaultARN }) => VaultARN)

describe("accounts and regions", () => {
  it.effect("have their own vaults", () =>
    Effect.gen(function*() {
      for (const options of [asOwner, asGuest, { ...asOwner, region: "eu-west-1" }]) {
        const { headers } = yield* call("PUT", vault("photos"), options)
        expect(headers["location"]).toBe(options.key === asGuest.key ? `/${guest}/vaults/photos` : photos)
      }
      expect(listed(yield* call("GET", "/-/vaults", asOwner))).toEqual([
        `arn:aws:glacier:us-east-1:${Support.account}:vaults/photos`
      ])
      expect(listed(yield* call("GET", `/${guest}/vaults`, asGuest))).toEqual([
        `arn:aws:glacier:us-east-1:${guest}:vaults/photos`
      ])
      expect(listed(yield* call("GET", "/-/vaults", { ...asOwner, region: "eu-west-1" }))).toEqual([
        `arn:aws:glacier:eu-west-1:${Support.account}:vaults/photos`
      ])
    }).pipe(Effect.provide(emulator)))

  it.effect("can use the vaults of other accounts as far as a policy allows", () =>
    Effect.gen(function*() {
      yield* call("PUT", photos, asOwner)
      const describeVault = call("GET", photos, asGuest)
      expect(errorOf(yield* describeVault)).toEqual(accessDenied)
      yield* setPolicy({ Principal: { AWS: guest }, Action: ["glacier:DescribeVault", "glacier:UploadArchive"] })
      expect((yield* describeVault).json["VaultARN"]).toBe(
        `arn:aws:glacier:us-east-1:${Support.account}:vaults/photos`
      )
      const bytes = text("from a guest")
      const { headers } = yield* call("POST", `${photos}/archives`, {
        ...asGuest,
        body: bytes,
        headers: Support.hashes(bytes)
      })
      const id = headers["x-amz-archive-id"] ?? ""
      expect(headers["location"]).toBe(`${photos}/archives/${id}`)
      expect(errorOf(yield* call("DELETE", `${photos}/archives/${id}`, asGuest))).toEqual(accessDenied)
      // The archive belongs to the owner of the vault.
      const retrieval = JSON.stringify({ Type: "archive-retrieval", ArchiveId: id })
      expect((yield* call("POST", `${photos}/jobs`, { ...asOwner, body: retrieval })).status).toBe(202)
    }).pipe(Effect.provide(emulator)))

  it.effect("are denied a request that one statement allows and another denies", () =>
    Effect.gen(function*() {
      yield* call("PUT", photos, asOwner)
      const principal = { Principal: { AWS: `arn:aws:iam::${guest}:root` } }
      yield* setPolicy({ ...principal, Action: "*" }, { Effect: "Deny", ...principal, Action: "glacier:DescribeVault" })
      expect((yield* call("GET", `${photos}/jobs`, asGuest)).status).toBe(200)
      expect((yield* call("GET", photos, asGuest)).json["message"]).toBe(
        `User: arn:aws:iam::${guest}:root is not authorized to perform: glacier:DescribeVault on resource: ` +
          `arn:aws:glacier:us-east-1:${Support.account}:vaults/photos with an explicit deny in a resource-based policy`
      )
      expect((yield* call("GET", photos, asOwner)).status).toBe(200)
    }).pipe(Effect.provide(emulator)))

  it.effect("cannot share operations without a vault, and do not reveal which vaults exist", () =>
    Effect.gen(function*() {
      yield* call("PUT", photos, asOwner)
      yield* setPolicy({ Principal: "*", Action: "*" })
      const policy = JSON.stringify({ Policy: JSON.stringify({ Statement: [] }) })
      for (
        const [method, path, body] of [
          ["GET", `/${Support.account}/vaults`],
          ["PUT", photos],
          ["POST", `${photos}/lock-policy`, policy],
          ["GET", `/${Support.account}/policies/data-retrieval`],
          ["GET", `/${Support.account}/provisioned-capacity`],
          ["GET", `/${Support.account}/vaults/none`],
          ["DELETE", `/${Support.account}/vaults/none`]
        ] as const
      ) expect(errorOf(yield* call(method, path, { ...asGuest, ...(body && { body }) }))).toEqual(accessDenied)
      expect(errorOf(yield* call("GET", "/12-34/vaults/photos", asGuest))[2]).toBe(
        "Access denied for account ID: 12-34"
      )
    }).pipe(Effect.provide(emulator)))

  it.effect("without storage get only rejections, and other accounts none", () =>
    Effect.gen(function*() {
      yield* call("PUT", photos, asOwner)
      yield* setPolicy({ Principal: "*", Action: "*" })
      const asClosed = { key: keyOf(closed) }
      for (const path of ["/-/vaults", photos]) {
        expect(codes(yield* call("GET", path, asClosed))).toEqual([400, "NoLongerSupportedException"])
      }
      expect((yield* call("GET", photos, asGuest)).status).toBe(200)
    }).pipe(Effect.provide(emulator)))
})

describe("expiry", () => {
  const minutes = { Job: "1 minute", Upload: "2 minutes", Lock: "3 minutes" } as const

  it.effect("removes jobs, uploads and locks after the configured times", () =>
    Effect.gen(function*() {
      yield* createVault("photos")
      const id = yield* upload("photos", text("x"))
      const retrieval = JSON.stringify({ Type: "archive-retrieval", ArchiveId: id })
      const { headers: job } = yield* call("POST", `${vault("photos")}/jobs`, { body: retrieval })
      const { headers: begun } = yield* call("POST", `${vault("photos")}/multipart-uploads`, {
        headers: { "x-amz-part-size": "1048576" }
      })
      yield* call("POST", `${vault("photos")}/lock-policy`, {
        body: JSON.stringify({
          Policy: JSON.stringify({ Statement: [{ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" }] })
        })
      })
      const statuses = Effect.all([
        call("GET", `${vault("photos")}/jobs/${job["x-amz-job-id"]}`),
        call("GET", `${vault("photos")}/multipart-uploads/${begun["x-amz-multipart-upload-id"]}`),
        call("GET", `${vault("photos")}/lock-policy`)
      ]).pipe(Effect.map((responses) => responses.map(({ status }) => status)))
      expect(yield* statuses).toEqual([200, 200, 200])
      yield* TestClock.adjust("1 minute")
      expect(yield* statuses).toEqual([404, 200, 200])
      yield* TestClock.adjust("1 minute")
      expect(yield* statuses).toEqual([404, 404, 200])
      yield* TestClock.adjust("1 minute")
      expect(yield* statuses).toEqual([404, 404, 404])
    }).pipe(Effect.provide(Support.layer({ jobDelay: 0, expiry: minutes }))))

  it.effect("rejects a key after its expiration", () =>
    Effect.gen(function*() {
      const key = { accessKeyId: "ASIA", secretAccessKey: "secret", sessionToken: "token" }
      yield* TestClock.adjust("899999 millis")
      expect((yield* call("GET", "/-/vaults", { key })).status).toBe(200)
      yield* TestClock.adjust("1 millis")
      expect(errorOf(yield* call("GET", "/-/vaults", { key }))).toEqual([
        403,
        "ExpiredTokenException",
        "The security token included in the request is expired"
      ])
    }).pipe(Effect.provide(Support.layer({
      keys: [{
        accessKeyId: "ASIA",
        secretAccessKey: Redacted.make("secret"),
        sessionToken: Redacted.make("token"),
        expiration: DateTime.unsafeMake(900_000)
      }]
    }))))
})
