/**
 * Downloads the output of a job as a Stream to a file, as it comes: verified, to /dev/null.
 *
 *     outputStream FILE JOB
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { Vault } from "effect-glacier"
import * as Effect from "effect/Effect"
import { main } from "./main.ts"

const [file = "", jobId = ""] = process.argv.slice(2)

main(Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const vault = yield* Vault.make("bench")
  const job = yield* vault.job(jobId)
  yield* job.outputTo(fs.sink(file))
  return {}
}))
