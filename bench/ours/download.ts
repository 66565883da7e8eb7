/**
 * Downloads the output of a job to a file.
 *
 *     download FILE WINDOW_SIZE JOB
 */
import { Vault } from "effect-glacier"
import * as Effect from "effect/Effect"
import { main } from "./main.ts"

const [file = "", windowSize, jobId = ""] = process.argv.slice(2)

main(Effect.gen(function*() {
  const vault = yield* Vault.make("bench")
  const job = yield* vault.job(jobId)
  const { verification } = yield* job.outputToFile(file, { windowSize: Number(windowSize), concurrency: 4 })
  if (verification !== "root") return yield* Effect.dieMessage(`Verified by ${verification} only`)
  return {}
}))
