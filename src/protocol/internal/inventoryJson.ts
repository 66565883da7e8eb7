/**
 * Cuts an inventory in JSON into its entries. It follows strings and brackets no further than is needed to see where an
 * entry ends, and leaves each to `JSON.parse`: so too the document without its entries, which is small.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { issueOf } from "../Check.ts"
import { MalformedInventory } from "../GlacierError.ts"
import { Head } from "../Inventory.ts"
import { concat, decodeEntry, type Found, found, maximumLength, type Reader, text, tooLong } from "./inventoryEntry.ts"
import { required } from "./wire.ts"

const quote = 0x22
const comma = 0x2c
const opening = { list: 0x5b, object: 0x7b }
const backslash = 0x5c
const closing = { list: 0x5d, object: 0x7d }

/** Brackets within brackets; an entry has one pair. */
const maximumDepth = 32

const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

const parse = (json: string): Either.Either<unknown, string> =>
  Either.try({ try: (): unknown => JSON.parse(json), catch: () => "is not JSON" })

const read = (bytes: Uint8Array) => Either.flatMap(Either.flatMap(text(bytes), parse), decodeEntry)

/** The document without its entries. */
const Frame = Schema.Struct({ ...Head.fields, archives: required("ArchiveList", Schema.Tuple()) })

const decodeFrame = Schema.decodeUnknownEither(Frame)

const isBeforeList = (bytes: Uint8Array): boolean =>
  Either.match(text(bytes.subarray(-64).filter((byte) => byte < 0x80)), {
    onLeft: () => false,
    onRight: (before) => /[{,]\s*"ArchiveList"\s*:\s*$/.test(before)
  })

/** A reader that also tells the head: before the entries if it stands there, else at the end. */
export interface JsonReader extends Reader {
  readonly head: () => Either.Either<Head, MalformedInventory>
}

export const make = (): JsonReader => {
  let place: "before" | "entries" | "behind" = "before"
  /** What was read of the piece that is not whole yet, and the offset at which it begins. */
  let rest: Uint8Array = new Uint8Array()
  let offset = 0
  let depth = 0
  let isString = false
  let isEscaped = false
  let entries = 0
  /** The document up to its list. */
  let before = ""
  const malformed = (problem: string) => new MalformedInventory({ offset, problem })
  let head: Either.Either<Head, MalformedInventory> = Either.left(malformed("has no head"))

  /** Takes the text before or behind the entries; by then the document without them must be JSON, once it is `closed`. */
  const frame = (piece: Uint8Array, closed: string): Either.Either<string, string> =>
    Either.gen(function*() {
      const json = before + (yield* text(piece))
      const value = yield* parse(json + closed)
      head = Either.mapBoth(decodeFrame(value), {
        onLeft: (error) => {
          const { path, rule } = issueOf(value, error)
          return new MalformedInventory({ offset: 0, problem: [...path, rule].join(" ") })
        },
        onRight: ({ inventoryDate, vaultArn }) => ({ vaultArn, inventoryDate })
      })
      return json
    })

  const write = (piece: Uint8Array): ReadonlyArray<Found> => {
    const all: Array<Found> = []
    const fail = (problem: string) => {
      const error = malformed(problem)
      head = Either.orElse(head, () => Either.left(error))
      return [...all, error]
    }
    const bytes = rest.length === 0 ? piece : concat(rest, piece)
    let from = 0
    const begin = (at: number) => {
      offset += at - from
      from = at
    }
    for (let at = rest.length; at < bytes.length; at++) {
      const byte = bytes[at]
      if (isString) {
        if (isEscaped) isEscaped = false
        else if (byte === backslash) isEscaped = true
        else if (byte === quote) isString = false
        continue
      }
      if (byte === quote) {
        isString = true
      } else if (byte === opening.object || byte === opening.list) {
        if (++depth > maximumDepth) return fail(`has more than ${maximumDepth} brackets within brackets`)
        if (byte !== opening.list || depth !== 2 || place !== "before" || !isBeforeList(bytes.subarray(from, at))) continue
        if (at - from > maximumLength) return fail(tooLong)
        const read = frame(bytes.subarray(from, at + 1), "]}")
        if (Either.isLeft(read)) return fail(read.left)
        before = read.right
        place = "entries"
        depth = 0
        begin(at + 1)
      } else if (place === "entries" && depth === 0 && (byte === comma || byte === closing.list || byte === closing.object)) {
        while (from < at && isBlank(bytes[from])) begin(from + 1)
        if (at - from > maximumLength) return fail(tooLong)
        if (byte === closing.object) return fail("closes a list that it did not open")
        if (byte === comma || entries > 0 || at > from) {
          const entry = bytes.subarray(from, at)
          all.push(found(read(entry), ++entries, offset, entry))
        }
        if (byte === closing.list) {
          place = "behind"
          depth = 1
          begin(at)
        } else begin(at + 1)
      } else if (byte === closing.object || byte === closing.list) {
        depth--
      }
    }
    // The memory of the bytes is not ours to keep.
    rest = bytes.slice(from)
    return rest.length > maximumLength ? fail(tooLong) : all
  }

  return {
    write,
    end() {
      const read = place === "entries" ? Either.left("ends before its entries do") : frame(rest, "")
      if (Either.isLeft(read)) head = Either.left(malformed(read.left))
      return Either.isLeft(head) ? [head.left] : []
    },
    head: () => head
  }
}
