/**
 * The entries of a log as lines, `CHECKSUM "entry"`. The checksum goes over the line and the checksum before it: it
 * shows a line that was torn or changed, and one that is not where it was written.
 *
 * @internal
 */
import type * as PlatformError from "@effect/platform/Error"
import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import * as Sha256 from "../../protocol/Sha256.ts"

/** Where the lines of a log are kept. */
export interface Medium {
  /** The lines, each with where it ends: bytes of a file, or the number of lines. */
  readonly lines: Stream.Stream<{ readonly line: Uint8Array; readonly end: number }, PlatformError.PlatformError>
  /**
   * Writes a line where the last one ends, and gives where that ends. When it is not `settled`, something may be in its
   * place that has to go first.
   */
  readonly write: (
    line: string,
    end: number,
    settled: boolean
  ) => Effect.Effect<number, PlatformError.PlatformError>
  /** Makes the lines there are durable, where the medium can: whoever wrote them may have died before that. */
  readonly settle: Effect.Effect<void, PlatformError.PlatformError>
  readonly clear: Effect.Effect<void, PlatformError.PlatformError>
}

const utf8 = new TextEncoder()

const text = new TextDecoder()

/** 64 bits of it tell a damaged line as well as all would. */
const checksumLength = 16

const checksumOf = (sha256: Sha256.Create, before: string, bytes: Uint8Array): string =>
  Sha256.hex(sha256, utf8.encode(before), bytes).slice(0, checksumLength)

const decodeEntry = Schema.decodeOption(Schema.parseJson(Schema.String))

/** The line of an entry that follows the one with that checksum (the first follows ""). */
export const encode = (sha256: Sha256.Create, before: string, entry: string) => {
  // JSON has no line ends, and escapes what UTF-8 cannot say.
  const json = JSON.stringify(entry)
  const checksum = checksumOf(sha256, before, utf8.encode(json))
  return { checksum, line: `${checksum} ${json}` }
}

/** The entry of a line, if it is whole and follows the one with that checksum. */
export const decode = (sha256: Sha256.Create, before: string, line: Uint8Array) => {
  const json = line.subarray(checksumLength + 1)
  const checksum = checksumOf(sha256, before, json)
  return text.decode(line.subarray(0, checksumLength + 1)) === `${checksum} `
    ? Option.map(decodeEntry(text.decode(json)), (entry) => ({ checksum, entry }))
    : Option.none()
}
