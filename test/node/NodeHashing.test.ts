import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { createHash, createHmac } from "node:crypto"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as Sha256 from "../../src/protocol/Sha256.ts"
import * as Hasher from "../../src/transport/Hasher.ts"
import { expected, inputs, mebibyte } from "../transport/hashing.ts"

const hasher = Effect.provide(Hasher.Hasher, NodeHashing.layer)
const sha256 = Effect.provide(Sha256.Sha256, NodeHashing.layer)

describe("NodeHashing", () => {
  it.effect.each(inputs)("hashes $size bytes of $kind", ({ bytes }) =>
    Effect.gen(function*() {
      const { hashes, treeHash } = yield* hasher
      expect(yield* hashes(bytes)).toEqual(expected(bytes))
      expect(yield* treeHash(bytes)).toBe(expected(bytes).treeHash)
    }))

  it.effect("is not the portable one", () =>
    Effect.gen(function*() {
      expect(yield* hasher).not.toBe(yield* Hasher.Hasher)
      expect(yield* sha256).not.toBe(yield* Sha256.Sha256)
    }))

  it.effect("gives the digests and keyed digests of the portable Sha256", () =>
    Effect.gen(function*() {
      const [native, portable] = [yield* sha256, yield* Sha256.Sha256]
      const text = new TextEncoder().encode("Welcome to Amazon Glacier.")
      for (const key of [undefined, new Uint8Array(), new Uint8Array(32).fill(7), new Uint8Array(100).fill(7)]) {
        const hex = Sha256.hex(() => native(key), text, text)
        expect(hex).toBe(Sha256.hex(() => portable(key), text, text))
        const plain = key === undefined ? createHash("sha256") : createHmac("sha256", key)
        expect(hex).toBe(plain.update(text).update(text).digest("hex"))
      }
    }))

  it.effect("lets others run while it hashes", () =>
    Effect.gen(function*() {
      const { treeHash } = yield* hasher
      const hashing = yield* Effect.fork(treeHash(new Uint8Array(8 * mebibyte)))
      let turns = 0
      while (Option.isNone(yield* Fiber.poll(hashing))) {
        turns++
        yield* Effect.yieldNow()
      }
      expect(turns).toBeGreaterThan(3)
    }))
})
