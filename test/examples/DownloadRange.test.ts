/** The example of a download, run from a shell. */
import { expect, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { bundle } from "../support/processes.ts"

it("download-range.ts resumes an interrupted download of a range", { timeout: 60_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [await bundle("examples/download-range.ts")])
  expect(stdout).toMatch(
    /^Bytes 4194304 to 8388607 of 12582912, to be verified by root\nInterrupted after \d MiB\nResumed: 4194304 bytes, verified\n$/
  )
})
