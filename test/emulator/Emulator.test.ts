import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import * as Support from "./support.ts"

const { call, vault } = Support

describe("Emulator", () => {
  it.effect("creates a vault, stores an archive and gives it back", () =>
    Effect.gen(function*() {
      const created = yield* Support.createVault("photos")
      expect(created.status).toBe(201)
      expect(created.headers["location"]).toBe("/123456789012/vaults/photos")

      const bytes = Support.text("Welcome to Amazon Glacier.")
      const archiveId = yield* Support.upload("photos", bytes, "a greeting")
      expect(archiveId).toMatch(/^[A-Za-z0-9_-]{138}$/)

      const described = yield* call("GET", vault("photos"))
      expect(described.text).toBe(
        `{"CreationDate":"1970-01-01T00:00:00.000Z","LastInventoryDate":null,"NumberOfArchives":0,"SizeInBytes":0,` +
          `"VaultARN":"arn:aws:glacier:us-east-1:123456789012:vaults/photos","VaultName":"photos"}`
      )

      const jobId = yield* Support.initiateJob("photos", { Type: "archive-retrieval", ArchiveId: archiveId })
      const early = yield* call("GET", `${vault("photos")}/jobs/${jobId}/output`)
      expect(early.json.message).toBe(`The job is not currently available for download: ${jobId}`)

      yield* TestClock.adjust("4 hours")
      const output = yield* call("GET", `${vault("photos")}/jobs/${jobId}/output`)
      expect(output.status).toBe(200)
      expect(output.text).toBe("Welcome to Amazon Glacier.")
      expect(output.headers).toMatchObject({
        "accept-ranges": "bytes",
        "content-length": "26",
        "content-type": "application/octet-stream",
        "x-amz-archive-description": "a greeting",
        "x-amz-sha256-tree-hash": "726e392cb4d09924dbad1cc0ba3b00c3643d03d14cb4b823e2f041cff612a628"
      })
    }).pipe(Effect.provide(Support.layer())))
})
