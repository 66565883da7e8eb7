/** State folders with an inventory and records, for tests of the commands that read them. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { gzipSync } from "node:zlib"

const treeHash = "a".repeat(64)

/** An archive of an inventory. The service writes ids of 138 characters. */
export const archive = (id: string, description: string, size: number, created = "2014-03-01T10:00:00Z") => ({
  ArchiveId: id.repeat(138),
  ArchiveDescription: description,
  CreationDate: created,
  Size: size,
  SHA256TreeHash: treeHash
})

/** A record of an archive. */
export const record = (id: string, state: string, date: string, location?: string) => ({
  archiveId: id.repeat(138),
  state,
  date,
  location
})

/** A record of an upload. */
export const upload = (id: string, description: string, size: number, date: string) => ({
  ...record(id, "uploaded", date),
  archive: { description, size, treeHash }
})

/** The time as of which the inventory lists the vault. */
export const asOf = "2020-01-01T00:00:00Z"

/** Makes a state folder for a vault, and returns its path. */
export const make = Effect.fnUntraced(function*(
  name: string,
  archives: ReadonlyArray<ReturnType<typeof archive>>,
  records: ReadonlyArray<object> = []
) {
  const fs = yield* FileSystem.FileSystem
  const state = yield* fs.makeTempDirectoryScoped()
  const folder = `${state}/123456789012/us-east-1/${name}`
  yield* fs.makeDirectory(`${folder}/inventories`, { recursive: true })
  yield* fs.makeDirectory(`${folder}/records`)
  const document = {
    VaultARN: `arn:aws:glacier:us-east-1:123456789012:vaults/${name}`,
    InventoryDate: asOf,
    ArchiveList: archives
  }
  yield* fs.writeFile(`${folder}/inventories/20200101T000000Z.json.gz`, gzipSync(JSON.stringify(document)))
  yield* fs.writeFileString(`${folder}/records/plan.jsonl`, records.map((line) => `${JSON.stringify(line)}\n`).join(""))
  return state
})
