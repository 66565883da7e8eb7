/** The documents that are read, and the arguments and the report of a reading process. */
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import { closeSync, openSync, writeSync } from "node:fs"

/** The archives that were found, and their bytes. */
export interface Found {
  readonly count: number
  readonly bytes: number
}

export const none: Found = { count: 0, bytes: 0 }

export const add = ({ bytes, count }: Found, { size }: { readonly size: number }): Found => ({
  count: count + 1,
  bytes: bytes + size
})

/** How to read. */
export const Way = Schema.Literal(
  "ours, JSON",
  "ours, CSV",
  "JSON.parse, then the schema",
  "JSON.parse alone",
  "@streamparser/json, then the schema",
  "@streamparser/json alone"
)

export type Way = typeof Way.Type

/** The report of a process that has read an inventory: see `finish`. */
export const Report = Schema.parseJson(Schema.Struct({
  count: Schema.Number,
  bytes: Schema.Number,
  /** The time of reading, without the start of the process. */
  seconds: Schema.Number,
  processor: Schema.Number,
  rssMB: Schema.Number
}))

/** Writes both documents: random ids and hashes, descriptions as of photos. */
export const write = (count: number, json: string, csv: string): Found => {
  const files = [json, csv].map((file) => openSync(file, "w"))
  const texts = [
    "{\"VaultARN\":\"arn:aws:glacier:us-east-1:123456789012:vaults/big\",\"InventoryDate\":\"2015-04-07T00:26:18Z\",\"ArchiveList\":[",
    "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash\n"
  ]
  let found = none
  const flush = () =>
    files.forEach((file, index) => {
      writeSync(file, texts[index] ?? "")
      texts[index] = ""
    })
  for (let n = 0; n < count; n++) {
    const archive = {
      ArchiveId: randomBytes(104).toString("base64url").slice(0, 138),
      ArchiveDescription: `photos/2015/"${n}", by Ö\\${n % 7}.jpeg`,
      CreationDate: "2015-04-06T22:24:34Z",
      Size: 4_194_304 + n,
      SHA256TreeHash: randomBytes(32).toString("hex")
    }
    found = add(found, { size: archive.Size })
    texts[0] += (n === 0 ? "" : ",") + JSON.stringify(archive)
    const description = `"${archive.ArchiveDescription.replaceAll("\"", "\\\"")}"`
    texts[1] += Object.values({ ...archive, ArchiveDescription: description }).join(",") + "\n"
    if (n % 1_000 === 0) flush()
  }
  texts[0] += "]}"
  flush()
  files.forEach(closeSync)
  return found
}
