/**
 * The entries of a log as lines, `CHECKSUM "entry"`. The checksum covers the line and the checksum before it, so it shows
 * a line that was torn, changed or moved.
 *
 * This format has a chain of checksums because the entries of a log cannot be verified in any other way. The window log of
 * a download (`partialFile.ts`) needs none: its entries are verified with the bytes of the file.
 *
 * @internal
 */
import type * as PlatformError from "@effect/platform/Error"
import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Sha256 from "../../protocol/Sha256.ts"

/** A place where the lines of a log are stored. */
export interface Medium {
  /** The lines, each with the position where it ends: a byte of a file, or a number of lines. */
  readonly lines: Stream.Stream<{ readonly line: Uint8Array; readonly end: number }, PlatformError.PlatformError>
  /**
   * Writes lines at the position `end` and returns the position where they end. Unless the tail `isClean`, first removes
   * whatever follows `end`.
   */
  readonly write: (
    lines: ReadonlyArray<string>,
    end: number,
    isClean: boolean
  ) => Effect.Effect<number, PlatformError.PlatformError>
  /** Makes the lines durable, where the medium can: the process that wrote them may have died before it did so. */
  readonly sync: Effect.Effect<void, PlatformError.PlatformError>
  readonly clear: Effect.Effect<void, PlatformError.PlatformError>
}

const utf8 = new TextEncoder()

const text = new TextDecoder()

/** 16 hexadecimal digits (64 bits) detect a damaged line as reliably as all 64 digits. */
const checksumLength = 16

const checksumOf = (sha256: Sha256.Create, before: string, bytes: Uint8Array): string =>
  Sha256.hex(sha256, utf8.encode(before), bytes).slice(0, checksumLength)

const decodeEntry = Schema.decodeOption(Schema.parseJson(Schema.String))

/** Returns the line of an entry. `before` is the checksum of the line before it, "" for the first line. */
export const encode = (sha256: Sha256.Create, before: string, entry: string) => {
  // JSON contains no line ends, and escapes lone surrogates, which UTF-8 cannot encode.
  const json = JSON.stringify(entry)
  const checksum = checksumOf(sha256, before, utf8.encode(json))
  return { checksum, line: `${checksum} ${json}` }
}

/** Returns the entry of a line, if the line is undamaged and follows the line with the checksum `before`. */
const decode = (sha256: Sha256.Create, before: string, line: Uint8Array) => {
  const json = line.subarray(checksumLength + 1)
  const checksum = checksumOf(sha256, before, json)
  return text.decode(line.subarray(0, checksumLength + 1)) === `${checksum} `
    ? Option.map(decodeEntry(text.decode(json)), (entry) => ({ checksum, entry }))
    : Option.none()
}

/** Returns the entries in lines, each with its checksum and its end. The lines after a damaged one are not used. */
export const read = (sha256: Sha256.Create, lines: Medium["lines"]) =>
  Stream.suspend(() => {
    let checksum = Option.some("")
    return Stream.filterMap(lines, ({ end, line }) => {
      const record = Option.flatMap(checksum, (before) => decode(sha256, before, line))
      checksum = Option.map(record, ({ checksum }) => checksum)
      return Option.map(record, (record) => ({ ...record, end }))
    })
  })
