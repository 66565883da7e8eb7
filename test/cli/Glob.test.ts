import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Glob from "../../src/cli/Glob.ts"
import * as SafePath from "../../src/transfer/SafePath.ts"

const id = (character: string): string => character.repeat(138)

const selects = (patterns: ReadonlyArray<string>, path: string | undefined, archiveId = id("a")): boolean =>
  Either.getOrThrow(Glob.make(patterns))({ archiveId, path })

/** Those of the paths that the patterns select. */
const selected = (patterns: ReadonlyArray<string>, paths: ReadonlyArray<string>): ReadonlyArray<string> =>
  paths.filter((path) => selects(patterns, path))

const problem = (pattern: string): string =>
  Either.match(Glob.make([pattern]), { onLeft: ({ message }) => message, onRight: () => "none" })

describe("Glob", () => {
  it("selects every archive without a pattern, also those without a name", () => {
    expect(selects([], "photos/a.jpg")).toBe(true)
    expect(selects([], undefined)).toBe(true)
  })

  it("selects no archive without a name by a pattern", () => {
    expect(selects(["**"], undefined)).toBe(false)
  })

  it("does not cross a slash with *, and does with **", () => {
    const paths = ["a/x.jpg", "a/b/x.jpg", "a/b/c/x.jpg", "x.jpg", "b/a/x.jpg"]
    expect(selected(["a/*.jpg"], paths)).toEqual(["a/x.jpg"])
    expect(selected(["a/*/x.jpg"], paths)).toEqual(["a/b/x.jpg"])
    expect(selected(["a/**/x.jpg"], paths)).toEqual(["a/x.jpg", "a/b/x.jpg", "a/b/c/x.jpg"])
    expect(selected(["**"], paths)).toEqual(paths)
  })

  it("matches one character with ?, and one of several with brackets", () => {
    expect(selected(["a?c"], ["abc", "a\u{1F600}c", "ac", "abbc", "a/c"])).toEqual(["abc", "a\u{1F600}c"])
    expect(selected(["[a-c]1"], ["a1", "c1", "d1", "B1"])).toEqual(["a1", "c1"])
    expect(selected(["[!a]1"], ["a1", "c1"])).toEqual(["c1"])
    expect(selected(["[*]"], ["*", "a"])).toEqual(["*"])
  })

  it("matches each alternative in braces, also with slashes and ranges", () => {
    expect(selected(["*.{jpg,png}"], ["a.jpg", "b/a.png", "a.gif"])).toEqual(["a.jpg", "b/a.png"])
    expect(selected(["{a/b,c}/d"], ["a/b/d", "c/d", "a/d"])).toEqual(["a/b/d", "c/d"])
    expect(selected(["photos/{2010..2014}"], ["photos/2009/a", "photos/2012/a"])).toEqual(["photos/2012/a"])
    expect(selected(["{1..5000}"], ["4999", "5001"])).toEqual(["4999"])
  })

  it("matches a pattern without a slash at any depth", () => {
    expect(selected(["*.jpg"], ["a.jpg", "b/c/a.jpg", "/a.jpg", "a.jpeg"])).toEqual(["a.jpg", "b/c/a.jpg", "/a.jpg"])
  })

  it("matches a pattern with a slash from the beginning of the path", () => {
    const paths = ["photos/a.jpg", "/photos/a.jpg", "old/photos/a.jpg"]
    expect(selected(["photos/a.jpg"], paths)).toEqual(["photos/a.jpg", "/photos/a.jpg"])
    expect(selected(["/photos"], paths)).toEqual(["photos/a.jpg", "/photos/a.jpg"])
    expect(selected(["**/photos/*"], paths)).toEqual(paths)
  })

  it("selects everything below a folder", () => {
    const paths = [
      "photos/2014/a.jpg",
      "photos/2014/b/c.jpg",
      "photos/2015/a.jpg",
      "x/photos/2014/a.jpg",
      "photos/20140"
    ]
    expect(selected(["photos/2014"], paths)).toEqual(["photos/2014/a.jpg", "photos/2014/b/c.jpg"])
    expect(selected(["photos/2014/"], paths)).toEqual(["photos/2014/a.jpg", "photos/2014/b/c.jpg"])
    expect(selected(["2014"], paths)).toEqual(["photos/2014/a.jpg", "photos/2014/b/c.jpg", "x/photos/2014/a.jpg"])
    expect(selected(["*4"], paths)).toEqual(["photos/2014/a.jpg", "photos/2014/b/c.jpg", "x/photos/2014/a.jpg"])
  })

  it("selects only folders by a pattern that ends with a slash", () => {
    expect(selected(["photos/"], ["photos", "photos/", "photos/a.jpg", "x/photos/a.jpg"])).toEqual([
      "photos/",
      "photos/a.jpg",
      "x/photos/a.jpg"
    ])
  })

  it("selects names that begin with a dot by wildcards", () => {
    expect(selected(["*", "a/*"], [".bashrc", "a/.hidden", ".git/config"])).toEqual([
      ".bashrc",
      "a/.hidden",
      ".git/config"
    ])
    expect(selected(["*.jpg"], ["./a.jpg", "../../a.jpg", "a/../b.jpg"])).toEqual([
      "./a.jpg",
      "../../a.jpg",
      "a/../b.jpg"
    ])
  })

  it("selects Windows paths by patterns with slashes, backslashes or the drive as a folder", () => {
    const paths = ["C:\\photos\\a.jpg", "D:\\photos\\a.jpg", "\\\\nas\\photos\\a.jpg"]
    for (const pattern of ["C:\\photos\\*.jpg", "C:/photos/*.jpg", "C/photos/*.jpg", "C:\\", "c{,x}:/photos", "C:"]) {
      expect([pattern, selected([pattern], paths)]).toEqual([pattern, pattern.startsWith("c") ? [] : [paths[0]]])
    }
    expect(selected(["*\\photos\\"], paths)).toEqual(paths)
    expect(selected(["\\\\nas\\photos"], paths)).toEqual([paths[2]])
  })

  it("gives no meaning to ! and # at the beginning, nor to parentheses", () => {
    expect(selected(["!a"], ["!a", "a", "b"])).toEqual(["!a"])
    expect(selected(["#a"], ["#a", "b"])).toEqual(["#a"])
    expect(selected(["+(a)", "@(b|c)"], ["+(a)", "aa", "@(b|c)", "b"])).toEqual(["+(a)", "@(b|c)"])
  })

  it("matches names with line ends, and composed and decomposed characters alike", () => {
    expect(selected(["a/**", "b*"], ["a/x\ny/z", "b\nc"])).toEqual(["a/x\ny/z", "b\nc"])
    expect(selected(["caf\u00e9"], ["cafe\u0301/a.jpg"])).toEqual(["cafe\u0301/a.jpg"])
  })

  it("selects an archive by its id, and by no name that looks like an id", () => {
    expect(selects([id("a")], undefined)).toBe(true)
    expect(selects([id("b")], undefined)).toBe(false)
    expect(selects([id("b")], id("b"))).toBe(false)
    expect(selects([id("b"), "*.jpg"], "a.jpg")).toBe(true)
  })

  it("selects what any of the patterns selects", () => {
    expect(selected(["*.jpg", "b"], ["a.jpg", "b/c", "d"])).toEqual(["a.jpg", "b/c"])
  })

  it("rejects a pattern without a name, that is too long, or with too many alternatives", () => {
    expect(problem("")).toBe("The pattern \"\" must have a name.")
    expect(problem("//")).toBe("The pattern \"//\" must have a name.")
    expect(problem("a".repeat(10_001))).toMatch(/^The pattern "a{100}\.\.\." must have at most 10,000 characters\.$/)
    expect(problem("{a,b}".repeat(40))).toMatch(/must have fewer than 10,000 alternatives in its braces\.$/)
    expect(problem("{a,b}".repeat(10))).toBe("none")
  })

  it("matches patterns in a time that no name makes long", () => {
    const patterns = ["*a".repeat(20) + "b", "**/a/".repeat(20) + "b", "?*".repeat(20) + "b", "[ab]*".repeat(20) + "c"]
    const names = ["a".repeat(1_024), "a/".repeat(512)]
    // A matcher that tries all combinations would not end.
    expect(patterns.filter((pattern) => names.some((name) => selects([pattern], name)))).toEqual([])
  })

  const character = FastCheck.constantFrom(..."ab*?[]{},.!^-/\\ \n(|)+@#:é")
  const text = FastCheck.array(character, { maxLength: 12 }).map((characters) => characters.join(""))
  const hasName = (path: string) => /[^/]/.test(SafePath.relative(path))

  it.prop(
    "selects every path by itself, whatever characters it has",
    [FastCheck.oneof(text, FastCheck.string({ unit: "binary" })).filter(hasName)],
    ([path]) => {
      expect(selects([path], path)).toBe(true)
    },
    { fastCheck: { numRuns: 1_000 } }
  )

  it.prop(
    "selects every path with a name by **",
    [FastCheck.oneof(text, FastCheck.string({ unit: "binary" })).filter(hasName)],
    ([path]) => {
      expect(selects(["**"], path)).toBe(true)
    },
    { fastCheck: { numRuns: 1_000 } }
  )

  it.prop(
    "never throws, and selects a path by several patterns exactly if it does by one of them",
    [FastCheck.array(text, { minLength: 1, maxLength: 3 }), text],
    ([patterns, path]) => {
      const one = patterns.map((pattern) => Glob.make([pattern]))
      const all = Glob.make(patterns)
      expect(Either.isRight(all)).toBe(one.every(Either.isRight))
      if (Either.isRight(all)) {
        expect(all.right({ archiveId: "x", path })).toBe(patterns.some((pattern) => selects([pattern], path)))
      }
    },
    { fastCheck: { numRuns: 1_000 } }
  )

  it.prop(
    "selects below a folder of plain names exactly what begins with it",
    [
      FastCheck.array(FastCheck.constantFrom("a", "b", "ab"), { minLength: 2, maxLength: 3 }),
      FastCheck.array(FastCheck.constantFrom("a", "b", "ab"), { minLength: 1, maxLength: 5 })
    ],
    ([folder, names]) => {
      const pattern = folder.join("/")
      const path = names.join("/")
      expect(selects([pattern], path)).toBe(`${path}/`.startsWith(`${pattern}/`))
      expect(selects([`${pattern}/`], path)).toBe(path.startsWith(`${pattern}/`))
    }
  )
})
