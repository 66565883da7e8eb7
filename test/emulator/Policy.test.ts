import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Policy from "../../src/emulator/internal/policy.ts"
import { operations } from "../../src/protocol/Operations.ts"

const request: Policy.AccessRequest = {
  action: "glacier:DeleteArchive",
  accountId: "123456789012",
  resource: "arn:aws:glacier:us-east-1:123456789012:vaults/photos",
  archiveAgeInDays: 364,
  tags: new Map([["LegalHold", "true"], ["Cost", "7"]])
}

const base = { Effect: "Deny", Principal: "*", Action: "glacier:DeleteArchive", Resource: "*" }

const denies = (statement: object, overrides: Partial<Policy.AccessRequest> = {}) =>
  Policy.hasMatch("Deny", JSON.stringify({ Statement: [{ ...base, ...statement }] }), { ...request, ...overrides })

const condition = (operator: string, key: string, value: unknown) => ({ Condition: { [operator]: { [key]: value } } })

describe("Policy", () => {
  it("denies the requests that an explicit Deny matches", () => {
    const matching: ReadonlyArray<object> = [
      {},
      { Action: "glacier:*" },
      { Action: "*" },
      { Action: ["glacier:UploadArchive", "GLACIER:deletearchiv?"] },
      { NotAction: "glacier:List*", Action: undefined },
      { Principal: { AWS: "*" } },
      { Principal: { AWS: "123456789012" } },
      { Principal: { AWS: ["999999999999", "arn:aws:iam::123456789012:root"] } },
      { Principal: undefined, NotPrincipal: { AWS: "999999999999" } },
      { Resource: request.resource },
      { Resource: ["arn:aws:glacier:*:*:vaults/films", "arn:aws:glacier:us-east-1:123456789012:vaults/pho*"] },
      { Resource: undefined, NotResource: "arn:aws:glacier:*:vaults/films" }
    ]
    for (const statement of matching) expect([statement, denies(statement)]).toEqual([statement, true])
    const others: ReadonlyArray<object> = [
      { Effect: "Allow" },
      { Action: "glacier:DeleteVault" },
      { Action: undefined },
      { Action: undefined, NotAction: "glacier:Delete*" },
      { Principal: undefined },
      { Principal: { AWS: "999999999999" } },
      { Principal: { AWS: "arn:aws:iam::123456789012:user/one" } },
      { Principal: { Service: "*" } },
      { Resource: "arn:aws:glacier:us-east-1:123456789012:vaults/Photos" },
      { Resource: "arn:aws:glacier:us-east-1:123456789012:vaults/photo" },
      { Resource: undefined }
    ]
    for (const statement of others) expect([statement, denies(statement)]).toEqual([statement, false])
  })

  it("compares ages and tags", () => {
    const age = "glacier:ArchiveAgeInDays"
    const tag = "glacier:ResourceTag/LegalHold"
    const cases: ReadonlyArray<[string, string, unknown, boolean]> = [
      ["NumericLessThan", age, "365", true],
      ["NumericLessThan", age, 364, false],
      ["numericlessthan", "Glacier:archiveAgeinDays", "365", true],
      ["NumericLessThanEquals", age, "364", true],
      ["NumericLessThanEquals", age, "363", false],
      ["NumericGreaterThan", age, "363", true],
      ["NumericGreaterThan", age, "364", false],
      ["NumericGreaterThanEquals", age, ["400", "364"], true],
      ["NumericEquals", age, "364.0", true],
      ["NumericEquals", age, "", false],
      ["NumericEquals", age, "many", false],
      ["NumericNotEquals", age, "364", false],
      ["StringEquals", tag, "true", true],
      ["StringEquals", tag, "True", false],
      ["StringEqualsIgnoreCase", tag, "True", true],
      ["StringEquals", "glacier:resourcetag/legalhold", ["false", "true"], true],
      ["StringEquals", "glacier:ResourceTag/Other", "", false],
      ["StringNotEquals", tag, "true", false],
      ["StringNotEquals", tag, ["false", "no"], true],
      ["StringNotEquals", "glacier:ResourceTag/Other", "true", true],
      ["StringLike", tag, "tr*", true],
      ["StringLike", tag, ["fa*", ""], false],
      ["StringNotLike", tag, "tr*", false],
      ["Bool", tag, "true", true],
      ["Bool", tag, true, true],
      ["Bool", tag, false, false],
      ["NumericGreaterThan", "glacier:ResourceTag/Cost", 6, true],
      ["DateLessThan", age, "365", false],
      ["StringEquals", "aws:SourceIp", "true", false],
      ["StringNotEquals", "aws:SourceIp", "true", false]
    ]
    for (const [operator, key, value, expected] of cases) {
      expect([operator, key, value, denies(condition(operator, key, value))]).toEqual([operator, key, value, expected])
    }
    expect(denies(condition("NumericLessThan", age, 365), { archiveAgeInDays: undefined })).toBe(false)
    const both = { Condition: { NumericLessThan: { [age]: 365 }, StringEquals: { [tag]: "false" } } }
    expect(denies(both)).toBe(false)
  })

  it("accepts one statement or many, and matches nothing with an invalid policy", () => {
    const policy = (Statement: unknown) => JSON.stringify({ Statement })
    expect(Policy.hasMatch("Deny", policy(base), request)).toBe(true)
    expect(Policy.hasMatch("Deny", policy([{ ...base, Effect: "Allow" }, base]), request)).toBe(true)
    const { Principal: _principal, ...nobody } = base
    const { Action: _action, ...nothing } = base
    const { Resource: _resource, ...nowhere } = base
    const broken = [
      ...[nobody, nothing, nowhere, { ...base, NotAction: "glacier:ListJobs" }],
      ...[{ ...base, Action: 7 }, { ...base, Action: [] }, { ...base, Action: "s3:GetObject" }],
      ...[{ ...base, Effect: "deny" }, { ...base, Resource: "arn:aws:s3:::photos" }]
    ]
    for (const text of ["", "{}", "[]", policy([]), policy("Deny"), ...broken.map(policy)]) {
      expect([text, Policy.isPolicy(text), Policy.hasMatch("Deny", text, request)]).toEqual([text, false, false])
    }
  })

  it.each(["2012-10-17", "2008-10-17", undefined])("accepts a policy of version %s", (Version) => {
    expect(Policy.isPolicy(JSON.stringify({ Version, Statement: base }))).toBe(true)
  })

  it.each(["2012-10-18", "2012-06-01", "1", "", null, 2012])("rejects a policy of version %j", (Version) => {
    expect(Policy.isPolicy(JSON.stringify({ Version, Statement: base }))).toBe(false)
  })

  it.each(["Action", "NotAction"])("rejects a policy whose %s has an action that no operation has", (element) => {
    const { Action: _action, ...other } = base
    const isPolicy = (actions: unknown) =>
      Policy.isPolicy(JSON.stringify({ Statement: { ...other, [element]: actions } }))
    for (const { name } of Object.values(operations)) expect(isPolicy(`glacier:${name}`)).toBe(true)
    for (const known of ["*", "glacier:*", "glacier:Delete*", "GLACIER:deletearchiv?", "glacier:*Vault"]) {
      expect([known, isPolicy(known)]).toEqual([known, true])
    }
    for (
      const unknown of ["glacier:DeleteArchives", "glacier:RestoreObject", "glacier:S3*", "glacier:", "DeleteArchive"]
    ) {
      expect([unknown, isPolicy(unknown)]).toEqual([unknown, false])
      expect([unknown, isPolicy(["glacier:DeleteArchive", unknown])]).toEqual([unknown, false])
    }
  })

  const letters = FastCheck.string({ unit: FastCheck.constantFrom("a", "b", "*", "?"), maxLength: 12 })

  it.prop("matches wildcards as a regular expression does", [letters, letters], ([pattern, text]) => {
    const expression = new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s")
    expect(Policy.matchesPattern(pattern, text)).toBe(expression.test(text))
  }, { fastCheck: { numRuns: 1000 } })

  it.prop("never throws, whatever the text", [FastCheck.json()], ([text]) => {
    expect(Policy.hasMatch("Deny", text, request)).toBe(false)
  })
})
