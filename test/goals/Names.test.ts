/** Hostile descriptions: no path in them leads out of the directory, or to a file that exists already. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { posix, win32 } from "node:path"
import * as ArchiveName from "../../src/protocol/ArchiveName.ts"
import * as SafePath from "../../src/transfer/SafePath.ts"
import * as Target from "../../src/transfer/Target.ts"

const platforms = ["posix", "windows", "portable"] as const

const base64 = (text: string, encoding: "base64" | "base64url" = "base64") => Buffer.from(text).toString(encoding)

/** The formats of paths in descriptions. */
const formats: ReadonlyArray<(path: string) => string> = [
  (path) => path,
  (path) => `mt2 ${base64(JSON.stringify({ filename: path, mtime: "20121105T140258Z" }), "base64url")}`,
  (path) => {
    const once = Buffer.from(JSON.stringify({ filename: path, mtime: "20121105T140258Z" }))
    return `mt1 ${base64(once.toString("latin1"), "base64url")}`
  },
  (path) => `<m><v>4</v><p>${base64(path)}</p><lm>20150101T000000Z</lm></m>`,
  (path) => `<ArchiveMetadata><Path>${base64(path)}</Path></ArchiveMetadata>`,
  (path) => JSON.stringify({ path, type: "file" }),
  (path) => JSON.stringify({ Path: path.replace(/\+/g, "+-"), UTCDateModified: "20100310T110623Z" })
]

/**
 * Paths that lead out of the directory or to existing files in it, on POSIX or on Windows. `SANDBOX` is the folder above
 * the directory.
 */
const paths = [
  ...["../escaped", "../../escaped", "a/../../escaped", "a/../b", "..", ".", "./a", "a/./b", "a/..", "....//escaped"],
  ...[
    "/escaped",
    "SANDBOX/escaped",
    "SANDBOX/secret",
    "//SANDBOX/escaped",
    "/SANDBOX/restored/../escaped",
    "~/escaped"
  ],
  ...["\u200b../escaped", "..\u200d/escaped", "\ufeff../escaped", "..\u2060/escaped", "%2e%2e/escaped", "..%2fescaped"],
  ...["\uff0e\uff0e/escaped", "..\u2215escaped", "..\uff0fescaped", "\u2025/escaped", "..\0/escaped", "..;/escaped"],
  ...[
    "..\\escaped",
    "a\\..\\..\\escaped",
    "\\escaped",
    "C:\\escaped",
    "C:escaped",
    "c:/escaped",
    "\\\\server\\share\\a"
  ],
  ...["\\\\?\\C:\\escaped", "\\\\.\\pipe\\a", "\\??\\C:\\escaped", "file:///escaped", "..\\/escaped", "/\\escaped"],
  ...[
    "CON",
    "nul",
    "NUL.txt",
    "aux.tar.gz",
    "COM1",
    "lpt9.log",
    "con .txt",
    "folder/PRN",
    "COM\xb9",
    "CONIN$",
    "a/nul/b"
  ],
  ...[
    "kept.",
    "kept ",
    "kept. .",
    "kept::$DATA",
    "kept:stream",
    "KEPT",
    "folder/kept.",
    "folder./kept",
    "a<b>c|d?e*f\""
  ],
  ...["kept", "folder", "folder/kept", "folder/", "folder//kept", "kept/a", "kept/", "", " ", "   /a"],
  ...[
    "above/escaped",
    "above/secret",
    "above/restored/kept",
    "beside/escaped",
    "root/tmp/escaped",
    "to-secret",
    "to-new"
  ],
  ...["to-secret/a", "to-new/a", "inside/kept", "inside/new", "itself/kept", "itself/above/escaped", "loop", "loop/a"],
  ...["a\nb", "a\r\nb", "a\tb", "a\0b", "kept\0", "kept\0.txt", "\x1b]0;a\x07", "a\x7f", "a\x85", "a\u2028b", "\x01"],
  ...["gnp\u202egpj.exe", "\u202dkept", "a\u2066b", "kept\u200f", "ke\u0301pt", "k\u00e9pt", "kept\ufe0f", "ｋｅｐｔ"],
  ...["\ud800", "a\udc00b", "x".repeat(256), "ж".repeat(128), "a/".repeat(100) + "a", "../".repeat(300) + "escaped"],
  ...[
    "-rf",
    "--help",
    "$(id)",
    "`id`",
    "${HOME}",
    "a;b",
    "*",
    "?",
    "__proto__",
    "constructor",
    "toString/a",
    ".git/config"
  ]
]

/** Descriptions that are in no format, or are damaged. */
const damaged = [
  "mt2 Li4vZXNjYXBlZA",
  "mt2 ../escaped",
  "<m><v>4</v><p>../escaped</p></m>",
  "<!DOCTYPE m [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><m><v>4</v><p>&x;</p></m>",
  "{\"Path\":{\"toString\":\"../escaped\"}}",
  "{\"Path\":\"+AC4ALgAv-escaped\"}",
  "{\"Path\":\"+AC4-+AC4-+AC8-escaped\"}",
  "{\"Path\":\"\\u002e\\u002e\\u002fescaped\"}",
  "{\"__proto__\":\"x\",\"path\":\"../escaped\"}"
]

const hostile = [...paths.flatMap((path) => formats.map((format) => format(path))), ...damaged]

/** The contents of all files below a folder, by their paths. */
const contents = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  const found = new Map<string, string>()
  const pending = [folder]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const name of yield* fs.readDirectory(next)) {
      const path = `${next}/${name}`
      if (yield* Effect.isSuccess(fs.readLink(path))) found.set(path, `link to ${yield* fs.readLink(path)}`)
      else if ((yield* fs.stat(path)).type === "Directory") pending.push(path)
      else found.set(path, yield* fs.readFileString(path))
    }
  }
  return found
})

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
  /** Device names and forbidden characters, written independently of the rules. */
  const devices = /(^|\/)(con|prn|aux|nul|com\d|lpt\d)(\.[^/]*)?(\/|$)/i
  const never = /[\p{Cc}\u202a-\u202e]/u

  const staysBelow = (path: string, platform: SafePath.Platform): boolean =>
    !never.test(path) &&
    (platform === "windows" || posix.resolve("/in/here", path) === `/in/here/${path}`) &&
    (platform === "posix" || !devices.test(path) &&
        win32.resolve("C:\\in\\here", path) === `C:\\in\\here\\${path.replaceAll("/", "\\")}`)

  it("accepts no path out of its directory among 100,000 random descriptions [S7]", () => {
    let accepted = 0
    const property = fc.property(description, (description) => {
      const path = Option.match(ArchiveName.read(description), { onNone: () => "", onSome: ({ path }) => path })
      const safe = platforms.filter((platform) => Either.isRight(SafePath.make(path, platform)))
      accepted += safe.length
      return safe.every((platform) => staysBelow(path, platform))
    })
    fc.assert(property, { numRuns: 100_000, seed: 7 })
    expect(accepted).toBeGreaterThan(20_000)
  }, 120_000)
})
