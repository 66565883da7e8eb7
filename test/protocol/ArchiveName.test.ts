import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as ArchiveName from "../../src/protocol/ArchiveName.ts"
import { base64url, mt2, read, shown, spoilt, utf7 } from "./archiveNames.ts"

describe("ArchiveName.read", () => {
  it.each(shown)("reads %s", (description, ...expected) => {
    expect(read(description)).toEqual(expected)
  })

  it("returns the whole description beside the path", () => {
    const description = "<m><v>4</v><p>YQ==</p><lm>20120821T170824Z</lm><ce>1:0:00:1</ce></m>"
    expect(Option.map(ArchiveName.read(description), (name) => name.description)).toEqual(Option.some(description))
  })

  it.each(utf7)("decodes CloudBerry's %s", (encoded, path) => {
    expect(read(JSON.stringify({ Path: encoded }))).toEqual(["cloudberry", path, "no date"])
  })

  it.each(["a+", "+A-", "+AF-", "a+!b", "+2D0-"])(
    "returns a CloudBerry path that is not valid UTF-7 unchanged: %s",
    (encoded) => {
      expect(read(JSON.stringify({ Path: encoded }))).toEqual(["cloudberry", encoded, "no date"])
    }
  )

  it("finds no name in a description that is empty, blank or longer than 1,024 characters", () => {
    expect([read(""), read("   "), read("x".repeat(1_025))]).toEqual([[], [], []])
    expect(read("x".repeat(1_024))).toEqual(["plain", "x".repeat(1_024), "no date"])
  })

  it("returns the path without a date when the date is missing or invalid", () => {
    const dates = ["", "zzz", "20081515T222324Z", "20140230T000000Z", "20140101T240000Z", "20140101T006000Z", "0"]
    for (const mtime of dates) {
      expect(read(mt2(JSON.stringify({ filename: "a", mtime })))).toEqual(["mt2", "a", "no date"])
    }
    expect(read(mt2("{\"filename\":\"a\",\"mtime\":1352924178}"))).toEqual(["mt2", "a", "no date"])
    expect(read(mt2("{\"filename\":\"a\"}"))).toEqual(["mt2", "a", "no date"])
    expect(read("<m><v>4</v><p>YQ==</p></m>")).toEqual(["fastglacier", "a", "no date"])
    expect(read(mt2("{\"filename\":\"a\",\"mtime\":\"2013-02-28T00:00:00.5Z\"}"))[2]).toBe("2013-02-28T00:00:00.000Z")
  })

  it.each(["folder", "dir", "File", "", 1, true])("finds no file in JSON of type %j", (type) => {
    expect(read(JSON.stringify({ path: "Photos", type }))).toEqual([])
    expect(read(JSON.stringify({ Path: "Photos", type }))).toEqual([])
  })

  it.each(["file", null, undefined])("finds a file in JSON of type %j", (type) => {
    expect(read(JSON.stringify({ path: "a.jpg", type }))).toEqual(["json", "a.jpg", "no date"])
    expect(read(JSON.stringify({ Path: "a.jpg", type }))).toEqual(["cloudberry", "a.jpg", "no date"])
  })

  it("returns a description that breaks the rules of its format as plain text", () => {
    for (const description of spoilt) expect(read(description)).toEqual(["plain", description.trim(), "no date"])
  })

  it("reads long rows of spaces in linear time", () => {
    const spaces = " ".repeat(230)
    const rows = ["<m>*<p>*YQ==*<", "<m><p>YQ==</p>***<", "<ArchiveMetadata>*<Path>*YQ==*", "***mt2*", "***{\"Path\":*"]
    for (const row of rows) {
      const description = row.replaceAll("*", spaces)
      for (let i = 0; i < 1_000; i++) expect(read(description)[0]).toBe("plain")
    }
  })

  it("tries the given codecs in their order, and no others", () => {
    const mine: ArchiveName.Codec = {
      name: "mine",
      decode: (description) =>
        Option.map(
          Option.liftPredicate((text: string) => text.startsWith("mine "))(description),
          (text) => ({ path: text.slice(5), modified: Option.none() })
        )
    }
    const format = (description: string, codecs: ReadonlyArray<ArchiveName.Codec>) =>
      Option.map(ArchiveName.read(description, codecs), (name) => [name.format, name.path])
    const description = mt2("{\"filename\":\"a\"}")
    expect(format("mine b", [mine, ...ArchiveName.codecs])).toEqual(Option.some(["mine", "b"]))
    expect(format(description, [mine, ...ArchiveName.codecs])).toEqual(Option.some(["mt2", "a"]))
    expect(format(description, [mine])).toEqual(Option.some(["plain", description]))
    expect(format(description, [{ ...ArchiveName.mt2, name: "other" }, ArchiveName.mt2])).toEqual(
      Option.some(["other", "a"])
    )
  })
})

