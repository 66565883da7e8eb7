/**
 * SHA-256 as a synchronous function, incremental and keyed (HMAC), for the tree hash and Signature Version 4.
 *
 * The default is plain JavaScript, which runs everywhere; `effect-glacier/node` replaces it with the much faster one of
 * Node.js. Parts are hashed by `Hasher` instead, which can use other threads.
 *
 * @since 0.1.0
 */
import { hmac } from "@noble/hashes/hmac"
import { sha256 } from "@noble/hashes/sha2"
import * as Context from "effect/Context"
import * as Encoding from "effect/Encoding"

/**
 * A running digest. `update` may be called any number of times with any number of bytes, `digest` once: 32 bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Digest {
  readonly update: (bytes: Uint8Array) => unknown
  readonly digest: () => Uint8Array
}

/**
 * Starts a running SHA-256, or with a key a running HMAC-SHA-256.
 *
 * @since 0.1.0
 * @category models
 */
export type Create = (key?: Uint8Array) => Digest

/**
 * The SHA-256 in use. The default is the portable one.
 *
 * @since 0.1.0
 * @category tags
 */
export class Sha256 extends Context.Reference<Sha256>()("effect-glacier/Sha256", {
  defaultValue: (): Create => (key) => key === undefined ? sha256.create() : hmac.create(sha256, key)
}) {}

/**
 * Computes the digest of bytes: 32 bytes.
 *
 * @since 0.1.0
 * @category hashing
 */
export const digest = (create: Create, ...bytes: ReadonlyArray<Uint8Array>): Uint8Array => {
  const running = create()
  for (const part of bytes) running.update(part)
  return running.digest()
}

/**
 * Computes the digest of bytes as 64 lower-case hex digits, the form of `x-amz-content-sha256`.
 *
 * @since 0.1.0
 * @category hashing
 */
export const hex = (create: Create, ...bytes: ReadonlyArray<Uint8Array>): string =>
  Encoding.encodeHex(digest(create, ...bytes))

type Data = string | ArrayBuffer | ArrayBufferView

const toBytes = (data: Data): Uint8Array => {
  if (typeof data === "string") return new TextEncoder().encode(data)
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/**
 * The form of a hash that signing libraries require: a class, whose hash is keyed when it gets a secret.
 *
 * @since 0.1.0
 * @category models
 */
export interface HashClass {
  new(secret?: Data): { readonly update: (data: Data) => void; readonly digest: () => Promise<Uint8Array> }
}

/**
 * Makes SHA-256 in the form that signing libraries require.
 *
 * @since 0.1.0
 * @category hashing
 */
export const hashClass = (create: Create): HashClass =>
  class {
    private readonly running: Digest
    constructor(secret?: Data) {
      this.running = create(secret === undefined ? undefined : toBytes(secret))
    }
    update(data: Data): void {
      this.running.update(toBytes(data))
    }
    digest(): Promise<Uint8Array> {
      return Promise.resolve(this.running.digest())
    }
  }
