/** Bytes to hash, and their hashes computed by `node:crypto`. */
import { sha256Hex, treeHash } from "../support/hashes.ts"

export const mebibyte = 1_048_576

/** Bytes in each kind of memory, surrounded by other bytes. */
export const inputs = [0, 1, 63, 64, mebibyte - 1, mebibyte, mebibyte + 1, 2 * mebibyte, 3 * mebibyte + 5, 5 * mebibyte]
  .flatMap((size) => {
    const fill = (view: Uint8Array) => {
      for (let index = 0; index < view.length; index++) view[index] = (index * 31 + (index >> 11)) & 0xff
      return view.subarray(7, 7 + size)
    }
    return [
      { size, kind: "a buffer of its own", bytes: fill(new Uint8Array(size + 7)).slice() },
      { size, kind: "a part of a buffer", bytes: fill(new Uint8Array(size + 20)) },
      { size, kind: "shared memory", bytes: fill(new Uint8Array(new SharedArrayBuffer(size + 20))) },
      { size, kind: "a Buffer", bytes: fill(Buffer.alloc(size + 20)) },
      { size, kind: "a Buffer of shared memory", bytes: fill(Buffer.from(new SharedArrayBuffer(size + 20))) }
    ]
  })

export const expected = (bytes: Uint8Array) => ({
  contentSha256: sha256Hex(bytes),
  treeHash: treeHash(bytes)
})
