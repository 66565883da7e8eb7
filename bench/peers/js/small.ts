/**
 * Uploads many small archives, four in flight.
 *
 *     small COUNT SIZE
 */
import { Glacier } from "@aws-sdk/client-glacier"
import { finish } from "../../finish.ts"

const [count = 0, size = 0] = process.argv.slice(2).map(Number)
const body = Buffer.alloc(size, "glacier")

const glacier = new Glacier({})
let next = 0

const worker = async () => {
  while (next++ < count) await glacier.uploadArchive({ accountId: "-", vaultName: "bench", body })
}
await Promise.all([worker(), worker(), worker(), worker()])
glacier.destroy()
finish({})
