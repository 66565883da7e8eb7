/**
 * Converts a document in UTF-16 to UTF-8. The service writes UTF-8, but PowerShell and other Windows programs save text in
 * UTF-16 with a byte order mark. Offsets count the bytes of the text in UTF-8.
 *
 * @internal
 */
import * as Option from "effect/Option"
import { MalformedInventory } from "../GlacierError.ts"
import { concat, type Reader } from "./inventoryEntry.ts"

const encoder = new TextEncoder()

const decode = Option.liftThrowable((decoder: TextDecoder, bytes: Uint8Array, isLast: boolean) =>
  encoder.encode(decoder.decode(bytes, { stream: !isLast }))
)

/** Detects the encoding by the first two bytes of a document. */
const encodingOf = ([first, second]: Uint8Array): "utf-16le" | "utf-16be" | undefined =>
  first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : undefined

/** Makes a reader of UTF-8 and UTF-16 from a reader of UTF-8. */
export const make = (reader: Reader): Reader => {
  /** The first byte, until the second arrives. */
  let first: Uint8Array | undefined = new Uint8Array()
  let decoder: TextDecoder | undefined

  const pass = (bytes: Uint8Array, isLast: boolean) =>
    decoder === undefined ? reader.write(bytes) : Option.match(decode(decoder, bytes, isLast), {
      onNone: () => [new MalformedInventory({ offset: 0, problem: `is not ${decoder?.encoding}` })],
      onSome: reader.write
    })

  return {
    write(bytes) {
      if (first === undefined) return pass(bytes, false)
      const start = concat(first, bytes)
      first = start.length < 2 ? start : undefined
      if (first !== undefined) return []
      const encoding = encodingOf(start)
      decoder = encoding === undefined ? undefined : new TextDecoder(encoding, { fatal: true })
      return pass(start, false)
    },
    end: () => [...pass(first ?? new Uint8Array(), true), ...reader.end()]
  }
}
