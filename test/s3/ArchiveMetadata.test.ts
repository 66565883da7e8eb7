import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { ArchiveId, VaultName } from "../../src/protocol/Names.ts"
import * as ArchiveMetadata from "../../src/s3/ArchiveMetadata.ts"
import { treeHash } from "../support/hashes.ts"

const archive = (description: string, vaultName = "photos"): ArchiveMetadata.ArchiveMetadata => ({
  vaultName: VaultName.make(vaultName),
  archiveId: ArchiveId.make("a".repeat(138)),
  treeHash: treeHash(new Uint8Array(1)),
  creationDate: DateTime.unsafeMake("2019-03-04T05:06:07Z"),
  description
})

/** The bytes of metadata as S3 counts them, also with the prefix of their headers. */
const sizeOf = (metadata: Readonly<Record<string, string>>): number =>
  Object.entries(metadata).reduce((sum, [name, value]) => sum + `x-amz-meta-${name}`.length + value.length, 0)

/** Descriptions that Glacier accepts. Many are as long as possible, or have many characters that must be encoded. */
const descriptions = FastCheck.oneof(
  FastCheck.string({ unit: "grapheme-ascii", maxLength: 1_024 }),
  FastCheck.string({ unit: "grapheme-ascii", minLength: 1_024, maxLength: 1_024 }),
  FastCheck.string({ unit: FastCheck.constantFrom(" ", "%", ":", "a"), minLength: 400, maxLength: 1_024 }),
  FastCheck.constantFrom("", "base64:", "base64:YQ", "%41", "%", "+", " ", "a".repeat(1_024), " ".repeat(1_024))
)

describe("ArchiveMetadata", () => {
  it.prop(
    "has at most 2,048 bytes of printable ASCII, and can be read again, for any description that Glacier accepts",
    [descriptions, FastCheck.integer({ min: 1, max: 255 })],
    ([description, length]) => {
      const given = archive(description, "v".repeat(length))
      const metadata = ArchiveMetadata.encode(given)
      expect(sizeOf(metadata)).toBeLessThanOrEqual(2_048)
      for (const value of Object.values(metadata)) expect(value).toMatch(/^[\x21-\x7e]+$/)
      expect(ArchiveMetadata.decode(metadata)).toEqual(Option.some(given))
    },
    { fastCheck: { numRuns: 500 } }
  )

  it.prop("can be read again for short descriptions of any characters", [
    FastCheck.string({ unit: "binary", maxLength: 100 })
  ], ([text]) => {
    expect(ArchiveMetadata.decode(ArchiveMetadata.encode(archive(text)))).toEqual(Option.some(archive(text)))
  })

  it("has descriptions that people can read, unless they are too long", () => {
    const encoded = (description: string) => ArchiveMetadata.encode(archive(description))["glacier-description"]
    expect(encoded("holiday 2019/a:b.tar")).toBe("holiday%202019%2Fa%3Ab.tar")
    expect(encoded("base64:YQ")).toBe("base64%3AYQ")
    expect(encoded(" ".repeat(500))).toMatch(/^base64:[A-Za-z0-9_-]+$/)
    expect(ArchiveMetadata.encode(archive(""))).not.toHaveProperty("glacier-description")
  })

  it.each([
    ["no metadata", {}],
    ["metadata of another program", { "mtime": "1" }],
    ["a description that is no percent-encoded text", {
      ...ArchiveMetadata.encode(archive("a")),
      "glacier-description": "%"
    }],
    ["a tree hash that is none", { ...ArchiveMetadata.encode(archive("a")), "glacier-tree-hash": "b" }]
  ])("reads none from %s", (_, metadata) => {
    expect(ArchiveMetadata.decode(metadata)).toEqual(Option.none())
  })
})
