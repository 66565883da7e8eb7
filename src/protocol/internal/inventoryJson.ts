/**
 * Splits a JSON inventory into its entries. It tracks strings and brackets only to find the end of an entry; `JSON.parse`
 * decodes each entry, and the small document without its entries.
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { MalformedInventory } from "../GlacierError.ts"
import { issueOf } from "../InputCheck.ts"
import { Head } from "../Inventory.ts"
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
import { required } from "./wire.ts"

const quote = 0x22
const comma = 0x2c
const backslash = 0x5c
const openList = 0x5b
const closeList = 0x5d
const openObject = 0x7b
const closeObject = 0x7d

/** The maximum depth of brackets; an entry has one pair. */
const maximumDepth = 32

const notJson = () => "is not JSON"

const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

const parsed = Option.liftThrowable((json: string): unknown => JSON.parse(json))

const parse = (json: string) => Either.fromOption(parsed(json), notJson)

const read = (bytes: Uint8Array) => Either.flatMap(Either.flatMap(text(bytes), parse), decodeEntry)

/** The document without its entries. */
const Frame = Schema.Struct({ ...Head.fields, archives: required("ArchiveList", Schema.Tuple()) })

const decodeFrame = Schema.decodeUnknownEither(Frame)

const isBeforeList = (bytes: Uint8Array): boolean =>
  Either.match(text(bytes.subarray(-64).filter((byte) => byte < 0x80)), {
    onLeft: () => false,
    onRight: (before) => /[{,]\s*"ArchiveList"\s*:\s*$/.test(before)
  })

/** A reader that also returns the head: before the entries if it comes first, else at the end. */
export interface JsonReader extends Reader {
  readonly head: () => Either.Either<Head, MalformedInventory>
}

/** Where the bytes so far end. */
interface Scan {
  readonly place: "before" | "entries" | "behind"
  readonly depth: number
  readonly isString: boolean
  readonly isEscaped: boolean
}

interface State {
  scan: Scan
  /** The incomplete piece so far, and its offset. */
  rest: Uint8Array
  offset: number
  entries: number
  /** The document before its list. */
  before: string
  head: Either.Either<Head, MalformedInventory>
}

/** Takes the text before or after the entries. Once `closed`, the document without its entries must be valid JSON. */
const frame = (state: State, piece: Uint8Array, closed: string): Either.Either<string, string> =>
  Either.gen(function*() {
    const json = (state.before + (yield* text(piece))).replace(byteOrderMark, "")
    const value = yield* parse(json + closed)
    state.head = Either.mapBoth(decodeFrame(value), {
      onLeft: (error) => {
        const { path, rule } = issueOf(value, error)
        return new MalformedInventory({ offset: 0, problem: [...path, rule].join(" ") })
      },
      onRight: ({ inventoryDate, vaultArn }) => ({ vaultArn, inventoryDate })
    })
    return json
  })

const fail = (state: State, offset: number, problem: string): MalformedInventory => {
  const error = new MalformedInventory({ offset, problem })
  state.head = Either.orElse(state.head, () => Either.left(error))
  return error
}

/** Takes the next bytes of the document. Returns the entries that end in them, or an error. */
const write = (state: State, piece: Uint8Array): ReadonlyArray<Found> => {
  const all: Array<Found> = []
  const { offset: start, rest } = state
  const bytes = rest.length === 0 ? piece : concat(rest, piece)
  let from = 0
  // Only this loop sees each byte, so it uses local variables for speed.
  let { depth, isEscaped, isString, place } = state.scan
  for (let at = rest.length; at < bytes.length; at++) {
    if (isEscaped) {
      isEscaped = false
      continue
    }
    if (isString) { while (at < bytes.length && bytes[at] !== quote && bytes[at] !== backslash) at++ }
    const byte = bytes[at]
    if (isString) {
      isEscaped = byte === backslash
      isString = byte !== quote
    } else if (byte === quote) {
      isString = true
    } else if (byte === openObject || byte === openList) {
      if (++depth > maximumDepth) {
        return [...all, fail(state, start + from, `has more than ${maximumDepth} brackets within brackets`)]
      }
      if (place !== "before" || depth !== 2 || byte !== openList || !isBeforeList(bytes.subarray(from, at))) continue
      if (at - from > maximumLength) return [fail(state, start, tooLong)]
      const read = frame(state, bytes.subarray(from, at + 1), "]}")
      if (Either.isLeft(read)) return [fail(state, start, read.left)]
      state.before = read.right
      place = "entries"
      depth = 0
      from = at + 1
    } else if (byte === closeObject || byte === closeList || byte === comma) {
      if (place !== "entries" || depth > 0) {
        if (byte !== comma) depth--
        continue
      }
      while (from < at && isBlank(bytes[from])) from++
      if (at - from > maximumLength) return [...all, fail(state, start + from, tooLong)]
      if (byte === closeObject) return [...all, fail(state, start + from, "closes a list that it did not open")]
      if (byte === comma || state.entries > 0 || at > from) {
        const entry = bytes.subarray(from, at)
        all.push(found(read(entry), ++state.entries, start + from, entry))
      }
      if (byte === closeList) {
        place = "behind"
        depth = 1
        from = at
      } else {
        from = at + 1
      }
    }
  }
  state.scan = { place, depth, isString, isEscaped }
  state.offset = start + from
  // The caller may reuse the memory of the bytes.
  state.rest = bytes.slice(from)
  return state.rest.length > maximumLength ? [...all, fail(state, state.offset, tooLong)] : all
}

/** Ends the document. Returns the error if it has no head or is incomplete. */
const end = (state: State): ReadonlyArray<Found> => {
  const read = state.scan.place === "entries"
    ? Either.left("ends before its entries do")
    : frame(state, state.rest, "")
  if (Either.isLeft(read)) {
    state.head = Either.left(new MalformedInventory({ offset: state.offset, problem: read.left }))
  }
  return Either.isLeft(state.head) ? [state.head.left] : []
}

export const make = (): JsonReader => {
  const state: State = {
    scan: { place: "before", depth: 0, isString: false, isEscaped: false },
    rest: new Uint8Array(),
    offset: 0,
    entries: 0,
    before: "",
    head: Either.left(new MalformedInventory({ offset: 0, problem: "has no head" }))
  }
  return {
    write: (piece) => write(state, piece),
    end: () => end(state),
    head: () => state.head
  }
}
