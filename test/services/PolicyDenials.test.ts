/** The statements of policies that keep archives or a vault from being deleted. */
import { describe, expect, it } from "@effect/vitest"
import { find } from "../../src/services/internal/policyDenials.ts"

const arn = "arn:aws:glacier:us-east-1:123456789012:vaults/photos"

const statement = { Effect: "Deny", Principal: "*", Action: "glacier:DeleteArchive", Resource: arn }

/** The denials of a policy as texts. */
const denials = (...statements: ReadonlyArray<object>) =>
  find(JSON.stringify({ Version: "2012-10-17", Statement: statements }), arn).map((
    { action, certain, youngerThanDays }
  ) =>
    `${certain ? "denies" : "may deny"} ${action}${
      youngerThanDays === undefined ? "" : ` below ${youngerThanDays} days`
    }`
  )

const age = (operator: string, days: unknown) => ({ Condition: { [operator]: { "glacier:ArchiveAgeInDays": days } } })

describe("the denials of a policy", () => {
  it.each([
    { policy: "an unconditional statement", with: {}, found: ["denies DeleteArchive"] },
    { policy: "all actions", with: { Action: "glacier:*" }, found: ["denies DeleteArchive", "denies DeleteVault"] },
    { policy: "an action in other letters", with: { Action: ["GLACIER:deletev?ult"] }, found: ["denies DeleteVault"] },
    { policy: "all users in a list", with: { Principal: { AWS: ["*"] } }, found: ["denies DeleteArchive"] },
    {
      policy: "a pattern of vaults",
      with: { Resource: "arn:aws:glacier:*:vaults/p*" },
      found: ["denies DeleteArchive"]
    },
    { policy: "an age", with: age("NumericLessThan", "365"), found: ["denies DeleteArchive below 365 days"] },
    {
      policy: "an age, inclusive",
      with: age("numericLessThanEquals", 1),
      found: ["denies DeleteArchive below 2 days"]
    },
    { policy: "several ages", with: age("NumericLessThan", ["1", "9"]), found: ["denies DeleteArchive below 9 days"] },
    {
      policy: "some users",
      with: { Principal: { AWS: "arn:aws:iam::123456789012:user/a" } },
      found: ["may deny DeleteArchive"]
    },
    { policy: "an unknown age", with: age("NumericLessThan", "soon"), found: ["may deny DeleteArchive"] },
    {
      policy: "a tag",
      with: { Condition: { StringLike: { "glacier:ResourceTag/Hold": "*" } } },
      found: ["may deny DeleteArchive"]
    },
    { policy: "another effect", with: { Effect: "Allow" }, found: [] },
    { policy: "another action", with: { Action: "glacier:UploadArchive" }, found: [] },
    { policy: "another vault", with: { Resource: `${arn}2` }, found: [] }
  ])("are $found for $policy", ({ found, with: changes }) => {
    expect(denials({ ...statement, ...changes })).toEqual(found)
  })

  it("include a statement about all actions but one, and about all vaults but another", () => {
    const { Action: _, Resource: __, ...rest } = statement
    expect(denials({ ...rest, NotAction: "glacier:DeleteVault", NotResource: `${arn}2` })).toEqual([
      "denies DeleteArchive"
    ])
  })

  it("do not include the vault for a condition about the age of archives, which no vault meets", () => {
    expect(denials({ ...statement, Action: "glacier:Delete*", ...age("NumericLessThan", 9) })).toEqual([
      "denies DeleteArchive below 9 days"
    ])
  })

  it("are uncertain for a text that is no policy", () => {
    expect(find("[]", arn).map(({ action, certain }) => [action, certain])).toEqual([
      ["DeleteArchive", false],
      ["DeleteVault", false]
    ])
  })
})
