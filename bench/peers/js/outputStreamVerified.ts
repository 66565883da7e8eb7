/**
 * Downloads the output of a job as one stream to a file, as it comes, and verifies the tree hash of the whole at the end.
 *
 *     outputStreamVerified FILE JOB
 */
import { Glacier } from "@aws-sdk/client-glacier"
import { createWriteStream } from "node:fs"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { finish } from "../../finish.ts"
import { builder } from "./treeHash.ts"

const [path = "", jobId] = process.argv.slice(2)

const glacier = new Glacier({})
const { body, checksum } = await glacier.getJobOutput({ accountId: "-", vaultName: "bench", jobId })
if (!(body instanceof Readable)) throw new Error("No body")
const tree = builder()
await pipeline(
  body,
  async function*(pieces: AsyncIterable<Uint8Array>) {
    for await (const piece of pieces) {
      tree.update(piece)
      yield piece
    }
  },
  createWriteStream(path)
)
if (tree.digest() !== checksum) throw new Error("The output came with another tree hash")
glacier.destroy()
finish({})
