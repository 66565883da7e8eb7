/**
 * Joins pieces of bytes.
 *
 * @internal
 */

/** Returns the bytes of all pieces in new memory. */
export const join = (pieces: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> => {
  let length = 0
  for (const piece of pieces) length += piece.length
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const piece of pieces) {
    bytes.set(piece, offset)
    offset += piece.length
  }
  return bytes
}
