/** The example of a download, as somebody at a shell would see it. */
import { expect, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { promisify } from "node:util"

it("carries a range down, is cut off and takes it up again", { timeout: 60_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", "examples/download-range.ts"])
  expect(stdout).toMatch(
    /^Bytes 4194304 to 8388607 of 12582912, to be checked by root\nCut off after \d MiB\nTaken up again: 4194304 bytes, verified\n$/
  )
})
