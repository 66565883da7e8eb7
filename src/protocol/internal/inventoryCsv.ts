/**
 * Splits a CSV inventory into its rows. Within quotes a quote is written `\"`, but a backslash is not escaped: only the
 * following text shows whether `\"` ends a description. So a row is read from both ends, because its other columns contain
 * neither commas nor quotes: in the service's order the id comes before the description, and date, size and hash come after
 * it. The order is that of the header, because programs that save the document may change it.
 *
 * @internal
 */
import * as Either from "effect/Either"
import { MalformedInventory } from "../GlacierError.ts"
import type { Entry } from "../Inventory.ts"
import {
  byteOrderMark,
  concat,
  decodeEntry,
  type Found,
  found,
  maximumLength,
  type Reader,
  text,
  tooLong
} from "./inventoryEntry.ts"

const descriptionColumn = "ArchiveDescription"

const columns = ["ArchiveId", descriptionColumn, "CreationDate", "Size", "SHA256TreeHash"]

const lineFeed = 0x0a

const quoted = "(?<quoted>[^\"]*(?:(?<=\\\\)\"[^\"]*)*)"
const bareQuote = /(?<!\\)"/

const unquoted = (value = "") => value.replaceAll("\"", "")

/** The shape of the rows below a header. */
interface Shape {
  readonly width: number
  readonly whole: RegExp
  /** Patterns for the first and the last line of a row whose description contains line ends. */
  readonly first: RegExp
  readonly last: RegExp
}

/** Finds the shape of the rows below a line, if the line names each of the columns once. Other columns are skipped. */
const shapeOf = (line: string): Shape | undefined => {
  const header = unquoted(line.replace(byteOrderMark, "").replace(/\r$/, "")).split(",")
  if (columns.some((column) => header.indexOf(column) < 0 || header.indexOf(column) !== header.lastIndexOf(column))) {
    return undefined
  }
  const fields = header.map((name) => `(${columns.includes(name) ? `?<${name}>` : "?:"}"[^",\\r]*"|[^",\\r]*)`)
  const at = header.indexOf(descriptionColumn)
  const before = fields.slice(0, at).map((field) => `${field},`).join("")
  const behind = `${fields.slice(at + 1).map((field) => `,${field}`).join("")}\r?$`
  return {
    width: header.length,
    whole: new RegExp(`^${before}(?:"${quoted}"|(?<plain>[^",]*?))${behind}`),
    first: new RegExp(`^${before}"${quoted}$`),
    last: new RegExp(`^${quoted}"${behind}`)
  }
}

const entry = (
  { ArchiveId, CreationDate, SHA256TreeHash, Size, plain, quoted }: Record<string, string | undefined>
): Either.Either<Entry, string> =>
  decodeEntry({
    ArchiveId: unquoted(ArchiveId),
    ArchiveDescription: plain ?? quoted?.replaceAll("\\\"", "\""),
    CreationDate: unquoted(CreationDate),
    Size: /^"?\d+"?$/.test(Size ?? "") ? Number(unquoted(Size)) : Size,
    SHA256TreeHash: unquoted(SHA256TreeHash)
  })

interface Line {
  readonly text: Either.Either<string, string>
  readonly end: number
  /** The start of the next line. */
  readonly next: number
}

const lineAt = (bytes: Uint8Array, from: number, isAll: boolean): Line | undefined => {
  const lineEnd = bytes.indexOf(lineFeed, from)
  if (lineEnd < 0 && (!isAll || from === bytes.length)) return undefined
  const end = lineEnd < 0 ? bytes.length : lineEnd
  return { text: text(bytes.subarray(from, end)), end, next: lineEnd < 0 ? end : end + 1 }
}

interface Row extends Pick<Line, "end" | "next"> {
  readonly entry: Either.Either<Entry, string>
}

/** Finds the row that starts at `from`. None while the row is incomplete. */
const rowAt = (shape: Shape, bytes: Uint8Array, from: number, isAll: boolean): Row | undefined => {
  const line = lineAt(bytes, from, isAll)
  if (line === undefined) return undefined
  const { end, next } = line
  const alone: Row = {
    end,
    next,
    entry: Either.flatMap(line.text, (text) => {
      const groups = shape.whole.exec(text)?.groups
      return groups === undefined ? Either.left(`is not a row of ${shape.width} columns`) : entry(groups)
    })
  }
  const opened = Either.isLeft(alone.entry) && Either.isRight(line.text)
    ? shape.first.exec(line.text.right)?.groups
    : undefined
  return opened === undefined ? alone : closed(shape, bytes, from, next, isAll, opened, alone)
}

/** Finds a row that can continue in further lines. If no line ends it, its first line is a malformed row `alone`. */
const closed = (
  shape: Shape,
  bytes: Uint8Array,
  from: number,
  second: number,
  isAll: boolean,
  opened: Record<string, string>,
  alone: Row
): Row | undefined => {
  let description = opened["quoted"] ?? ""
  for (let at = second;;) {
    const line = lineAt(bytes, at, isAll)
    if ((line?.next ?? bytes.length) - from > maximumLength) return alone
    if (line === undefined) return isAll ? alone : undefined
    if (Either.isLeft(line.text)) return alone
    const groups = shape.last.exec(line.text.right)?.groups
    if (groups !== undefined) {
      const read = entry({ ...opened, ...groups, quoted: `${description}\n${groups["quoted"]}` })
      if (Either.isRight(read)) return { end: line.end, next: line.next, entry: read }
    }
    if (bareQuote.test(line.text.right)) return alone
    description += `\n${line.text.right}`
    at = line.next
  }
}

export const make = (): Reader => {
  /** The incomplete row so far, and its offset. */
  let rest: Uint8Array = new Uint8Array()
  let offset = 0
  let shape: Shape | undefined
  let rows = 0
  const broken = (problem: string) => new MalformedInventory({ offset, problem })

  const read = (piece: Uint8Array, isAll: boolean): ReadonlyArray<Found> => {
    const all: Array<Found> = []
    const bytes = rest.length === 0 ? piece : concat(rest, piece)
    let from = 0
    for (;;) {
      const row = shape === undefined ? lineAt(bytes, from, isAll) : rowAt(shape, bytes, from, isAll)
      if ((row?.end ?? bytes.length) - from > maximumLength) return [...all, broken(tooLong)]
      if (row === undefined) break
      if ("entry" in row) {
        all.push(found(row.entry, ++rows, offset, bytes.subarray(from, row.end)))
      } else {
        shape = shapeOf(Either.getOrElse(row.text, () => ""))
        if (shape === undefined) return [broken(`does not begin with the columns ${columns.join(",")}`)]
      }
      offset += row.next - from
      from = row.next
    }
    // The caller may reuse the memory of the bytes.
    rest = bytes.slice(from)
    return all
  }

  return {
    write: (bytes) => read(bytes, false),
    end() {
      const all = read(new Uint8Array(), true)
      return shape !== undefined || all.length > 0 ? all : [broken("has no columns")]
    }
  }
}
