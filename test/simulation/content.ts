/** What the archives hold: bytes that are cheap to make, of which no MiB is like another, nor that of another archive. */
import { createHash } from "node:crypto"
import { mebibyte } from "../../src/protocol/Limits.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"

/** No archive has more bytes. */
const largest = 4 * mebibyte

const block = Uint8Array.from({ length: mebibyte }, (_, i) => i * 31 + (i >> 8) + (i >> 16))

/** The names of archives end in numbers that no other has. */
const numberOf = (name: string): number => Number(name.replace(/\D/g, ""))

const contents = new Map<number, Uint8Array>()

const whole = (number: number): Uint8Array => {
  const bytes = new Uint8Array(largest)
  for (let start = 0; start < largest; start += mebibyte) {
    bytes.set(block, start)
    bytes.set([start / mebibyte, number], start)
  }
  return bytes
}

/** The bytes of an archive by its name: not to be written to. */
export const make = (name: string, size: number): Uint8Array => {
  const number = numberOf(name)
  const bytes = contents.get(number) ?? whole(number)
  contents.set(number, bytes)
  return bytes.subarray(0, size)
}

const leaves = new Map<string, Uint8Array>()

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest()

/** Their tree hash. Whole MiBs are hashed once in all simulations. */
export const treeHash = (name: string, bytes: Uint8Array): TreeHash.TreeHash =>
  TreeHash.ofLeaves(
    () => createHash("sha256"),
    Array.from({ length: Math.ceil(bytes.length / mebibyte) }, (_, index) => {
      const leaf = bytes.subarray(index * mebibyte, (index + 1) * mebibyte)
      if (leaf.length < mebibyte) return digest(leaf)
      const key = `${name} ${index}`
      const known = leaves.get(key) ?? digest(leaf)
      leaves.set(key, known)
      return known
    })
  )
