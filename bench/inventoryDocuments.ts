/** The documents of an inventory, for programs that read them. */
import { randomBytes } from "node:crypto"
import { closeSync, openSync, writeSync } from "node:fs"
import { add, type Found, none } from "./inventoryReport.ts"

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
