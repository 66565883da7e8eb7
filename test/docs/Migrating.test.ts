/** Tests that the migration tables list everything of boto and the AWS SDK, and name only what this package has. */
import * as SDK from "@aws-sdk/client-glacier"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as glacier from "../../src/index.ts"
import * as node from "../../src/node/index.ts"
import * as protocol from "../../src/protocol/index.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"

const rowsOf = (name: string) =>
  Array.from(
    readFileSync(resolve(import.meta.dirname, `../../docs/migrating-from-${name}.md`), "utf8").matchAll(
      /^\| (.*) \|$/gm
    ),
    ([, row = ""]) => row.split(/ ?\| /)
  )
const quoted = (text = "") => Array.from(text.matchAll(/`([^`]+)`/g), ([, word = ""]) => word)

/** Everything in boto.glacier, by prefix. */
const boto: Readonly<Record<string, string>> = {
  "boto.glacier.": "regions connect_to_region",
  "Layer1.": "make_request list_vaults describe_vault create_vault delete_vault get_vault_notifications " +
    "set_vault_notifications delete_vault_notifications list_jobs describe_job initiate_job get_job_output " +
    "upload_archive delete_archive initiate_multipart_upload upload_part complete_multipart_upload " +
    "abort_multipart_upload list_multipart_uploads list_parts",
  "GlacierResponse.": "read status size",
  "Layer2.": "create_vault delete_vault get_vault list_vaults",
  "Vault.": "name arn creation_date last_inventory_date size number_of_archives DefaultPartSize " +
    "SingleOperationThreshold delete upload_archive create_archive_writer create_archive_from_file " +
    "resume_archive_from_file concurrent_create_archive_from_file retrieve_archive retrieve_inventory " +
    "retrieve_inventory_job delete_archive get_job list_jobs list_all_parts",
  "Job.": "action archive_id archive_size completed completion_date creation_date inventory_size description id " +
    "sha256_treehash sns_topic status_code status_message arn get_output download_to_file download_to_fileobj",
  "Writer.": "write close get_archive_id current_tree_hash current_uploaded_size upload_id",
  "_Uploader.": "upload_part skip_part close",
  "writer.": "resume_file_upload generate_parts_from_fobj compute_hashes_from_fileobj",
  "": "Layer1 Layer2 ConcurrentTransferer ConcurrentUploader UploadWorkerThread DownloadWorkerThread " +
    "ConcurrentDownloader UnexpectedHTTPResponseError ArchiveError UploadArchiveError DownloadArchiveError " +
    "TreeHashDoesNotMatchError",
  "ConcurrentUploader.": "upload",
  "ConcurrentDownloader.": "download",
  "utils.": "minimum_part_size chunk_hashes tree_hash compute_hashes_from_fileobj bytes_to_hex tree_hash_from_str " +
    "ResettingFileSender",
  "glacier ": "vaults jobs upload"
}

/** Returns whether `owner.name` is a member of a service or an export of a module. */
const known = Effect.gen(function*() {
  const vault = yield* Vault.make("photos")
  const services = { glacier: yield* GlacierClient.GlacierClient, vault, job: yield* vault.job("a-job") }
  const owners = new Map<string, object>(Object.entries({ ...glacier, ...protocol, ...node, ...services }))
  return (text: string) => {
    const [owner = "", name = ""] = text.split(".")
    return name in (owners.get(owner) ?? {})
  }
}).pipe(Effect.provide(Layer.orDie(TestGlacier.layer())))

describe("docs/migrating-from-boto.md", () => {
  const rows = rowsOf("boto")

  it("has a row for each function, method and attribute of boto", () => {
    const named = new Set(rows.flatMap(([boto]) => quoted(boto)).map((text) => text.replace(/\(.*| [A-Z].*/, "")))
    const all = Object.entries(boto).flatMap(([prefix, names]) => names.split(" ").map((name) => `${prefix}${name}`))
    expect(all.filter((name) => !named.has(name))).toEqual([])
  })

  it.effect("names only methods and functions that exist", () =>
    Effect.gen(function*() {
      const isKnown = yield* known
      const ours = rows.flatMap(([, ours]) => quoted(ours))
      expect(ours.length).toBeGreaterThan(75)
      expect(ours.filter((text) => !isKnown(text))).toEqual([])
    }))
})

describe("docs/migrating-from-aws-sdk.md", () => {
  const rows = rowsOf("aws-sdk").filter(([command]) => /^`\w+(Command|Exists)`/.test(command ?? ""))

  it("has a row for each command, paginator and waiter, with its method", () => {
    const theirs = Object.keys(SDK).filter((name) => /^[A-Z].+Command$|^paginate|^waitUntil/.test(name))
    expect(new Set(rows.flatMap(([command]) => quoted(command)))).toEqual(new Set(theirs))
    const methods = new Map(
      Object.entries(protocol.Operations.operations).map(([method, { name }]) => [`${name}Command`, method])
    )
    for (const [command, method] of rows) {
      expect(quoted(method)[0]).toBe(methods.get(quoted(command)[0] ?? ""))
    }
  })

  it.effect("names only methods and functions that exist", () =>
    Effect.gen(function*() {
      const isKnown = yield* known
      const recommended = rows.flatMap(([, , recommended]) => quoted(recommended)).filter((text) => text.includes("."))
      expect(recommended.length).toBeGreaterThan(15)
      expect(recommended.filter((text) => !isKnown(text) && text !== "Effect.retry")).toEqual([])
    }))
})
