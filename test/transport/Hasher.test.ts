import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Sha256 from "../../src/protocol/Sha256.ts"
import * as Hasher from "../../src/transport/Hasher.ts"
import { nativeSha256 } from "../support/hashes.ts"
import { expected, inputs, mebibyte } from "./hashing.ts"

describe("Hasher", () => {
  it.effect.each(inputs)("hashes $size bytes of $kind", ({ bytes }) =>
    Effect.gen(function*() {
      const hasher = yield* Hasher.Hasher
      expect(yield* hasher.hashes(bytes)).toEqual(expected(bytes))
      expect(yield* hasher.treeHash(bytes)).toBe(expected(bytes).treeHash)
    }))

  it.scoped("allocates separate memory each time", () =>
    Effect.gen(function*() {
      const { allocate } = yield* Hasher.Hasher
      const [first, second] = [yield* allocate(mebibyte + 5), yield* allocate(mebibyte + 5)]
      expect(first).toHaveLength(mebibyte + 5)
      expect(first.buffer).toBeInstanceOf(ArrayBuffer)
      expect(first.buffer).not.toBe(second.buffer)
    }))

  it.effect("hashes the inner nodes of the tree with the Sha256 in use", () =>
    Effect.gen(function*() {
      let nodes = 0
      const counting: Sha256.Create = () => {
        nodes++
        return nativeSha256()
      }
      const hasher = yield* Hasher.Hasher
      yield* Effect.provideService(hasher.treeHash(new Uint8Array(4 * mebibyte)), Sha256.Sha256, counting)
      expect(nodes).toBe(3)
    }))
})
