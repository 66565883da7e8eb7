import { describe, expect, it } from "@effect/vitest"
import { printable } from "../../src/cli/Printable.ts"

describe("printable", () => {
  it("leaves names unchanged, also those with other scripts, quotes and backslashes", () => {
    for (const name of ["photos/a.jpg", "C:\\a \"b\"", "caf\u00e9", "\u5199\u771f", "\u{1F600}", ""]) {
      expect(printable(name)).toBe(name)
    }
  })

  it("escapes line ends, escape sequences, changes of direction and halves of characters", () => {
    expect(printable("a\nb\r\tc")).toBe("a\\nb\\r\\tc")
    expect(printable("\u001b[31mred\u009b0m\u0000\u007f")).toBe("\\u001b[31mred\\u009b0m\\u0000\\u007f")
    expect(printable("a\u202egpj.exe\u2028\u2067")).toBe("a\\u202egpj.exe\\u2028\\u2067")
    expect(printable("\ud83d!")).toBe("\\ud83d!")
  })
})
