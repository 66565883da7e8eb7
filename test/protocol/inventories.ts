/** Inventory documents in JSON and CSV, and a reader that collects their entries. */
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { MalformedEntry } from "../../src/protocol/GlacierError.ts"
import * as Inventory from "../../src/protocol/Inventory.ts"
import * as InventoryReader from "../../src/protocol/InventoryReader.ts"

interface Row {
  readonly ArchiveId: string
  readonly ArchiveDescription: string
  readonly CreationDate: string
  readonly Size: number
  readonly SHA256TreeHash: string
}

export type Format = InventoryReader.Options<never, never>["format"]

export const utf8 = new TextEncoder()

export const hash = "9628".repeat(16)

export const date = "2015-04-06T22:24:34Z"

export const tail = `,${date},3145728,${hash}`

export const row = (description: string, changes: Partial<Row> = {}): Row => ({
  ArchiveId: "kKB7ymWJVpPSwhGP6ycSOAekp9ZYe_--zM",
  ArchiveDescription: description,
  CreationDate: date,
  Size: 3_145_728,
  SHA256TreeHash: hash,
  ...changes
})

export const decoded = Schema.decodeUnknownSync(Schema.Array(Inventory.Entry))

export const head = {
  VaultARN: "arn:aws:glacier:us-west-2:012345678901:vaults/my-vault",
  InventoryDate: "2015-04-07T00:26:18Z"
}

/** A document in JSON of the texts of its entries, its head before or behind them. */
export const json = (entries: ReadonlyArray<string>, isHeadFirst = true) => {
  const [first, last] = JSON.stringify(head).split(/(?=\})/)
  const list = `"ArchiveList":[${entries.join(",")}]`
  return isHeadFirst ? `${first},${list}${last}` : `{${list},${first?.slice(1)}${last}`
}

export const columns = "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash"

/** By Amazon's rules: some fields must be quoted, others may be; a backslash is not escaped. */
export const quoted = (field: string, always: boolean) =>
  always || /[",\r\n]/.test(field) ? `"${field.replaceAll("\"", "\\\"")}"` : field

export const csvRow = (row: Row, quotes: ReadonlyArray<boolean> = []) =>
  [row.ArchiveId, row.ArchiveDescription, row.CreationDate, String(row.Size), row.SHA256TreeHash]
    .map((field, column) => quoted(field, quotes[column] ?? false))
    .join(",")

export const csv = (rows: ReadonlyArray<string>, lineEnd = "\n") => [columns, ...rows, ""].join(lineEnd)

/** Bytes cut at these places. */
export const cut = (bytes: Uint8Array, places: ReadonlyArray<number>) => {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return Stream.fromIterable(sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end)))
}

/** Lets the runner hear from its worker, which these tests would keep busy. */
const breath = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

/** All entries of a document, and its end. */
export const read = (
  document: string | Uint8Array,
  format: Format,
  places: ReadonlyArray<number> = [],
  size?: number
) =>
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

export const places = FastCheck.array(FastCheck.nat(), { maxLength: 8 })

export const rowsOf = (description: FastCheck.Arbitrary<string>) =>
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

export const anything = FastCheck.string({ unit: "binary", maxLength: 40 })

/** Characters that are special in CSV, on one line. */
export const troublesome = FastCheck.array(
  FastCheck.constantFrom("\"", "\\", ",", "\\\"", "\",", "a", " ", "é", "😀", tail, `"${tail}`, "\"\""),
  { maxLength: 12 }
).map((parts) => parts.join(""))

/** With line ends, which no description at AWS has. */
export const long = FastCheck.array(FastCheck.constantFrom("\"", "\\", ",", "\n", "\r", "\r\n", "a", "é", "😀"), {
  maxLength: 12
})
  .map((parts) => parts.join(""))

export const everyOrder = (names: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> =>
  names.length === 0
    ? [[]]
    : names.flatMap((name) => everyOrder(names.filter((other) => other !== name)).map((rest) => [name, ...rest]))

export const quoting = FastCheck.array(FastCheck.boolean(), { minLength: 5, maxLength: 5 })
