/** Runs the public test suite of Signature Version 4, copied to sigv4-cases.json. */
import { describe, expect, it } from "@effect/vitest"
import suite from "../fixtures/sigv4-cases.json" with { type: "json" }
import { authorization, foreign, signed } from "./signingSuite.ts"

describe("the public suite of Signature Version 4 [S1]", () => {
  it("has 38 cases, of which 6 do not apply to Glacier [S1]", () => {
    expect(suite.cases).toHaveLength(38)
    expect(new Set(suite.cases.map(({ name }) => name)).size).toBe(38)
    expect(foreign.map(({ name }) => name)).toEqual([
      "get-relative-relative-unnormalized",
      "get-relative-unnormalized",
      "get-slash-dot-slash-unnormalized",
      "get-slash-pointless-dot-unnormalized",
      "get-slash-unnormalized",
      "get-slashes-unnormalized"
    ])
  })

  it.each(suite.cases.filter((testCase) => testCase.not_ours === undefined))(
    "signs $name like the suite [S1]",
    async (testCase) => {
      const { authorization: ours, hashed } = await signed(testCase)
      expect(hashed).toEqual(
        expect.arrayContaining([testCase.canonical_request_sha256, testCase.string_to_sign_sha256])
      )
      expect(ours).toBe(authorization(testCase.signed_headers, testCase.signature))
    }
  )

  it.each(foreign)("signs $name as if its path were normalized [S1]", async (testCase) => {
    const twin = suite.cases.find(({ name }) => name === testCase.name.replace("-unnormalized", "-normalized"))!
    expect((await signed(testCase)).authorization).toBe(authorization(twin.signed_headers, twin.signature))
    expect(twin.signature).not.toBe(testCase.signature)
  })
})
