import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Bytes from "../../src/cli/Bytes.ts"
import { formatBytes } from "../../src/policy/Format.ts"

const read = (text: string) => Option.getOrNull(Bytes.read(text))

describe("Bytes", () => {
  it("reads bytes, powers of 1,024 and powers of 1,000, in any case", () => {
    expect(["0", "500", "1 byte", "12 bytes", "3B"].map(read)).toEqual([0, 500, 1, 12, 3])
    expect(["1K", "2kib", "500M", "1.5GiB", "1 t", "2Pi"].map(read)).toEqual([
      1_024,
      2_048,
      524_288_000,
      1_610_612_736,
      2 ** 40,
      2 ** 51
    ])
    expect(["1kB", "2 MB", "1.5gb", "3TB"].map(read)).toEqual([1_000, 2_000_000, 1_500_000_000, 3e12])
  })

  it("rejects any other text", () => {
    for (const text of ["", "M", "-1", "1,000", "1e3", "1.G", "0x10", "5 MBit", "1 2", "9P", "Infinity"]) {
      expect([text, read(text)]).toEqual([text, null])
    }
  })

  it.prop("reads the sizes that the program prints", [FastCheck.integer({ min: 0, max: 2 ** 52 })], ([bytes]) => {
    expect(formatBytes(read(formatBytes(bytes)) ?? NaN)).toBe(formatBytes(bytes))
  })
})
