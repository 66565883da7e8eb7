/** Hostile descriptions: no path in them leads out of the directory, or to a file that exists already. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { posix, win32 } from "node:path"
import { formatNumber } from "../../src/policy/Format.ts"
import * as ArchiveName from "../../src/protocol/ArchiveName.ts"
import * as SafePath from "../../src/transfer/SafePath.ts"
import * as Target from "../../src/transfer/Target.ts"
import { isFull } from "../support/full.ts"
import { contents, formats, hostile, platforms } from "./hostileNames.ts"

describe("names from descriptions", () => {
  it.effect.each(platforms)(
    `writes no file outside of the directory, and replaces none, for ${hostile.length} hostile descriptions: %s [S7]`,
    (platform) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const sandbox = yield* Effect.flatMap(fs.makeTempDirectoryScoped(), fs.realPath)
        const directory = `${sandbox}/restored`
        yield* fs.makeDirectory(`${directory}/folder`, { recursive: true })
        yield* fs.makeDirectory(`${sandbox}/restored-too`)
        for (const file of ["secret", "restored/kept", "restored/folder/kept", "restored-too/kept"]) {
          yield* fs.writeFileString(`${sandbox}/${file}`, "unchanged")
        }
        yield* Effect.forEach([
          ["..", "above"],
          ["../restored-too", "beside"],
          ["/", "root"],
          ["../secret", "to-secret"],
          ["../new", "to-new"],
          ["folder", "inside"],
          [".", "itself"],
          ["loop", "loop"]
        ], ([to = "", link]) => fs.symlink(to, `${directory}/${link}`))

        const expected = new Map(yield* contents(sandbox))
        for (const [index, description] of hostile.entries()) {
          const read = ArchiveName.read(description.replaceAll("SANDBOX", sandbox.slice(1)))
          if (Option.isNone(read)) continue
          for (const path of [read.value.path, SafePath.relative(read.value.path)]) {
            const target = yield* SafePath.make(path, platform).pipe(
              Effect.flatMap((safe) => Target.prepare(directory, safe)),
              Effect.option
            )
            if (Option.isNone(target)) continue
            // This call would follow links and overwrite files.
            yield* fs.writeFileString(target.value, `${index}`)
            expect(expected.has(target.value)).toBe(false)
            expect(target.value.startsWith(`${directory}/`)).toBe(true)
            expected.set(target.value, `${index}`)
          }
        }
        expect(yield* contents(sandbox)).toEqual(expected)
        const written = Array.from(expected.values(), Number).filter(Number.isInteger)
        expect(written.length).toBeGreaterThan(30)
        expect(hostile.length).toBeGreaterThan(200)
      }).pipe(Effect.scoped, Effect.provide(NodeContext.layer)),
    120_000
  )

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
})
