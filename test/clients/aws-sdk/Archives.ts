import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { createReadStream } from "node:fs"
import { call, mebibyte, ramp, treeHash } from "../../socket/support.ts"
import * as Support from "./support.ts"

const { altered, created, finished, invalid, inVault, notFound, output, Sdk, stored } = Support

const bytes = Buffer.from("bytes")

export const archives = (it: Support.It) => {
  it.scoped("archives: of bytes, of a text and of a file, stored with their tree hash", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const fs = yield* FileSystem.FileSystem
      const vault = yield* created(glacier, "archives")
      const path = yield* fs.makeTempFileScoped()
      for (const body of [Buffer.from("a"), bytes, ramp(mebibyte), ramp(mebibyte + 1), ramp(3.5 * mebibyte)]) {
        yield* fs.writeFile(path, body)
        const texts = body.length < mebibyte ? [body.toString()] : []
        for (const source of [() => body, () => createReadStream(path), ...texts.map((text) => () => text)]) {
          const { $metadata, archiveId, checksum, location } = yield* call(() =>
            glacier.uploadArchive({ ...vault, body: source() })
          )
          expect($metadata.httpStatusCode).toBe(201)
          expect(checksum).toBe(treeHash(body))
          expect(archiveId).toMatch(/^[\w-]{138}$/)
          expect(location).toBe(`/${Support.account}/vaults/archives/archives/${archiveId}`)
        }
      }
    }).pipe(Effect.provide(NodeContext.layer)))

  it.scoped("archives: deleted twice, and not from another vault", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "deleted")
      const other = yield* created(glacier, "deleted-other")
      const archiveId = yield* stored(glacier, vault, bytes)
      yield* invalid(() => glacier.deleteArchive({ ...other, archiveId }), /^Invalid vault name: arn:/)
      for (let times = 0; times < 2; times++) {
        const { $metadata } = yield* call(() => glacier.deleteArchive({ ...vault, archiveId }))
        expect($metadata.httpStatusCode).toBe(204)
      }
      const jobParameters = { Type: "archive-retrieval", ArchiveId: archiveId }
      yield* notFound(
        () => glacier.initiateJob({ ...vault, jobParameters }),
        `The archive ID was not found: ${archiveId}`
      )
    }))

  it.scoped("archives: with wrong checksums, or none at all", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "checksums")
      yield* invalid(
        () => glacier.uploadArchive({ ...vault, body: bytes, checksum: treeHash(Buffer.from("others")) }),
        /^Checksum mismatch: expected [0-9a-f]{64}, computed [0-9a-f]{64}$/
      )
      yield* invalid(
        () => glacier.uploadArchive({ ...vault, body: bytes, checksum: "nonsense" }),
        "Invalid x-amz-sha256-tree-hash: nonsense"
      )
      // Plain and tree hash of more than a MiB differ: each must be checked.
      const body = ramp(2 * mebibyte)
      yield* invalid(
        () => glacier.uploadArchive({ ...vault, body, checksum: treeHash(ramp(2 * mebibyte, 1)) }),
        /^Checksum mismatch: /
      )
      const other = yield* altered("unsigned", ({ headers }) => headers["x-amz-content-sha256"] = "0".repeat(64))
      yield* Support.refused(
        () => other.uploadArchive({ ...vault, body }),
        "InvalidSignatureException",
        403,
        /^The value passed in as x-amz-content-sha256 does not match/
      )
      const without = yield* altered("unsigned", ({ headers }) => delete headers["x-amz-sha256-tree-hash"])
      yield* Support.missing(
        () => without.uploadArchive({ ...vault, body }),
        "Required parameter missing: x-amz-sha256-tree-hash"
      )
      const corrupt = yield* altered("signed", (request) => request.body = ramp(2 * mebibyte, 1))
      yield* Support.refused(
        () => corrupt.uploadArchive({ ...vault, body }),
        "InvalidSignatureException",
        403,
        /^The value passed in as x-amz-content-sha256 does not match/
      )
      expect((yield* call(() => glacier.describeVault(vault))).NumberOfArchives).toBe(0)
    }))

  it.scoped("archives: of no bytes, and of no vault", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "no-bytes")
      // The client cannot compute the tree hash of an empty body, so the test passes one.
      yield* invalid(
        () => glacier.uploadArchive({ ...vault, checksum: treeHash(Buffer.alloc(0)) }),
        "Invalid Content-Length: 0"
      )
      yield* notFound(
        () => glacier.uploadArchive({ ...inVault("no-vault"), body: bytes }),
        /^Vault not found for ARN: /
      )
    }))

  it.scoped("archives: with descriptions", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "descriptions")
      for (const archiveDescription of ["a  \"ramp\", all of it", "~".repeat(1024), "\\"]) {
        const archiveId = yield* stored(glacier, vault, bytes, archiveDescription)
        const { job } = yield* finished(vault, { Type: "archive-retrieval", ArchiveId: archiveId })
        expect((yield* output(job)).archiveDescription).toBe(archiveDescription)
      }
      yield* invalid(
        () => glacier.uploadArchive({ ...vault, archiveDescription: "~".repeat(1025), body: bytes }),
        /^Invalid x-amz-archive-description: ~+$/
      )
    }))
}
