/** The example of a download. */
import { expect, it } from "@effect/vitest"
import { run } from "./run.ts"

it("download-range.ts resumes an interrupted download of a range", { timeout: 60_000 }, async () => {
  expect(await run("download-range")).toMatch(
    /^Bytes 4194304 to 8388607 of 12582912, to be verified by root\nInterrupted after \d MiB\nResumed: 4194304 bytes, verified\n$/
  )
})
