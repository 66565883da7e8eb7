/**
 * Downloads the output of a job as one stream to a file, as it comes: not verified, to /dev/null.
 *
 *     outputStream FILE JOB
 */
import { Glacier } from "@aws-sdk/client-glacier"
import { createWriteStream } from "node:fs"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { finish } from "../../finish.ts"

const [path = "", jobId] = process.argv.slice(2)

const glacier = new Glacier({})
const { body } = await glacier.getJobOutput({ accountId: "-", vaultName: "bench", jobId })
if (!(body instanceof Readable)) throw new Error("No body")
await pipeline(body, createWriteStream(path))
glacier.destroy()
finish({})
