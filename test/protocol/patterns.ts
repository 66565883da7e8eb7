/** The bytes that the test vectors are the hashes of. */
import fixture from "../fixtures/treehash-vectors.json" with { type: "json" }

const largest = Math.max(...fixture.vectors.map(({ size }) => size))
const filled = (byte: (index: number) => number): Uint8Array => {
  const bytes = new Uint8Array(largest)
  for (let i = 0; i < largest; i++) bytes[i] = byte(i)
  return bytes
}
const patterns = new Map([
  ["zero", filled(() => 0)],
  ["a", filled(() => 0x61)],
  ["ramp", filled((i) => i + (i >> 8) + 3 * (i >> 16) + 7 * (i >> 20))]
])
/** The bytes of a test vector. */
export const bytesOf = (pattern: string, end: number, start = 0): Uint8Array => {
  const bytes = patterns.get(pattern)
  if (bytes === undefined) throw new Error(`no pattern ${pattern}`)
  return bytes.subarray(start, end)
}
