/** Random descriptions: no path in them leads out of the directory. */
import { expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { posix, win32 } from "node:path"
import { formatNumber } from "../../src/policy/Format.ts"
import * as ArchiveName from "../../src/protocol/ArchiveName.ts"
import * as SafePath from "../../src/transfer/SafePath.ts"
import { isFull } from "../support/full.ts"
import { formats, platforms } from "./hostileNames.ts"

const piece = fc.constantFrom(
  ...[
    "/",
    "\\",
    "..",
    ".",
    ":",
    "C",
    "nul",
    "CON",
    "com1",
    "a",
    "é",
    "x.txt",
    " ",
    "\0",
    "\n",
    "\x85",
    "\u202e",
    "\u200b"
  ],
  ...["\ud800", "?", "~", "\u2025", "ß", "e\u0301", "日", "-", "+AC8-", "%2f", "\"", "<", "aux."]
)
const description = fc.tuple(fc.constantFrom(...formats), fc.array(piece, { maxLength: 7 })).map(
  ([format, pieces]) => format(pieces.join(""))
)
const random = isFull ? 100_000 : 20_000

/** Device names and forbidden characters, written independently of the rules. */
const devices = /(^|\/)(con|prn|aux|nul|com\d|lpt\d)(\.[^/]*)?(\/|$)/i
const never = /[\p{Cc}\u202a-\u202e]/u

const staysBelow = (path: string, platform: SafePath.Platform): boolean =>
  !never.test(path) &&
  (platform === "windows" || posix.resolve("/in/here", path) === `/in/here/${path}`) &&
  (platform === "posix" || !devices.test(path) &&
      win32.resolve("C:\\in\\here", path) === `C:\\in\\here\\${path.replaceAll("/", "\\")}`)

it(`accepts no path out of its directory among ${formatNumber(random)} random descriptions [S7]`, () => {
  let accepted = 0
  const property = fc.property(description, (description) => {
    const path = Option.match(ArchiveName.read(description), { onNone: () => "", onSome: ({ path }) => path })
    const safe = platforms.filter((platform) => Either.isRight(SafePath.make(path, platform)))
    accepted += safe.length
    return safe.every((platform) => staysBelow(path, platform))
  })
  fc.assert(property, { numRuns: random, seed: 7 })
  expect(accepted).toBeGreaterThan(random / 5)
}, 120_000)
