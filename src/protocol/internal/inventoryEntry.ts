/**
 * The common parts of the readers of both formats. A reader takes pieces of any size, and returns the complete entries.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { MalformedEntry, type MalformedInventory, show } from "../GlacierError.ts"
import { issueOf } from "../InputCheck.ts"
import { Entry } from "../Inventory.ts"
import type { ArchiveId } from "../Names.ts"
import type { TreeHash } from "../TreeHash.ts"

/** An entry, or an error in its place. A `MalformedInventory` is always the last. */
export type Found = Entry | MalformedEntry | MalformedInventory

/** Reads one document. */
export interface Reader {
  readonly write: (bytes: Uint8Array) => ReadonlyArray<Found>
  /** Ends the document. Call it once, after the last byte. */
  readonly end: () => ReadonlyArray<Found>
}

/**
 * The maximum bytes of an entry, and of the text before and after all entries. A description of 1,024 escaped characters takes
 * about 6,000.
 */
export const maximumLength = 65_536

export const tooLong = `is longer than ${maximumLength} bytes`

/** The byte order mark that Windows programs write at the start of a text. */
export const byteOrderMark = /^\uFEFF/

/** Keeps a byte order mark within a document: there it is an ordinary character. */
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const lossy = new TextDecoder("utf-8", { ignoreBOM: true })

const decodeText = Option.liftThrowable((bytes: Uint8Array) => strict.decode(bytes))

const notText = () => "is not UTF-8"

export const text = (bytes: Uint8Array): Either.Either<string, string> => Either.fromOption(decodeText(bytes), notText)

const isUsualId = (value: unknown): value is ArchiveId => Predicate.isString(value) && /^[\w-]{138}$/.test(value)

const isUsualHash = (value: unknown): value is TreeHash => Predicate.isString(value) && /^[0-9a-f]{64}$/.test(value)

const isUsualSize = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

/** Decodes an entry of the usual form, faster than the schema does. Returns undefined for all others, valid or not. */
const decodeUsual = (value: unknown): Entry | undefined => {
  if (!Predicate.isRecord(value)) return undefined
  const { ArchiveDescription, ArchiveId: archiveId, CreationDate: date, SHA256TreeHash: treeHash, Size: size } = value
  const description = ArchiveDescription ?? ""
  if (!isUsualId(archiveId) || !isUsualHash(treeHash) || !isUsualSize(size) || !Predicate.isString(description)) {
    return undefined
  }
  if (!Predicate.isString(date) || !date.endsWith("Z")) return undefined
  const time = Date.parse(date)
  if (Number.isNaN(time)) return undefined
  return { archiveId, description, creationDate: DateTime.unsafeMake(time), size, treeHash }
}

const decodeAny = Schema.decodeUnknownEither(Entry)

export const decodeEntry = (value: unknown): Either.Either<Entry, string> => {
  const usual = decodeUsual(value)
  return usual !== undefined ? Either.right(usual) : Either.mapLeft(decodeAny(value), (error) => {
    const issue = issueOf(value, error)
    return `${[...issue.path, issue.rule].join(" ")}, but is ${show(issue.value)}`
  })
}

/** Decodes the bytes of an entry, which start at `offset`. */
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
