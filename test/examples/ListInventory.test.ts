/** The example of an inventory. */
import { expect, it } from "@effect/vitest"
import { run } from "./run.ts"

it.each([["JSON", "0 hours old"], ["CSV", "of unknown age"]])(
  "list-inventory.ts lists the archives of a vault: %s",
  { timeout: 60_000 },
  async (format, age) => {
    expect(await run("list-inventory", format)).toBe([
      `Full inventory in ${format}, ${age}:`,
      "13 bytes  letters/1.txt",
      "27 bytes  letters/2, \"the second\".txt",
      "11 bytes  C:\\letters\\",
      "3 archives of 51 bytes",
      ""
    ].join("\n"))
  }
)
