import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { MalformedEntry, MalformedInventory } from "../../src/protocol/GlacierError.ts"
import * as Inventory from "../../src/protocol/Inventory.ts"
import * as InventoryReader from "../../src/protocol/InventoryReader.ts"

interface Row {
  readonly ArchiveId: string
  readonly ArchiveDescription: string
  readonly CreationDate: string
  readonly Size: number
  readonly SHA256TreeHash: string
}

type Format = InventoryReader.Options<never, never>["format"]

const utf8 = new TextEncoder()
const hash = "9628".repeat(16)
const date = "2015-04-06T22:24:34Z"
const tail = `,${date},3145728,${hash}`

const row = (description: string, changes: Partial<Row> = {}): Row => ({
  ArchiveId: "kKB7ymWJVpPSwhGP6ycSOAekp9ZYe_--zM",
  ArchiveDescription: description,
  CreationDate: date,
  Size: 3_145_728,
  SHA256TreeHash: hash,
  ...changes
})

const decoded = Schema.decodeUnknownSync(Schema.Array(Inventory.Entry))

const head = {
  VaultARN: "arn:aws:glacier:us-west-2:012345678901:vaults/my-vault",
  InventoryDate: "2015-04-07T00:26:18Z"
}

/** A document in JSON of the texts of its entries, its head before or behind them. */
const json = (entries: ReadonlyArray<string>, isHeadFirst = true) => {
  const [first, last] = JSON.stringify(head).split(/(?=\})/)
  const list = `"ArchiveList":[${entries.join(",")}]`
  return isHeadFirst ? `${first},${list}${last}` : `{${list},${first?.slice(1)}${last}`
}

const columns = "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash"

/** By Amazon's rules: some fields must be quoted, others may be; a backslash is not escaped. */
const quoted = (field: string, always: boolean) =>
  always || /[",\r\n]/.test(field) ? `"${field.replaceAll("\"", "\\\"")}"` : field

const csvRow = (row: Row, quotes: ReadonlyArray<boolean> = []) =>
  [row.ArchiveId, row.ArchiveDescription, row.CreationDate, String(row.Size), row.SHA256TreeHash]
    .map((field, column) => quoted(field, quotes[column] ?? false))
    .join(",")

const csv = (rows: ReadonlyArray<string>, lineEnd = "\n") => [columns, ...rows, ""].join(lineEnd)

/** Bytes cut at these places. */
const cut = (bytes: Uint8Array, places: ReadonlyArray<number>) => {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return Stream.fromIterable(sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end)))
}

/** Lets the runner hear from its worker, which these tests would keep busy. */
const breath = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

/** All entries of a document, and its end. */
const read = (document: string | Uint8Array, format: Format, places: ReadonlyArray<number> = [], size?: number) =>
  Effect.gen(function*() {
    yield* breath
    const bytes = typeof document === "string" ? utf8.encode(document) : document
    const found: Array<Inventory.Entry | MalformedEntry> = []
    const end = yield* InventoryReader.entries(cut(bytes, places), {
      format,
      size,
      onMalformed: (error) => Effect.sync(() => void found.push(error))
    }).pipe(
      Stream.runForEach((entry) => Effect.sync(() => void found.push(entry))),
      Effect.either
    )
    return { found, error: end._tag === "Left" ? end.left : undefined }
  })

const places = FastCheck.array(FastCheck.nat(), { maxLength: 8 })

const rowsOf = (description: FastCheck.Arbitrary<string>) =>
  FastCheck.array(
    FastCheck.record({
      ArchiveId: FastCheck.constantFrom("x", "-_-", "kKB7ymWJVpPSwhGP6ycSOAekp9ZYe_--zM".repeat(4)),
      ArchiveDescription: description,
      CreationDate: FastCheck.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true }).map((at) =>
        `${at.toISOString().slice(0, 19)}Z`
      ),
      Size: FastCheck.maxSafeNat(),
      SHA256TreeHash: FastCheck.constantFrom(hash, "0".repeat(64))
    }),
    { maxLength: 4 }
  )

const anything = FastCheck.string({ unit: "binary", maxLength: 40 })

/** Characters that are special in CSV, on one line. */
const troublesome = FastCheck.array(
  FastCheck.constantFrom("\"", "\\", ",", "\\\"", "\",", "a", " ", "é", "😀", tail, `"${tail}`, "\"\""),
  { maxLength: 12 }
).map((parts) => parts.join(""))

