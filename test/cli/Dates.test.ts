import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Dates from "../../src/cli/Dates.ts"

const read = (text: string) => Option.getOrNull(Option.map(Dates.read(text), DateTime.formatIso))

describe("Dates", () => {
  it("reads a day as its first moment in UTC, and a time with its offset", () => {
    expect(read("2014-12-31")).toBe("2014-12-31T00:00:00.000Z")
    expect(read("2016-02-29")).toBe("2016-02-29T00:00:00.000Z")
    expect(read("2014-12-31T23:59Z")).toBe("2014-12-31T23:59:00.000Z")
    expect(read("2014-12-31T23:59:58.5+02:00")).toBe("2014-12-31T21:59:58.500Z")
  })

  it("rejects days that do not exist, times without an offset, and any other text", () => {
    for (
      const text of ["", "2014", "2014-02-30", "2015-02-29", "2014-13-01", "2014-12-31T10:00", "2014-12-31T25:00Z", "1"]
    ) {
      expect([text, read(text)]).toEqual([text, null])
    }
  })
})
