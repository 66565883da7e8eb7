/**
 * Many 53-bit hashes in little memory: 8 bytes each, and a sixteenth more. For finding, among millions of texts, the few that
 * may occur twice.
 *
 * @internal
 */
import * as Arr from "effect/Array"

const bucketCount = 256

/** Returns the room for new hashes in a bucket of this size: little, because all buckets together have much of it. */
const roomFor = (length: number): number => Math.max(256, length >> 4)

interface Bucket {
  values: Float64Array
  length: number
}

/** A collection of hashes. */
export type Hashes = ReadonlyArray<Bucket>

export const make = (): Hashes =>
  Array.from({ length: bucketCount }, () => ({ values: new Float64Array(16), length: 0 }))

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

const sort = ({ length, values }: Bucket) => values.subarray(0, length).sort()

const removeRepeated = (bucket: Bucket) => {
  const sorted = sort(bucket)
  let length = 0
  for (const value of sorted) if (length === 0 || sorted[length - 1] !== value) sorted[length++] = value
  bucket.length = length
}

/** Makes room for a hash in a full bucket. */
const grow = (bucket: Bucket) => {
  const values = new Float64Array(bucket.length + roomFor(bucket.length))
  values.set(bucket.values)
  bucket.values = values
}

const bucketOf = (hashes: Hashes, value: number): Bucket => Arr.unsafeGet(hashes, value % bucketCount)

/** Adds a hash, also if it was added before. */
export const add = (hashes: Hashes, value: number): void => {
  const bucket = bucketOf(hashes, value)
  if (bucket.length === bucket.values.length) grow(bucket)
  bucket.values[bucket.length++] = value
}

/** Adds a hash to a collection of different hashes. */
export const addOnce = (hashes: Hashes, value: number): void => {
  const bucket = bucketOf(hashes, value)
  if (bucket.length === bucket.values.length) {
    removeRepeated(bucket)
    // Otherwise a bucket that is nearly full of different hashes would be sorted again and again.
    if (bucket.length + roomFor(bucket.length) > bucket.values.length) grow(bucket)
  }
  bucket.values[bucket.length++] = value
}

/** Returns the hashes that were added twice or are among the `others`. */
export function* repeated(hashes: Hashes, others: Hashes = []): Generator<number> {
  for (const [index, bucket] of hashes.entries()) {
    const other = others[index]
    const known = new Set(other?.values.subarray(0, other.length))
    const sorted = sort(bucket)
    for (let at = 0; at < sorted.length; at++) {
      const value = sorted[at]
      if (value === undefined || value === sorted[at - 1]) continue
      if (value === sorted[at + 1] || known.has(value)) yield value
    }
  }
}
