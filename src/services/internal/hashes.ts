/**
 * Many 53-bit hashes in little memory: 8 bytes each. For finding, among millions of texts, the few that may occur twice.
 *
 * @internal
 */
import * as Arr from "effect/Array"

const bucketCount = 256

/** The number of hashes in a piece of a bucket. Pieces are never copied to larger ones, which would leave garbage. */
const pieceSize = 1_024

/** The hashes with the same lowest 8 bits. */
interface Bucket {
  readonly pieces: Array<Float64Array>
  length: number
  /** The length at which repetitions are removed, if each hash is kept once. */
  limit: number
}

/** A collection of hashes. */
export type Hashes = ReadonlyArray<Bucket>

export const make = (): Hashes =>
  Array.from({ length: bucketCount }, () => ({ pieces: [], length: 0, limit: pieceSize }))

/** Returns a number of 53 bits for a text. Equal texts have equal numbers; different texts almost never do. */
export const hash = (text: string): number => {
  let [low, high] = [0x243f6a88 ^ text.length, 0x13198a2e]
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    low = Math.imul(low ^ unit, 0x9e3779b1)
    high = Math.imul(high ^ unit, 0x5f356495)
    low ^= high >>> 15
  }
  low = Math.imul(low ^ low >>> 16, 0x85ebca6b)
  high = Math.imul(high ^ high >>> 13, 0xc2b2ae35) ^ low
  return (high >>> 11) * 2 ** 32 + ((low ^ low >>> 15) >>> 0)
}

const push = (bucket: Bucket, value: number) => {
  const { length, pieces } = bucket
  const piece = Math.floor(length / pieceSize)
  if (piece === pieces.length) pieces.push(new Float64Array(pieceSize))
  Arr.unsafeGet(pieces, piece)[length % pieceSize] = value
  bucket.length = length + 1
}

const sort = ({ length, pieces }: Bucket): Float64Array => {
  const all = new Float64Array(pieces.length * pieceSize)
  pieces.forEach((piece, index) => all.set(piece, index * pieceSize))
  return all.subarray(0, length).sort()
}

const removeRepeated = (bucket: Bucket) => {
  const sorted = sort(bucket)
  bucket.length = 0
  sorted.forEach((value, index) => {
    if (index === 0 || value !== sorted[index - 1]) push(bucket, value)
  })
}

const bucketOf = (hashes: Hashes, value: number): Bucket => Arr.unsafeGet(hashes, value % bucketCount)

/** Adds a hash, also if it was added before. */
export const add = (hashes: Hashes, value: number): void => push(bucketOf(hashes, value), value)

/** Adds a hash to a collection that keeps each hash about once. */
export const addOnce = (hashes: Hashes, value: number): void => {
  const bucket = bucketOf(hashes, value)
  push(bucket, value)
  if (bucket.length < bucket.limit) return
  removeRepeated(bucket)
  bucket.limit = Math.max(pieceSize, Math.ceil(bucket.length * 1.25))
}

/** Returns the hashes that were added twice or are among the `others`. */
export function* repeated(hashes: Hashes, others: Hashes = []): Generator<number> {
  for (const [index, bucket] of hashes.entries()) {
    const other = others[index]
    const known = new Set(other === undefined ? [] : sort(other))
    const sorted = sort(bucket)
    for (let at = 0; at < sorted.length; at++) {
      const value = sorted[at]
      if (value === undefined || value === sorted[at - 1]) continue
      if (value === sorted[at + 1] || known.has(value)) yield value
    }
  }
}
