/** Decoding one entry of an inventory: the fast way for entries of the usual form agrees with the schema. */
import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { decodeEntry } from "../../src/protocol/internal/inventoryEntry.ts"
import { Entry } from "../../src/protocol/Inventory.ts"

const usual = {
  ArchiveId: "x".repeat(138),
  ArchiveDescription: "holiday.jpg",
  CreationDate: "2015-04-06T22:24:34Z",
  Size: 3_145_728,
  SHA256TreeHash: "9628".repeat(16)
}

const or = (value: unknown, ...others: ReadonlyArray<unknown>) =>
  FastCheck.oneof(
    { weight: 4, arbitrary: FastCheck.constant(value) },
    FastCheck.constantFrom(...others),
    FastCheck.anything()
  )

/** Entries of which some fields are missing, of another type, or at the edge of what is valid. */
const entry = FastCheck.record({
  ArchiveId: or(usual.ArchiveId, "", " ", "x".repeat(400)),
  ArchiveDescription: or(usual.ArchiveDescription, null, "", "\u0000"),
  CreationDate: or(
    usual.CreationDate,
    ...["2015-02-30T00:00:00Z", "2015-04-06T22:24:34", "2015-04-06T22:24:34UTC", "2015-04-06T22:24:34.5Z"],
    ...["2015-04-06T24:00:00Z", "2015-04-06Z", "Z", "2015-04-06T22:24:34+01:00"]
  ),
  Size: or(usual.Size, 0, -0, -1, 1.5, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER + 1, Number.NaN, "1"),
  SHA256TreeHash: or(
    usual.SHA256TreeHash,
    usual.SHA256TreeHash.toUpperCase().replaceAll("9", "A"),
    `${usual.SHA256TreeHash}0`
  ),
  Other: FastCheck.anything()
}, { requiredKeys: [] })

const bySchema = Schema.decodeUnknownEither(Entry)

describe("decodeEntry", () => {
  it("decodes an entry of the usual form", () => {
    expect(decodeEntry(usual)).toEqual(bySchema(usual))
  })

  it.prop("decodes and rejects what the schema decodes and rejects", [entry], ([value]) => {
    expect(Either.getRight(decodeEntry(value))).toEqual(Either.getRight(bySchema(value)))
  }, { fastCheck: { numRuns: 2_000 } })
})
