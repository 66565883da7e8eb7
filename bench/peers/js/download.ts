/**
 * Downloads the output of a job to a file by four ranges at once, each checked against its tree hash.
 *
 *     download FILE WINDOW_SIZE JOB
 */
import { Glacier } from "@aws-sdk/client-glacier"
import { open } from "node:fs/promises"
import { Readable } from "node:stream"
import { finish } from "../../finish.ts"
import { combine, treeHash } from "./treeHash.ts"

const [path = "", size, jobId] = process.argv.slice(2)
const windowSize = Number(size)

const glacier = new Glacier({})
const job = { accountId: "-", vaultName: "bench", jobId }
const { ArchiveSizeInBytes: total = 0, SHA256TreeHash: root } = await glacier.describeJob(job)
const file = await open(path, "w")
const checksums: Array<Uint8Array> = []
let next = 0

const worker = async () => {
  const memory = Buffer.allocUnsafeSlow(windowSize)
  while (next < total) {
    const start = next
    next += windowSize
    const end = Math.min(start + windowSize, total) - 1
    const { body, checksum } = await glacier.getJobOutput({ ...job, range: `bytes=${start}-${end}` })
    if (!(body instanceof Readable)) throw new Error("No body")
    let filled = 0
    for await (const piece of body) {
      memory.set(piece, filled)
      filled += piece.length
    }
    const bytes = memory.subarray(0, filled)
    const hash = treeHash(bytes)
    if (hash !== checksum) throw new Error(`${start} to ${end} came with another tree hash`)
    checksums[start / windowSize] = Buffer.from(hash, "hex")
    await file.write(bytes, 0, filled, start)
  }
}
await Promise.all([worker(), worker(), worker(), worker()])

if (combine(checksums) !== root) throw new Error("The whole has another tree hash")
await file.sync()
await file.close()
glacier.destroy()
finish({})
