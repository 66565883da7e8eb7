/**
 * Uploads a file in parts, each read into memory, four in flight. The SDK hashes the parts; their tree hashes, which the
 * service repeats, make that of the whole.
 *
 *     upload FILE PART_SIZE
 */
import { Glacier } from "@aws-sdk/client-glacier"
import { open } from "node:fs/promises"
import { finish } from "../../finish.ts"
import { combine } from "./treeHash.ts"

const [path = "", size] = process.argv.slice(2)
const partSize = Number(size)

const glacier = new Glacier({})
const file = await open(path)
const total = (await file.stat()).size
const vault = { accountId: "-", vaultName: "bench" }
const { uploadId } = await glacier.initiateMultipartUpload({ ...vault, partSize: String(partSize) })
const checksums: Array<Uint8Array> = []
let next = 0

const worker = async () => {
  const memory = Buffer.allocUnsafeSlow(partSize)
  while (next < total) {
    const start = next
    next += partSize
    const { bytesRead } = await file.read(memory, 0, Math.min(partSize, total - start), start)
    const { checksum = "" } = await glacier.uploadMultipartPart({
      ...vault,
      uploadId,
      range: `bytes ${start}-${start + bytesRead - 1}/*`,
      body: memory.subarray(0, bytesRead)
    })
    checksums[start / partSize] = Buffer.from(checksum, "hex")
  }
}
await Promise.all([worker(), worker(), worker(), worker()])

const treeHash = combine(checksums)
await glacier.completeMultipartUpload({ ...vault, uploadId, checksum: treeHash, archiveSize: String(total) })
await file.close()
glacier.destroy()
finish({ treeHash })
