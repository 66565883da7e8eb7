/**
 * Cuts an inventory in CSV into its rows (spec section 14.2). Within quotes a quote is written `\"`, while a backslash
 * stays as it is: whether `\"` ends a description shows only in what follows. So a row is read from both ends, as its
 * other columns hold neither commas nor quotes: the id before the description; date, size and hash behind it.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { MalformedInventory } from "../GlacierError.ts"
import type { Entry } from "../Inventory.ts"
import { concat, decodeEntry, type Found, found, maximumLength, type Reader, text, tooLong } from "./inventoryEntry.ts"

const columns = "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash"

const lineFeed = 0x0a

const field = (name: string) => `(?<${name}>"[^",\\r]*"|[^",\\r]*)`
const quoted = "(?<quoted>[^\"]*(?:(?<=\\\\)\"[^\"]*)*)"
const behind = `,${field("date")},${field("size")},${field("hash")}\r?$`

const whole = new RegExp(`^${field("id")},(?:"${quoted}"|(?<plain>[^",]*))${behind}`)
/** The first and the last line of a row whose description has line ends, and what none between them has. */
const first = new RegExp(`^${field("id")},"${quoted}$`)
const last = new RegExp(`^${quoted}"${behind}`)
const bareQuote = /(?<!\\)"/

const unquoted = (value = "") => value.replaceAll("\"", "")

const entry = (
  { date, hash, id, plain, quoted, size }: Record<string, string | undefined>
): Either.Either<Entry, string> =>
  decodeEntry({
    ArchiveId: unquoted(id),
    ArchiveDescription: plain ?? quoted?.replaceAll("\\\"", "\""),
    CreationDate: unquoted(date),
    Size: /^"?\d+"?$/.test(size ?? "") ? Number(unquoted(size)) : size,
    SHA256TreeHash: unquoted(hash)
  })

interface Line {
  readonly text: Either.Either<string, string>
  readonly end: number
  /** Where the next line begins. */
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

/** The row that begins at `from`; none while it is not whole. */
const rowAt = (bytes: Uint8Array, from: number, isAll: boolean): Row | undefined => {
  const line = lineAt(bytes, from, isAll)
  if (line === undefined) return undefined
  const { end, next } = line
  const alone: Row = {
    end,
    next,
    entry: Either.flatMap(line.text, (text) => {
      const groups = whole.exec(text)?.groups
      return groups === undefined ? Either.left("is no row of five columns") : entry(groups)
    })
  }
  const opened = Either.isLeft(alone.entry) && Either.isRight(line.text)
    ? first.exec(line.text.right)?.groups
    : undefined
  return opened === undefined ? alone : closed(bytes, from, next, isAll, opened, alone)
}

/** A row that may go on in further lines. If none closes it, its first line is a broken row `alone`. */
const closed = (
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
    const groups = last.exec(line.text.right)?.groups
    if (groups !== undefined) {
      const read = entry({ ...groups, id: opened["id"], quoted: `${description}\n${groups["quoted"]}` })
      if (Either.isRight(read)) return { end: line.end, next: line.next, entry: read }
    }
    if (bareQuote.test(line.text.right)) return alone
    description += `\n${line.text.right}`
    at = line.next
  }
}

export const make = (): Reader => {
  /** What was read of the row that is not whole yet, and the offset at which it begins. */
  let rest: Uint8Array = new Uint8Array()
  let offset = 0
  let hasColumns = false
  let rows = 0
  const broken = (problem: string) => new MalformedInventory({ offset, problem })

  const read = (piece: Uint8Array, isAll: boolean): ReadonlyArray<Found> => {
    const all: Array<Found> = []
    const bytes = rest.length === 0 ? piece : concat(rest, piece)
    let from = 0
    for (;;) {
      const row = hasColumns ? rowAt(bytes, from, isAll) : lineAt(bytes, from, isAll)
      if ((row?.end ?? bytes.length) - from > maximumLength) return [...all, broken(tooLong)]
      if (row === undefined) break
      if ("entry" in row) {
        all.push(found(row.entry, ++rows, offset, bytes.subarray(from, row.end)))
      } else if (Either.getOrElse(row.text, () => "").replace(/\r$/, "").replaceAll("\"", "") === columns) {
        hasColumns = true
      } else {
        return [broken(`does not begin with the columns ${columns}`)]
      }
      offset += row.next - from
      from = row.next
    }
    // The memory of the bytes is not ours to keep.
    rest = bytes.slice(from)
    return all
  }

  return {
    write: (bytes) => read(bytes, false),
    end() {
      const all = read(new Uint8Array(), true)
      return hasColumns || all.length > 0 ? all : [broken("has no columns")]
    }
  }
}