/** Python's `urllib.parse.quote` of UTF-8, as boto 2 calls it: its newer versions have the space among the safe characters. */
const botoQuote = (name: string, hasSpace: boolean) =>
  Array.from(Buffer.from(name), (byte) => {
    const character = String.fromCharCode(byte)
    return /[A-Za-z0-9_.\-!"#$%&'()*+,/:;<=>?@[\\\]^`{|}~]/.test(character) || (hasSpace && character === " ")
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`
  }).join("")

const byBoto = (description: string) =>
  Option.map(
    ArchiveName.read(description, [...ArchiveName.codecs, ArchiveName.boto]),
    ({ format, path }) => [format, path]
  )

describe("ArchiveName.boto", () => {
  it.each([
    ["2009/Ag%C3%A1tka ve %C5%A1kolce/PC090374.JPG", "2009/Agátka ve školce/PC090374.JPG"],
    ["2009/Ag%C3%A1tka%20ve%20%C5%A1kolce/PC090374.JPG", "2009/Agátka ve školce/PC090374.JPG"],
    ["%F0%9F%98%80.txt", "😀.txt"],
    ["tab%09", "tab\t"],
    ["100%%20%C3%A9", "100% é"]
  ])("decodes the escapes of %s", (description, path) => {
    expect(byBoto(description)).toEqual(Option.some(["boto", path]))
  })

  it("is not one of the default codecs", () => {
    expect(ArchiveName.codecs).not.toContain(ArchiveName.boto)
    expect(read("Ag%C3%A1tka")).toEqual(["plain", "Ag%C3%A1tka", "no date"])
  })

  it.each(["100%", "50%25", "%41", "%c3%a9", "%zz", "%E1", "a%C3.txt", "%ED%A0%80", "%C0%AF", "photos.tar"])(
    "leaves %s unchanged",
    (description) => {
      expect(byBoto(description)).toEqual(Option.some(["plain", description]))
    }
  )

  it("decodes the escapes beside a malformed one", () => {
    expect(byBoto("%E1/%C3%A9")).toEqual(Option.some(["boto", "%E1/é"]))
  })

  const name = fc.array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 10 }),
      fc.constantFrom("%", " ", "é", "\\", "/", "2", "C3", "\t", "~")
    ),
    { minLength: 1, maxLength: 10 }
  ).map((parts) => parts.join(""))

  it.prop("restores every name of boto 2 that contains no escape itself", [name, fc.boolean()], ([name, hasSpace]) => {
    fc.pre(name.trim() !== "" && name === name.trim() && !/%(?:[0189A-F][0-9A-F]|20|7F)/.test(name))
    const description = botoQuote(name, hasSpace)
    expect(Option.map(ArchiveName.read(description, [ArchiveName.boto]), ({ path }) => path)).toEqual(Option.some(name))
  }, { fastCheck: { numRuns: 2_000 } })
})

describe("ArchiveName.write", () => {
  const modified = DateTime.unsafeMake("2012-08-21T17:08:24.987Z")

  it("writes the formats of FastGlacier and mt-aws-glacier as these programs do", () => {
    expect([
      ArchiveName.write({ path: "glacier-dg.pdf", modified }),
      ArchiveName.write({ path: "file", modified }, ArchiveName.mt2)
    ]).toEqual([
      Either.right("<m><v>4</v><p>Z2xhY2llci1kZy5wZGY=</p><lm>20120821T170824Z</lm></m>"),
      Either.right(mt2("{\"filename\":\"file\",\"mtime\":\"20120821T170824Z\"}"))
    ])
  })

  const path = fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 170 }),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 })
  ).filter((path) => path.trim() !== "")
  const seconds = fc.integer({ min: -62_167_219_200, max: 253_402_300_799 })

  it.prop("writes descriptions from which the same path and date are read", [
    path,
    seconds,
    fc.constantFrom(ArchiveName.fastGlacier, ArchiveName.mt2)
  ], ([
    path,
    seconds,
    writer
  ]) => {
    const modified = DateTime.unsafeMake(seconds * 1_000)
    const description = Either.getOrThrow(ArchiveName.write({ path, modified }, writer))
    expect(description).toMatch(/^[\x20-\x7e]{1,1024}$/)
    expect(ArchiveName.read(description)).toEqual(
      Option.some({ path, modified: Option.some(modified), format: writer.name, description })
    )
  }, { fastCheck: { numRuns: 2_000 } })

  it("rejects a path whose description has more than 1,024 characters", () => {
    const length = (path: string, writer?: ArchiveName.Writer) =>
      Either.map(ArchiveName.write({ path, modified }, writer), (description) => description.length)
    expect(length("x".repeat(732))).toEqual(Either.right(1_023))
    expect(length("x".repeat(720), ArchiveName.mt2)).toEqual(Either.right(1_020))
    for (const writer of [ArchiveName.fastGlacier, ArchiveName.mt2]) {
      expect(Either.mapLeft(length("ж".repeat(400), writer), ({ field, rule }) => [field, rule])).toEqual(
        Either.left(["description", "must be at most 1,024 characters of printable ASCII (0x20 to 0x7E)"])
      )
    }
  })

  it("rejects a path or date that could not be read back", () => {
    const field = (path: string, date: DateTime.Utc) =>
      Either.mapLeft(ArchiveName.write({ path, modified: date }), (error) => [error._tag, error.field])
    for (const path of ["", " ", "a\ud800", "\udc00"]) {
      expect(field(path, modified)).toEqual(Either.left(["InvalidInput", "path"]))
    }
    for (const year of [-1, 10_000]) {
      expect(field("a", DateTime.unsafeMake({ year }))).toEqual(Either.left(["InvalidInput", "modified"]))
    }
    expect(field("a\n\0", modified)).toMatchObject({ _tag: "Right" })
  })

  it("rejects an invalid description of a custom writer", () => {
    const writer: ArchiveName.Writer = { name: "mine", decode: Option.none, encode: ({ path }) => path }
    expect(ArchiveName.write({ path: "é", modified }, writer)).toMatchObject({ left: { field: "description" } })
  })
})

it.prop("no codec of ArchiveName throws, whatever the description", [
  fc.oneof(
    fc.string({ unit: "binary", maxLength: 1_100 }),
    fc.tuple(
      fc.constantFrom("mt1 ", "mt2 "),
      fc.oneof(fc.json(), fc.string()).map(base64url)
    ).map((pieces) => pieces.join("")),
    fc.tuple(
      fc.constantFrom("<m>", "<m><v>4</v>"),
      fc.constant("<p>"),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64")),
      fc.constantFrom("</p>", "</p><lm>"),
      fc.string(),
      fc.constantFrom("</m>", "</lm></m>")
    ).map((pieces) => pieces.join("")),
    fc.array(fc.constantFrom("%", "%C3", "%A9", "%20", "%F0%9F", "%ED%A0", "C", "3", "é")).map((pieces) =>
      pieces.join("")
    ),
    fc.string().map((path) => `{"Path":${JSON.stringify(path)}}`),
    fc.json()
  )
], ([description]) => {
  for (const codec of [...ArchiveName.codecs, ArchiveName.boto]) {
    expect(Option.isOption(codec.decode(description))).toBe(true)
  }
}, { fastCheck: { numRuns: 5_000 } })
