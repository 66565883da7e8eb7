/**
 * Deletes many archives, 16 in flight.
 *
 *     delete COUNT
 */
import { Glacier } from "@aws-sdk/client-glacier"
import { archiveId } from "../../archiveId.ts"
import { finish } from "../../finish.ts"

const [count = 0] = process.argv.slice(2).map(Number)

const glacier = new Glacier({})
let next = 0

const worker = async () => {
  while (next < count) await glacier.deleteArchive({ accountId: "-", vaultName: "bench", archiveId: archiveId(next++) })
}
await Promise.all(Array.from({ length: 16 }, worker))
glacier.destroy()
finish({})
