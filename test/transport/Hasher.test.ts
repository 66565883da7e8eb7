import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
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

describe("Hasher.copyInto", () => {
  const size = 200_000
  const small = FastCheck.nat({ max: 20 })

  it.prop(
    "copies the bytes to their position, from any alignment into memory of any kind, and changes no others",
    [FastCheck.nat({ max: 150_000 }), small, small, small, FastCheck.boolean()],
    ([length, from, start, at, isShared]) => {
      const source = new Uint8Array(length + from).map((_, index) => index % 251 + 1).subarray(from)
      const memory = new Uint8Array(isShared ? new SharedArrayBuffer(size) : new ArrayBuffer(size), start)
      const expected = new Uint8Array(memory.length)
      expected.set(source, at)
      Hasher.copyInto(memory, at, source)
      expect(Buffer.compare(memory, expected)).toBe(0)
    }
  )
})
