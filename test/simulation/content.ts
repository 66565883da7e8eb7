/** The bytes of the archives: cheap to make, and each MiB differs from all others and from those of other archives. */
import { mebibyte } from "../../src/protocol/Limits.ts"
import * as Sha256 from "../../src/protocol/Sha256.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"
import { nativeSha256 } from "../support/hashes.ts"

/** The largest archive, in bytes. */
const largest = 4 * mebibyte

const block = Uint8Array.from({ length: mebibyte }, (_, i) => i * 31 + (i >> 8) + (i >> 16))

/** The number in an archive's name, which no other archive has. It is below 256. */
const numberOf = (name: string): number => Number(name.replace(/\D/g, ""))

const contents = new Map<number, Uint8Array>()

const whole = (number: number): Uint8Array => {
  const bytes = new Uint8Array(largest)
  for (let start = 0; start < largest; start += mebibyte) {
    bytes.set(block, start)
    // The number comes first, so that two archives differ even if they are 1 byte long.
    bytes.set([number, start / mebibyte], start)
  }
  return bytes
}

/** The bytes of the archive with this name. They must not be written to. */
export const make = (name: string, size: number): Uint8Array => {
  const number = numberOf(name)
  const bytes = contents.get(number) ?? whole(number)
  contents.set(number, bytes)
  return bytes.subarray(0, size)
}

const leaves = new Map<string, Uint8Array>()

const digest = (bytes: Uint8Array) => Sha256.digest(nativeSha256, bytes)

/** The SHA-256 of each MiB. Whole MiBs are hashed once in all simulations. */
const leavesOf = (name: string, bytes: Uint8Array): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(bytes.length / mebibyte) }, (_, index) => {
    const leaf = bytes.subarray(index * mebibyte, (index + 1) * mebibyte)
    if (leaf.length < mebibyte) return digest(leaf)
    const key = `${name} ${index}`
    const known = leaves.get(key) ?? digest(leaf)
    leaves.set(key, known)
    return known
  })

/** The tree hashes by which the simulation recognizes an archive. */
export interface Hashes {
  readonly whole: TreeHash.TreeHash
  /** The tree hash of each part of 1 MiB. */
  readonly parts: ReadonlyArray<string>
}

/** Hashes the bytes of the archive with this name. */
export const hashes = (name: string, bytes: Uint8Array): Hashes => {
  const leaves = leavesOf(name, bytes)
  return {
    whole: TreeHash.ofLeaves(nativeSha256, leaves),
    parts: leaves.map((leaf) => Buffer.from(leaf).toString("hex"))
  }
}

/** Hashes any bytes. */
export const hashOf = (bytes: Uint8Array): TreeHash.TreeHash => TreeHash.ofBytes(nativeSha256, bytes)
