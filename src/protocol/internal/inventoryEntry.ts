/**
 * What the readers of both formats share: they take bytes cut anywhere, and give what has become whole.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { MalformedEntry, type MalformedInventory, show } from "../GlacierError.ts"
import { issueOf } from "../InputCheck.ts"
import { Entry } from "../Inventory.ts"

/** An entry, or what stands where one should. Nothing comes behind a `MalformedInventory`. */
export type Found = Entry | MalformedEntry | MalformedInventory

/** Reads one document. */
export interface Reader {
  readonly write: (bytes: Uint8Array) => ReadonlyArray<Found>
  /** To be called once, behind the last byte. */
  readonly end: () => ReadonlyArray<Found>
}

/**
 * The most bytes of an entry, and of what stands before and behind them all. A description of 1,024 characters, each
 * escaped, takes some 6,000.
 */
export const maximumLength = 65_536

export const tooLong = `goes on for more than ${maximumLength} bytes`

/** The byte order mark that Windows programs put before a text. */
export const byteOrderMark = /^\uFEFF/

/** A byte order mark within a document is a character like others. */
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const lossy = new TextDecoder("utf-8", { ignoreBOM: true })

const decodeText = Option.liftThrowable((bytes: Uint8Array) => strict.decode(bytes))

const notText = () => "is not UTF-8"

export const text = (bytes: Uint8Array): Either.Either<string, string> => Either.fromOption(decodeText(bytes), notText)

const decode = Schema.decodeUnknownEither(Entry)

export const decodeEntry = (value: unknown): Either.Either<Entry, string> =>
  Either.mapLeft(decode(value), (error) => {
    const issue = issueOf(value, error)
    return `${[...issue.path, issue.rule].join(" ")}, but is ${show(issue.value)}`
  })

/** The `entry`th, of these bytes, which begin at `offset`. */
export const found = (
  read: Either.Either<Entry, string>,
  entry: number,
  offset: number,
  bytes: Uint8Array
): Entry | MalformedEntry =>
  Either.getOrElse(read, (problem) => new MalformedEntry({ entry, offset, text: lossy.decode(bytes), problem }))

export const concat = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
