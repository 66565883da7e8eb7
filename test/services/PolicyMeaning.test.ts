/** The comparison of policies by their meaning. */
import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { isSame } from "../../src/services/internal/policyMeaning.ts"

const texts = (...values: ReadonlyArray<string>) => FastCheck.subarray([...values], { minLength: 1 })

interface Statement {
  readonly Effect: string
  readonly Principal: { readonly AWS: ReadonlyArray<string> }
  readonly Action: ReadonlyArray<string>
  readonly Resource: ReadonlyArray<string>
  readonly Condition: { readonly NumericLessThan: { readonly "glacier:ArchiveAgeInDays": ReadonlyArray<string> } }
}

const statement: FastCheck.Arbitrary<Statement> = FastCheck.record({
  Effect: FastCheck.constantFrom("Allow", "Deny"),
  Principal: texts("111122223333", "444455556666").map((AWS) => ({ AWS })),
  Action: texts("glacier:DeleteArchive", "glacier:DeleteVault", "glacier:InitiateJob"),
  Resource: texts("arn:aws:glacier:us-east-1:111122223333:vaults/a", "arn:aws:glacier:us-east-1:111122223333:vaults/b"),
  Condition: texts("1", "2", "3").map((days) => ({ NumericLessThan: { "glacier:ArchiveAgeInDays": days } }))
})

interface Policy {
  readonly Version: string
  readonly Statement: ReadonlyArray<Statement>
}

const policy: FastCheck.Arbitrary<Policy> = FastCheck.record({
  Version: FastCheck.constantFrom("2012-10-17", "2008-10-17"),
  Statement: FastCheck.array(statement, { minLength: 1, maxLength: 3 })
})

/** A single value for a list of one, and lists backwards. */
const reversed = (list: ReadonlyArray<string>) => list.length === 1 ? list[0] : [...list].reverse()

/** The same policy in other words. */
const reworded = ({ Statement, Version }: Policy) => ({
  Statement: Statement.map(({ Action, Condition, Effect, Principal, Resource }, index) => ({
    Sid: `statement ${index}`,
    Condition: {
      numericLessThan: { "Glacier:archiveAgeInDays": reversed(Condition.NumericLessThan["glacier:ArchiveAgeInDays"]) }
    },
    Resource: reversed(Resource),
    Action: reversed(Action.map((action) => action.toUpperCase())),
    Principal: { AWS: reversed(Principal.AWS.map((account) => `arn:aws:iam::${account}:root`)) },
    Effect
  })).reverse(),
  ...(Version === "2012-10-17" && { Version })
})

describe("policies mean the same", () => {
  it.prop("in other words and in another order", [policy], ([policy]) => {
    expect(isSame(JSON.stringify(policy), JSON.stringify(reworded(policy)))).toBe(true)
  })

  it.prop("only if each statement does", [policy, statement], ([policy, added]) => {
    const isPart = policy.Statement.some((statement) => JSON.stringify(statement) === JSON.stringify(added))
    const longer = { ...policy, Statement: [...policy.Statement, added] }
    expect(isSame(JSON.stringify(policy), JSON.stringify(longer))).toBe(isPart)
  })

  it.each([
    { one: "{", other: "{", same: true },
    { one: "{\"Version\":\"2012-10-17\"}", other: "{}", same: false },
    { one: "{", other: "{}", same: false },
    { one: "[]", other: "[ ]", same: false },
    { one: "{\"Statement\":1}", other: "{ \"Statement\": [1] }", same: true },
    {
      one: "{\"Statement\":{\"Principal\":\"*\"}}",
      other: "{\"Statement\":{\"Principal\":{\"AWS\":\"*\"}}}",
      same: true
    },
    { one: "{\"Statement\":{\"Principal\":\"*\"}}", other: "{\"Statement\":{\"NotPrincipal\":\"*\"}}", same: false }
  ])("$one and $other: $same", ({ one, other, same }) => {
    expect(isSame(one, other)).toBe(same)
  })
})
