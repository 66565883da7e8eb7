/** Values that each schema of names accepts and rejects. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { mebibyte } from "../../src/protocol/Limits.ts"
import * as Names from "../../src/protocol/Names.ts"

interface Case {
  readonly name: string
  readonly schema: Schema.Schema.AnyNoContext
  readonly rule: string
  readonly accepts: ReadonlyArray<string | number>
  readonly rejects: ReadonlyArray<string | number>
}

const hex = "0123456789abcdef".repeat(4)

const printable = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i))

export const partSizes = Array.from({ length: 13 }, (_, power) => mebibyte * 2 ** power)

const ids = {
  rule: "must be an id as the service gave it",
  accepts: ["a", "-", "_", "AbC-0_9".repeat(20).slice(0, 138), "x".repeat(1_024)],
  rejects: ["", ".", "..", "a.b", "a/b", "a b", "a+b", "a=", "a\n", "a\r\nHost: x", "a%2Fb", "é", "x".repeat(1_025)]
}

export const texts: ReadonlyArray<Case> = [
  {
    name: "VaultName",
    schema: Names.VaultName,
    rule: "must be 1 to 255 characters of A-Z a-z 0-9 _ - .",
    accepts: ["a", "-", "_", "my.Vault-1_x", "...", ".a", "a.", "..a", "0", "x".repeat(255), ".".repeat(255)],
    rejects: ["", ".", "..", "x".repeat(256), "a/b", "a b", " a", "a ", "a\n", "a\r", "\r\na", "é", "a%", "a:b", "a\0"]
  },
  {
    name: "AccountId",
    schema: Names.AccountId,
    rule: "must be 12 digits",
    accepts: ["-", "012345678901", "000000000000"],
    rejects: [
      "--",
      "-\n",
      "01234567890",
      "0123456789012",
      "0123-4567-890",
      "01234567890a",
      "012345678901\n",
      "٠".repeat(12)
    ]
  },
  { name: "ArchiveId", schema: Names.ArchiveId, ...ids },
  { name: "UploadId", schema: Names.UploadId, ...ids },
  { name: "JobId", schema: Names.JobId, ...ids },
  {
    name: "Description",
    schema: Names.Description,
    rule: "must be at most 1,024 characters of printable ASCII",
    accepts: ["", " ", printable, "x".repeat(1_024)],
    rejects: ["x".repeat(1_025), "a\n", "a\r\nHost: x", "a\tb", "\x1f", "\x7f", "\0", "é", "\u2028", "😀"]
  },
  {
    name: "ContentSha256",
    schema: Names.ContentSha256,
    rule: "must be a SHA-256 as 64 lower-case hex digits",
    accepts: [hex, "0".repeat(64)],
    rejects: ["", hex.slice(1), `${hex}0`, hex.toUpperCase(), `${hex}\n`, `g${hex.slice(1)}`, "UNSIGNED-PAYLOAD"]
  }
]

export const numbers: ReadonlyArray<Case> = [
  {
    name: "PartSize",
    schema: Names.PartSize,
    rule: "must be 1 MiB times a power of two",
    accepts: partSizes,
    rejects: [
      ...partSizes.flatMap((size) => [size - 1, size + 1, size * 3, -size]),
      ...[0, 1, mebibyte / 2, 2 ** 33, 1.5 * mebibyte, 10 * mebibyte, NaN, Infinity, -Infinity]
    ]
  },
  {
    name: "ArchiveSize",
    schema: Names.ArchiveSize,
    rule: "must be ",
    accepts: [1, mebibyte, 2 ** 32 + 1, 42_949_672_960_000],
    rejects: [0, -1, 0.5, 1.5, 42_949_672_960_001, NaN, Infinity]
  }
]

export const rule = (schema: Schema.Schema.AnyNoContext, value: unknown): string =>
  Either.match(Schema.decodeUnknownEither(schema)(value), { onLeft: String, onRight: () => "accepted" })
