/** Tests that the operation of a request is found by its method, path and query. */
import { describe, expect, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Operation from "../../src/protocol/Operation.ts"
import { operations } from "../../src/protocol/Operations.ts"
import { all, encode, inputOf } from "./model.ts"

const targetOf = (operation: Operation.Any): Operation.Target => {
  const { path, query } = encode(operation, inputOf(operation))
  return { method: operation.method, segments: path.slice(1).split("/"), parameters: new Map(query) }
}

describe("Operation.match", () => {
  it.each(all)("matches a request of $name with no other operation", ({ name, operation }) => {
    const target = targetOf(operation)
    const matching = all.filter(({ operation }) => Option.isSome(Operation.match(operation, target)))
    expect(matching.map(({ name }) => name)).toEqual([name])
  })

  it("returns the variables of the path", () => {
    const target = { method: "GET", segments: ["-", "vaults", "photos", "jobs", "ID", "output"], parameters: new Map() }
    expect(Operation.match(operations.getJobOutput, target))
      .toEqual(Option.some({ accountId: "-", vaultName: "photos", jobId: "ID" }))
  })

  it("distinguishes operations by a query parameter that is part of their name", () => {
    const target = targetOf(operations.addTagsToVault)
    expect(Option.isSome(Operation.match(operations.removeTagsFromVault, target))).toBe(false)
    expect(Option.isSome(Operation.match(operations.addTagsToVault, { ...target, parameters: new Map() }))).toBe(false)
  })
})
