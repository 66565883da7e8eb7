/** The work that the SDK leaves to its users: the tree hash of bytes, and of parts whose tree hashes are known. */
import { createHash } from "node:crypto"

const mebibyte = 1_048_576

const sha256 = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const hash = createHash("sha256")
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export const combine = (hashes: ReadonlyArray<Uint8Array>): string => {
  let nodes = hashes
  while (nodes.length > 1) {
    const above: Array<Uint8Array> = []
    for (let i = 0; i < nodes.length; i += 2) {
      const pair = nodes.slice(i, i + 2)
      above.push(pair.length === 2 ? sha256(...pair) : nodes[i]!)
    }
    nodes = above
  }
  return Buffer.from(nodes[0]!).toString("hex")
}

export const treeHash = (bytes: Uint8Array): string => {
  const leaves: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length; at += mebibyte) leaves.push(sha256(bytes.subarray(at, at + mebibyte)))
  return combine(leaves)
}

/** Makes the tree hash of bytes that come in pieces of any size. Copies none of them. */
export const builder = () => {
  const leaves: Array<Uint8Array> = []
  let leaf = createHash("sha256")
  let filled = 0
  const close = () => {
    leaves.push(leaf.digest())
    leaf = createHash("sha256")
    filled = 0
  }
  return {
    update(piece: Uint8Array) {
      for (let at = 0; at < piece.length;) {
        const slice = piece.subarray(at, at + mebibyte - filled)
        leaf.update(slice)
        at += slice.length
        filled += slice.length
        if (filled === mebibyte) close()
      }
    },
    digest() {
      if (filled > 0) close()
      return combine(leaves)
    }
  }
}
