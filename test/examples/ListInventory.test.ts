/** The example of an inventory, run from a shell. */
import { expect, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { bundle } from "../support/processes.ts"

it.each([["JSON", "0 hours old"], ["CSV", "of unknown age"]])(
  "list-inventory.ts lists the archives of a vault: %s",
  { timeout: 60_000 },
  async (format, age) => {
    const args = [await bundle("examples/list-inventory.ts"), format]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    expect(stdout).toBe([
      `Full inventory in ${format}, ${age}:`,
      "13 bytes  letters/1.txt",
      "27 bytes  letters/2, \"the second\".txt",
      "11 bytes  C:\\letters\\",
      "3 archives of 51 bytes",
      ""
    ].join("\n"))
  }
)