/** With line ends, which no description at AWS has. */
const long = FastCheck.array(FastCheck.constantFrom("\"", "\\", ",", "\n", "\r", "\r\n", "a", "é", "😀"), {
  maxLength: 12
})
  .map((parts) => parts.join(""))

const everyOrder = (names: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> =>
  names.length === 0
    ? [[]]
    : names.flatMap((name) => everyOrder(names.filter((other) => other !== name)).map((rest) => [name, ...rest]))

const quoting = FastCheck.array(FastCheck.boolean(), { minLength: 5, maxLength: 5 })

describe("InventoryReader.entries", () => {
  it.effect.prop(
    "reads JSON, written and cut anyhow",
    [rowsOf(anything), FastCheck.boolean(), FastCheck.constantFrom(0, 2), places],
    ([rows, isHeadFirst, indent, places]) =>
      Effect.gen(function*() {
        const document = json(rows.map((row) => JSON.stringify(row)), isHeadFirst)
        const spaced = JSON.stringify(JSON.parse(document), undefined, indent)
        expect(yield* read(spaced, "JSON", places)).toEqual({ found: decoded(rows), error: undefined })
      })
  )

  it.effect.prop(
    "reads Amazon's CSV, whatever is quoted, cut anyhow",
    [rowsOf(FastCheck.oneof(troublesome, anything.map((text) => text.replaceAll(/[\r\n]/g, "")))), quoting, places],
    ([rows, quotes, places]) =>
      Effect.gen(function*() {
        const expected = { found: decoded(rows), error: undefined }
        const lines = rows.map((row) => csvRow(row, quotes))
        expect(yield* read(csv(lines), "CSV", places)).toEqual(expected)
        expect(yield* read(csv(lines, "\r\n"), "CSV", places)).toEqual(expected)
        expect(yield* read(csv(lines).trimEnd(), "CSV", places)).toEqual(expected)
      })
  )

  it.effect.prop(
    "reads CSV whose descriptions have line ends",
    [rowsOf(long), quoting, places],
    ([rows, quotes, places]) =>
      Effect.gen(function*() {
        const lines = rows.map((row) => csvRow(row, quotes))
        expect(yield* read(csv(lines), "CSV", places)).toEqual({ found: decoded(rows), error: undefined })
      })
  )

  const awkward = [row("é \"q\",\n😀 \\"), row("1\\\"2")]
  const samples = [
    ["JSON", json(awkward.map((row) => JSON.stringify(row)))],
    ["JSON", json(awkward.map((row) => JSON.stringify(row)), false)],
    ["CSV", csv(awkward.map((row) => csvRow(row)))]
  ] as const

  it.effect.each(samples)("reads %s cut at every byte", ([format, document]) =>
    Effect.gen(function*() {
      const { length } = utf8.encode(document)
      const expected = { found: decoded(awkward), error: undefined }
      for (let at = 0; at <= length; at++) expect(yield* read(document, format, [at])).toEqual(expected)
      expect(yield* read(document, format, Array.from({ length }, (_, at) => at))).toEqual(expected)
    }))

  it.effect("reads surrogate pairs and halves of them that are escaped", () =>
    Effect.gen(function*() {
      const document = json([JSON.stringify(row("?")).replace("?", "\\ud83d\\ude00 \\ud83d \\u00e9\\/\\n")])
      expect((yield* read(document, "JSON")).found).toEqual(decoded([row("😀 \ud83d é/\n")]))
    }))

  it.effect("reads the samples of the guide", () =>
    Effect.gen(function*() {
      // The text 1\"2 in quotes, and one that ends in a backslash.
      const rows = [`x,"1\\\\"2"${tail}`, `x,"a\\"${tail}`, `x,a\\${tail}`, `"x","my archive",${tail.slice(1)}`]
      const { found } = yield* read(csv(rows), "CSV")
      expect(found.map((entry) => "description" in entry ? entry.description : entry.problem)).toEqual([
        "1\\\"2",
        "a\\",
        "a\\",
        "my archive"
      ])
    }))

  it.effect("takes the shorter of two readings", () =>
    Effect.gen(function*() {
      const { found } = yield* read(csv([`x,"a\\"${tail}\nb"${tail}`]), "CSV")
      expect(found).toMatchObject([{ description: "a\\" }, { entry: 2, text: `b"${tail}` }])
    }))

  const broken: ReadonlyArray<readonly [Format, string, string]> = [
    ["JSON", "null", " must be"],
    ["JSON", "7", "Expected"],
    ["JSON", "", "is not JSON"],
    ["JSON", "{\"ArchiveId\":}", "is not JSON"],
    ["JSON", "{\"ArchiveId\":[}}", "is not JSON"],
    ["JSON", "{\"ArchiveId\":\"\n\"}", "is not JSON"],
    ["JSON", JSON.stringify(row("", { ArchiveId: "../x" })), "ArchiveId must be an id"],
    ["JSON", JSON.stringify(row("", { Size: -1 })), "Size"],
    ["JSON", JSON.stringify(row("", { CreationDate: "yesterday" })), "CreationDate"],
    ["JSON", JSON.stringify({ ...row(""), SHA256TreeHash: undefined }), "SHA256TreeHash is missing"],
    ["CSV", "", "is not a row of 5 columns"],
    ["CSV", "x,a", "is not a row of 5 columns"],
    ["CSV", `x,a,b${tail}`, "is not a row of 5 columns"],
    ["CSV", `x,a"b${tail}`, "is not a row of 5 columns"],
    ["CSV", `x,"a"b"${tail}`, "is not a row of 5 columns"],
    ["CSV", `x,"a${tail}`, "is not a row of 5 columns"],
    ["CSV", `../x,a${tail}`, "ArchiveId must be an id"],
    ["CSV", `x,a,${date},,${hash}`, "Size"],
    ["CSV", `x,a,${date}, 1,${hash}`, "Size"],
    ["CSV", `x,a,${date},1.5,${hash}`, "Size"],
    ["CSV", `x,"a",yesterday,1,${hash}`, "CreationDate"],
    ["CSV", `x,"a",${date},1,${hash}0`, "SHA256TreeHash must be"]
  ]

  it.effect.each(broken)(
    "reports an entry that cannot be decoded, and reads the entries around it: %s %j",
    ([format, text, problem]) =>
      Effect.gen(function*() {
        const rows = [row("é"), row("2"), row("\"4\""), row("5")]
        const texts = rows.map((row) => format === "CSV" ? csvRow(row) : JSON.stringify(row))
        texts.splice(2, 0, text)
        const document = format === "CSV" ? csv(texts) : json(texts)
        const whole = texts.slice(0, 2).join("\n")
        const before = format === "CSV" ? `${columns}\n${whole}\n` : `${json([]).slice(0, -2)}${whole},`
        const error = { _tag: "MalformedEntry", entry: 3, offset: utf8.encode(before).length, text }
        const [first, second, third, fourth] = decoded(rows)
        const { error: end, found } = yield* read(document, format)
        expect(found).toEqual([first, second, expect.objectContaining(error), third, fourth])
        expect(end).toBeUndefined()
        expect(found[2]).toMatchObject({ problem: expect.stringContaining(problem === " must be" ? "" : problem) })

        const seen: Array<Inventory.Entry> = []
        const failed = yield* InventoryReader.entries(Stream.make(utf8.encode(document)), {
          format,
          onMalformed: Effect.fail
        })
          .pipe(Stream.runForEach((entry) => Effect.sync(() => void seen.push(entry))), Effect.flip)
        expect(failed).toMatchObject(error)
        expect(seen).toEqual([first, second])
      })
  )

  it.effect.each(["JSON", "CSV"] as const)(
    "reports an entry that is not UTF-8: %s",
    (format) =>
      Effect.gen(function*() {
        const texts = [row("a"), row("?"), row("b")].map((row) => format === "CSV" ? csvRow(row) : JSON.stringify(row))
        const document = utf8.encode(format === "CSV" ? csv(texts) : json(texts))
        document[document.indexOf(0x3f)] = 0xff
        const { found } = yield* read(document, format)
        const [first, second] = decoded([row("a"), row("b")])
        expect(found).toEqual([
          first,
          expect.objectContaining({ entry: 2, text: texts[1]?.replace("?", "\ufffd"), problem: "is not UTF-8" }),
          second
        ])
      })
  )

  it.effect("reads the rows behind one whose quotes do not close", () =>
    Effect.gen(function*() {
      const lines = [`x,"a${tail}`, ...[row("1"), row("2"), row("a, b"), row("3\n4")].map((row) => csvRow(row))]
      const { found } = yield* read(csv(lines), "CSV")
      expect(found).toEqual([
        expect.objectContaining({ entry: 1, text: lines[0] }),
        ...decoded([row("1"), row("2"), row("a, b"), row("3\n4")])
      ])
      // Also where nothing closes them.
      expect((yield* read(csv(lines.slice(0, 3)), "CSV")).found).toHaveLength(3)
      expect((yield* read(csv([lines[0] ?? "", ...Array.from({ length: 400 }, () => csvRow(row("1")))]), "CSV")).found)
        .toHaveLength(401)
    }))

  const document = json([row("a"), row("b")].map((row) => JSON.stringify(row)))
  const list = document.indexOf("[") + 1
  const behind = document.indexOf("]")

  it.effect.each(
    [
      ["JSON", "", 0, "is not JSON"],
      ["JSON", "<html>", 0, "is not JSON"],
      ["JSON", "[]", 0, "Expected"],
      ["JSON", csv([]), 0, "is not JSON"],
      ["JSON", "{\"ArchiveList\":[]}", 0, "VaultARN is missing"],
      ["JSON", document.replace("ArchiveList", "Archives"), 0, "ArchiveList is missing"],
      ["JSON", document.replace("ArchiveList", "ArchiveL\\u0069st"), 0, "ArchiveList"],
      ["JSON", document.replace("\"ArchiveList\":[", "\"ArchiveList\":{"), 0, "is not JSON"],
      ["JSON", document.replace("2015-04-07T00:26:18Z", "yesterday"), 0, "InventoryDate"],
      ["JSON", document.replace("\"InventoryDate\":", "\"InventoryDate\""), 0, "is not JSON"],
      ["JSON", document.replace("]", "}"), document.indexOf("},{") + 2, "closes a list"],
      ["JSON", document.slice(0, list), list, "ends before its entries do"],
      ["JSON", document.slice(0, -2), document.indexOf("},{") + 2, "ends before its entries do"],
      ["JSON", document.slice(0, -1), behind, "is not JSON"],
      ["JSON", `${document}.`, behind, "is not JSON"],
      ["JSON", document.replace("]}", "],\"ArchiveList\":[1]}"), 0, "ArchiveList"],
      ["CSV", "", 0, "has no columns"],
      ["CSV", document, 0, "does not begin with the columns"],
      ["CSV", columns.replace("Size", "Bytes"), 0, "does not begin with the columns"],
      ["CSV", `${columns},Size`, 0, "does not begin with the columns"],
      ["CSV", csvRow(row("a")), 0, "does not begin with the columns"]
    ] as const
  )("rejects a document that is not an inventory: %s %s", ([format, text, offset, problem]) =>
    Effect.gen(function*() {
      const { error } = yield* read(text, format)
      expect(error).toMatchObject({ _tag: "MalformedInventory", offset, problem: expect.stringContaining(problem) })
      expect((yield* read(text, format, [offset, 1, 7, 90])).error).toEqual(error)
    }))

  it.effect("fails at the end of a document in JSON that is cut off anywhere", () =>
    Effect.gen(function*() {
      for (let length = 0; length < document.length; length++) {
        const { error, found } = yield* read(document.slice(0, length), "JSON")
        expect(error).toBeInstanceOf(MalformedInventory)
        expect(found).toEqual(decoded([row("a"), row("b")]).slice(0, found.length))
      }
    }))

  it.effect("finds all but the last row of a document in CSV that is cut off anywhere", () =>
    Effect.gen(function*() {
      const rows = [row("a"), row("b, \"c\"")]
      const document = csv(rows.map((row) => csvRow(row)))
      for (let length = 0; length < document.length; length++) {
        const { error, found } = yield* read(document.slice(0, length), "CSV")
        if (length < columns.length) expect(error).toBeInstanceOf(MalformedInventory)
        const lines = document.slice(0, length).split("\n").slice(1).filter((line) => line !== "")
        expect(error === undefined ? found.length : 0).toBe(lines.length)
        expect(found.slice(0, -1)).toEqual(decoded(rows).slice(0, Math.max(0, found.length - 1)))
      }
    }))

  const samplesOfTwo = [
    ["JSON", json([row("a"), row("b, \"c\"")].map((row) => JSON.stringify(row)))],
    ["CSV", csv([row("a"), row("b, \"c\"")].map((row) => csvRow(row)))]
  ] as const

  it.effect.each(samplesOfTwo)(
    "fails when %s was cut off anywhere and its size is known",
    ([format, document]) =>
      Effect.gen(function*() {
        const { length } = utf8.encode(document)
        const both = decoded([row("a"), row("b, \"c\"")])
        for (let end = 0; end < length; end++) {
          const { error, found } = yield* read(document.slice(0, end), format, [end >> 1], length)
          expect(error).toBeInstanceOf(MalformedInventory)
          expect(found).toEqual(both.slice(0, found.length))
        }
        expect(yield* read(document, format, [], length)).toEqual({ found: both, error: undefined })
      })
  )

  it.effect("says at which byte a document ends, and how many it must have", () =>
    Effect.gen(function*() {
      const [, [, document]] = samplesOfTwo
      const end = document.indexOf("\n", columns.length + 1) + 1
      const { error } = yield* read(document.slice(0, end), "CSV", [], document.length)
      expect(error?.message).toBe(`The inventory, at byte ${end}: ends here, but must have ${document.length} bytes`)
      expect((yield* read(`${document}\n`, "CSV", [], document.length)).error?.message)
        .toBe(`The inventory, at byte ${document.length + 1}: ends here, but must have ${document.length} bytes`)
    }))

  it.effect.each(samples)("skips the byte order mark before %s", ([format, document]) =>
    Effect.gen(function*() {
      const expected = { found: decoded(awkward), error: undefined }
      const marked = `\uFEFF${document}`
      for (const places of [[], [1], [2], [3], [1, 2, 3, 4]]) {
        expect(yield* read(marked, format, places)).toEqual(expected)
        const utf16 = Buffer.from(marked, "utf16le")
        expect(yield* read(utf16, format, places)).toEqual(expected)
        expect(yield* read(Buffer.from(utf16).swap16(), format, places)).toEqual(expected)
      }
    }))

  it.effect.each([["JSON", json([JSON.stringify(row("\uFEFFa"))])], ["CSV", csv([csvRow(row("\uFEFFa"))])]] as const)(
    "keeps a byte order mark within a description: %s",
    ([format, document]) =>
      Effect.gen(function*() {
        expect((yield* read(document, format)).found).toEqual(decoded([row("\uFEFFa")]))
      })
  )

  it.effect("finds no inventory in UTF-16 that is damaged", () =>
    Effect.gen(function*() {
      const document = Buffer.from(`\uFEFF${json([JSON.stringify(row("a?"))])}`, "utf16le")
      document.writeUInt16LE(0xd800, document.indexOf(Buffer.from("?", "utf16le")))
      expect((yield* read(document, "JSON")).error).toMatchObject({
        _tag: "MalformedInventory",
        problem: "is not utf-16le"
      })
    }))

  it.effect("reads the columns of CSV by their names, in any order", () =>
    Effect.gen(function*() {
      const rows = [row("a, \"b\" \\"), row("", { ArchiveId: "x" }), row("1\n2", { Size: 7 }), row("plain")]
      for (const order of everyOrder(columns.split(","))) {
        const lines = rows.map((row) =>
          order.map((name) => quoted(String(Object.entries(row).find(([key]) => key === name)?.[1]), false)).join(",")
        )
        for (const lineEnd of ["\n", "\r\n"]) {
          const document = [order.join(","), ...lines, ""].join(lineEnd)
          expect(yield* read(document, "CSV", [90])).toEqual({ found: decoded(rows), error: undefined })
        }
      }
    }))

  it.effect("skips columns of CSV that it does not know", () =>
    Effect.gen(function*() {
      const document = `Nr,${columns},"Note"\n1,${csvRow(row("a, b"))},"x"\n2,${csvRow(row("c"))},\n`
      expect((yield* read(document, "CSV")).found).toEqual(decoded([row("a, b"), row("c")]))
    }))

  it.effect.each([null, undefined])(
    "reads an entry whose description is %s as one without",
    (description) =>
      Effect.gen(function*() {
        const document = json([JSON.stringify({ ...row("a"), ArchiveDescription: description })])
        expect(yield* read(document, "JSON")).toEqual({ found: decoded([row("")]), error: undefined })
      })
  )

  it.effect.prop(
    "fails as it should, and alike however it is cut, whatever becomes of the bytes",
    [
      FastCheck.constantFrom(...samples),
      FastCheck.array(FastCheck.tuple(FastCheck.nat(), FastCheck.nat(2), FastCheck.nat(255)), {
        minLength: 1,
        maxLength: 4
      }),
      FastCheck.constantFrom("", "\"\\{}[],:\n\0"),
      places
    ],
    ([[format, document], changes, favourites, places]) =>
      Effect.gen(function*() {
        const bytes = Array.from(utf8.encode(document))
        for (const [at, removed, byte] of changes) {
          bytes.splice(at % bytes.length, removed, favourites.charCodeAt(byte % 10) || byte)
        }
        const changed = Uint8Array.from(bytes)
        const whole = yield* read(changed, format)
        expect(yield* read(changed, format, places)).toEqual(whole)
        for (const entry of whole.found) {
          if (!(entry instanceof MalformedEntry)) continue
          const text = utf8.encode(entry.text)
          if (entry.problem === "is not UTF-8") continue
          expect(Buffer.compare(changed.subarray(entry.offset, entry.offset + text.length), text)).toBe(0)
        }
        if (whole.error !== undefined) expect(whole.error.offset).toBeLessThanOrEqual(changed.length)
      }),
    { fastCheck: { numRuns: 200 } }
  )

  const endless = (first: string, then: string) =>
    Stream.concat(Stream.make(utf8.encode(first)), Stream.repeatEffect(Effect.succeed(utf8.encode(then.repeat(1_000)))))
  const start = document.slice(0, list)

  it.effect.each(
    [
      ["JSON", "{", "a", 0, "is longer than"],
      ["JSON", "[", "\"\\", 0, "is longer than"],
      ["JSON", start, "  ", list, "is longer than"],
      ["JSON", `${start}{"a":"`, "😀", list, "is longer than"],
      ["JSON", `${start}{"a":`, "[", list, "brackets within brackets"],
      ["JSON", "", "[", 0, "brackets within brackets"],
      ["CSV", "", "Archive", 0, "is longer than"],
      ["CSV", `${columns}\n`, ",", columns.length + 1, "is longer than"],
      ["CSV", `${columns}\nx,"`, "a", columns.length + 1, "is longer than"]
    ] as const
  )("gives up what has no end: %s %s %s", ([format, first, then, offset, problem]) =>
    Effect.gen(function*() {
      const error = yield* InventoryReader.entries(endless(first, then), { format, onMalformed: Effect.fail }).pipe(
        Stream.runDrain,
        Effect.flip
      )
      expect(error).toMatchObject({ _tag: "MalformedInventory", offset, problem: expect.stringContaining(problem) })
    }))

  it.effect.each(
    [
      ["JSON", start, `${JSON.stringify(row("a"))},`],
      ["CSV", `${columns}\n`, `${csvRow(row("a"))}\n`]
    ] as const
  )("reads no further than it is asked to: %s", ([format, first, then]) =>
    Effect.gen(function*() {
      const entries = InventoryReader.entries(endless(first, then), { format, onMalformed: Effect.fail })
      const some = yield* Stream.runCollect(Stream.take(entries, 5_000))
      expect(Chunk.size(some)).toBe(5_000)
      expect(Chunk.unsafeHead(some)).toEqual(decoded([row("a")])[0])
    }))

  it.effect.each([["JSON", `${start}${",".repeat(5_000)}]}`], ["CSV", `${columns}${"\n".repeat(5_001)}`]] as const)(
    "reports many malformed entries in order: %s",
    ([format, document]) =>
      Effect.gen(function*() {
        const { found } = yield* read(document, format)
        const numbers = found.map((entry) => entry instanceof MalformedEntry ? entry.entry : 0)
        expect(numbers.slice(0, 5_000)).toEqual(Array.from({ length: 5_000 }, (_, index) => index + 1))
      })
  )
})

describe("InventoryReader.head", () => {
  const expected = { vaultArn: head.VaultARN, inventoryDate: DateTime.unsafeMake(head.InventoryDate) }
  const entries = [JSON.stringify(row("a")), JSON.stringify(row("b"))]

  it.effect.each([true, false])("is found before the entries or behind them: %s", (isFirst) =>
    Effect.gen(function*() {
      const bytes = utf8.encode(json(entries, isFirst))
      for (let at = 0; at <= bytes.length; at++) {
        expect(yield* InventoryReader.head(cut(bytes, [at]))).toEqual(expected)
      }
    }))

  it.effect("needs no more of the document than has it", () =>
    Effect.gen(function*() {
      const bytes = Stream.concat(Stream.make(utf8.encode(json([]).slice(0, -2))), Stream.never)
      expect(yield* InventoryReader.head(bytes)).toEqual(expected)
    }))

  it.effect.each<readonly [string, number]>([
    ["", 0],
    [csv([]), 0],
    ["{\"ArchiveList\":[]}", 0],
    [json(entries, false).slice(0, -1), json(entries, false).indexOf("]")],
    [json([`${"[".repeat(40)}`], false), json([], false).indexOf("]")]
  ])("fails where there is none: %s", ([document, offset]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(InventoryReader.head(Stream.make(utf8.encode(document))))
      expect(error).toMatchObject({ _tag: "MalformedInventory", offset })
    }))
})
