/** The rules of safe paths, and collisions of paths. */
import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as SafePath from "../../src/transfer/SafePath.ts"

/** The first rule that a path breaks, or `safe`. */
const judge = (path: string, platform?: SafePath.Platform): string =>
  Either.match(SafePath.make(path, platform), { onLeft: ({ rule }) => rule, onRight: () => "safe" })

/** Paths that break a rule on all platforms. */
const broken: Readonly<Record<string, ReadonlyArray<string>>> = {
  empty: [""],
  unicode: ["a\ud800", "\udfff/b", "\udc00\ud83d"],
  control: ["a\0", "a\nb", "a\rb", "a\tb", "\x1b[2Ja", "a\x7f", "a\x85b", "a\x9fb", "a\u2028b", "a\u2029"],
  bidi: ["photo\u202egnp.exe", "a\u202a", "a\u2066b\u2069", "\u200ea", "a\u200f", "a\u061c"],
  absolute: ["/etc/passwd", "/"],
  folder: ["a/", "a/b/", "a//"],
  gap: ["a//b", "a/b//c"],
  dots: [
    ".",
    "..",
    "../a",
    "a/..",
    "a/../b",
    "a/./b",
    "./a",
    "../../../../etc/passwd",
    "\u200b..",
    ".\u200d.",
    "a/\u2060"
  ],
  partial: ["film.0123456789abcdef.partial", "a/b.tar.00FF00FF00FF00FF.Checkpoint", "film.0123456789abcdef.lock"],
  length: [Array.from({ length: 9 }, () => "x".repeat(120)).join("/")]
}

/** Paths that break a rule on Windows only. */
const brokenOnWindows: Readonly<Record<string, ReadonlyArray<string>>> = {
  unc: ["\\\\server\\share\\a", "\\\\?\\C:\\a", "\\\\.\\PhysicalDrive0", "\\/server/a"],
  drive: ["C:\\a", "c:a", "Z:/a", "C:"],
  backslash: ["a\\b", "..\\a", "\\a", "a\\..\\..\\b"],
  character: ["a<b", "a>b", "ab:b", "a\"b", "a|b", "a?", "*.txt", "ab.txt:stream", "ab::$DATA"],
  device: [
    ...["CON", "nul", "Prn.txt", "a/AUX", "com1", "COM9.tar.gz", "lpt1.x", "LPT0", "con .txt", "NUL  .a", "com\xb9"],
    ...["conin$", "CONOUT$", "clock$", "a/nul.b/c"]
  ],
  ending: ["a.", "a ", "a./b", "a /b", "x/.../y", "a. ."],
  units: ["x".repeat(256)]
}

const safe = [
  ...["a", "a/b/c.txt", ".hidden", "..a", "a..b/c", "a/..b", "...a", "-rf", "~/a", "$HOME", "%TEMP%", "a b", " a"],
  ...["console.txt", "nulls", "com10", "auxiliary/x", "a.nul", "日本語/ファイル.txt", "é", "e\u0301", "👩‍💻.png"],
  ...["x".repeat(255), "ж".repeat(127), "a'b", "a;rm -rf b", "`id`", "a&b", "😀"],
  ...["a.partial", "a.0123456789abcde.partial", "0123456789abcdef.checkpoint"]
]

describe("SafePath.make", () => {
  it("accepts a safe path unchanged", () => {
    for (const path of safe) {
      for (const platform of ["posix", "windows", "portable"] as const) {
        expect([path, SafePath.make(path, platform)]).toEqual([path, Either.right(path)])
      }
    }
  })

  it("fails with the first rule that a path breaks", () => {
    for (const [rule, paths] of Object.entries(broken)) {
      for (const path of paths) {
        for (const platform of ["posix", "windows", "portable", undefined] as const) {
          expect([path, platform, judge(path, platform)]).toEqual([path, platform, rule])
        }
      }
    }
  })

  it("applies the rules of Windows on Windows, and by default", () => {
    for (const [rule, paths] of Object.entries(brokenOnWindows)) {
      for (const path of paths) {
        expect([path, judge(path, "windows")]).toEqual([path, rule])
        expect([path, judge(path)]).not.toEqual([path, "safe"])
      }
    }
    for (const path of ["a\\b", "C:a", "CON", "a.", "a?"]) expect([path, judge(path, "posix")]).toEqual([path, "safe"])
  })

  it("measures names in the units of the platform", () => {
    const name = "日".repeat(100)
    expect([judge(name, "posix"), judge(name, "windows"), judge(name)]).toEqual(["bytes", "safe", "bytes"])
  })

  it("names the path and the rule in its message", () => {
    expect(Either.mapLeft(SafePath.make("../a\u202e"), String)).toEqual(
      Either.left("UnsafePath: The path \"../a\u202e\" must have no characters that change the direction of text")
    )
  })
})

describe("SafePath.relative", () => {
  it.each([
    ["/home/a.txt", "home/a.txt"],
    ["C:\\home\\a.txt", "C/home/a.txt"],
    ["c:a.txt", "c/a.txt"],
    ["\\\\server\\share\\a.txt", "server/share/a.txt"],
    ["aaa\\bbb", "aaa/bbb"],
    ["a/b", "a/b"],
    ["//a", "a"],
    ["C:\\..\\..\\a", "C/../../a"],
    ["/", ""]
  ])("makes %s relative: %s", (path, expected) => {
    expect(SafePath.relative(path)).toBe(expected)
  })

  it.prop("returns a path without root, drive or server", [
    fc.string({ unit: fc.constantFrom("/", "\\", ":", "C", ".", "a", "?") })
  ], ([path]) => {
    expect(SafePath.relative(`C:${path}`)).toMatch(/^C\//)
    expect(SafePath.relative(path)).not.toMatch(/^\/|\\/)
  })
})

describe("SafePath.collisions", () => {
  const groups = (paths: ReadonlyArray<string>, platform?: SafePath.Platform) =>
    SafePath.collisions(paths.entries(), ([, path]) => path, platform).map((group) => group.map(([index]) => index))

  it.each<[string, ReadonlyArray<string>, ReadonlyArray<ReadonlyArray<number>>]>([
    ["nothing", ["a", "b", "c/a", "d/a", "d/b/a"], []],
    ["one path", ["a", "b", "a"], [[0, 2]]],
    ["case", ["Photos/A.txt", "photos/a.TXT", "photos/b"], [[0, 1]]],
    ["composition", ["caf\u00e9", "cafe\u0301"], [[0, 1]]],
    ["both", ["CAFE\u0301", "caf\u00e9"], [[0, 1]]],
    ["sharp s, sigma and the Kelvin sign", ["stra\u00dfe", "STRASSE", "\u03c3", "\u03c2", "\u212a", "k"], [
      [0, 1],
      [2, 3],
      [4, 5]
    ]],
    ["invisible characters", ["a\u200b", "a"], [[0, 1]]],
    ["a file where a folder must be", ["a", "b", "a/b", "A/b/c"], [[0, 2, 3], [2, 3]]]
  ])("finds %s", (_, paths, expected) => {
    expect(groups(paths)).toEqual(expected)
  })

  it("compares paths byte by byte on POSIX", () => {
    expect(groups(["a", "A", "\u00e9", "e\u0301", "a", "b", "b/c", "B/c"], "posix")).toEqual([[0, 4], [5, 6]])
  })
})
