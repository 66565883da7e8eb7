/** SHA-256 of Node.js for tests: the portable implementation of the package is slow for MiBs. */
import { createHash, createHmac } from "node:crypto"
import type * as Sha256 from "../../src/protocol/Sha256.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"

/** Starts a hash, or a keyed hash if there is a key. */
export const nativeSha256: Sha256.Create = (key) => key === undefined ? createHash("sha256") : createHmac("sha256", key)

/** The SHA-256 of bytes in hex. */
export const sha256Hex = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

/** The tree hash of bytes. */
export const treeHash = (bytes: Uint8Array): TreeHash.TreeHash => TreeHash.ofBytes(nativeSha256, bytes)
