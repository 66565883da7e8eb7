import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import type { InvalidInput } from "../../src/protocol/GlacierError.ts"
import * as Operation from "../../src/protocol/Operation.ts"
import { operations } from "../../src/protocol/Operations.ts"
import { cases, document, long, notifying, numbered, rules } from "./invalidInputs.ts"
import { inputOf } from "./model.ts"

describe("Operation.encode", () => {
  it.each(cases)(
    "rejects the input of %s with %j, and names the field and its rule",
    (method, change, field, value, rule) => {
      const operation: Operation.Any = operations[method]
      const failure = Either.flip(Operation.encode(operation, { ...inputOf(operation), ...change }))
      expect(Either.getOrThrow(failure)).toMatchObject(
        {
          _tag: "InvalidInput",
          operation: operation.name,
          field,
          value,
          rule: expect.stringMatching(rule)
        } satisfies Partial<InvalidInput>
      )
      expect(Either.getOrThrow(failure).rule).toMatch(/^must /)
    }
  )

  it.each<[keyof typeof operations, Record<string, unknown>]>([
    ["addTagsToVault", { tags: numbered(10) }],
    ["addTagsToVault", { tags: { [long.slice(0, 128)]: long.slice(0, 255) } }],
    ["addTagsToVault", { tags: { "aws": "aws.x", "Aé漢٣ _./=+-@": "" } }],
    ["removeTagsFromVault", { tagKeys: Object.keys(numbered(10)) }],
    ["setVaultAccessPolicy", { policy: document(20_480) }],
    ["initiateVaultLock", { policy: document(10_241).replaceAll("x", "é") }],
    ["setDataRetrievalPolicy", rules({ strategy: "BytesPerHour", bytesPerHour: 1 })],
    ["setDataRetrievalPolicy", rules({ strategy: "None", bytesPerHour: undefined })],
    ["setVaultNotifications", notifying({ events: ["InventoryRetrievalCompleted", "ArchiveRetrievalCompleted"] })]
  ])("accepts an input of %s at the limits of the rules: %j", (method, change) => {
    const operation: Operation.Any = operations[method]
    expect(Operation.encode(operation, { ...inputOf(operation), ...change })).toMatchObject({ _tag: "Right" })
  })
})
