/**
 * Many texts in little memory: their bytes in UTF-8, which the garbage collector does not look at.
 *
 * @since 0.1.0
 */

/**
 * A collection of texts. A text is found by its position.
 *
 * @since 0.1.0
 * @category models
 */
export interface Texts {
  /** Adds a text, and returns its position. */
  readonly add: (text: string) => number
  readonly at: (position: number) => string
}

const pieceSize = 1_048_576

/** The number of bytes before each text, which have its length. */
const headSize = 4

/**
 * Makes an empty collection.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): Texts => {
  const encoder = new TextEncoder()
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  const pieces: Array<DataView> = []
  let end = pieceSize
  const pieceFor = (size: number): DataView => {
    const last = pieces.at(-1)
    if (last !== undefined && end + size <= pieceSize) return last
    // A text that is larger than a piece has one of its own.
    const piece = new DataView(new ArrayBuffer(Math.max(pieceSize, size)))
    pieces.push(piece)
    end = 0
    return piece
  }
  return {
    add: (text) => {
      const bytes = encoder.encode(text)
      const piece = pieceFor(headSize + bytes.length)
      const position = (pieces.length - 1) * pieceSize + end
      piece.setUint32(end, bytes.length)
      new Uint8Array(piece.buffer).set(bytes, end + headSize)
      end += headSize + bytes.length
      return position
    },
    at: (position) => {
      const piece = pieces[Math.floor(position / pieceSize)]
      if (piece === undefined) return ""
      const start = position % pieceSize
      return decoder.decode(new Uint8Array(piece.buffer, start + headSize, piece.getUint32(start)))
    }
  }
}
