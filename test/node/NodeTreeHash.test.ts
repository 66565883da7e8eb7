import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as NodeTreeHash from "../../src/node/NodeTreeHash.ts"
import { mebibyte } from "../../src/protocol/Limits.ts"
import fixture from "../fixtures/treehash-vectors.json" with { type: "json" }
import { bytesOf } from "../protocol/patterns.ts"
import { expected } from "../transport/hashing.ts"

const folder = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())

/** Writes bytes to a new file, and returns its path. */
const writeToFile = Effect.fnUntraced(function*(bytes: Uint8Array) {
  const fs = yield* FileSystem.FileSystem
  const path = `${yield* folder}/file`
  yield* fs.writeFile(path, bytes)
  return path
})

/** Makes bytes in which each 4 KiB start with another number. */
const numbered = (size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  for (let offset = 0; offset + 4 <= size; offset += 4_096) view.setUint32(offset, offset)
  return bytes
}

describe("NodeTreeHash.ofFile", () => {
  it.scoped.each(fixture.vectors.filter(({ pattern }) => pattern === "ramp"))(
    "computes the published hash of $size_label of $pattern",
    ({ pattern, size, tree_hash }) =>
      Effect.gen(function*() {
        const file = yield* writeToFile(bytesOf(pattern, size))
        expect(yield* NodeTreeHash.ofFile(file)).toBe(tree_hash)
      }).pipe(Effect.provide(Layer.merge(NodeContext.layer, NodeHashing.layer)))
  )

  it.scoped.each([4 * mebibyte - 1, 4 * mebibyte, 4 * mebibyte + 1, 8 * mebibyte, 41 * mebibyte + 9])(
    "hashes a file of %d bytes, and reports its progress",
    (size) =>
      Effect.gen(function*() {
        const bytes = numbered(size)
        const file = yield* writeToFile(bytes)
        const reported: Array<number> = []
        const onProgress = (bytes: number) => Effect.sync(() => void reported.push(bytes))
        expect(yield* NodeTreeHash.ofFile(file, { onProgress })).toBe(expected(bytes).treeHash)
        expect(reported).toEqual(Array.from(reported).sort((a, b) => a - b))
        expect(reported).toHaveLength(Math.ceil(size / (4 * mebibyte)))
        expect(reported.at(-1)).toBe(size)
      }).pipe(Effect.provide(Layer.merge(NodeContext.layer, NodeHashing.layer)))
  )

  it.scoped("works with the portable Hasher", () =>
    Effect.gen(function*() {
      const bytes = numbered(9 * mebibyte + 3)
      expect(yield* NodeTreeHash.ofFile(yield* writeToFile(bytes))).toBe(expected(bytes).treeHash)
    }).pipe(Effect.provide(NodeContext.layer)))

  it.scoped("fails with the file system's error", () =>
    Effect.gen(function*() {
      const existing = yield* folder
      const missing = yield* Effect.flip(NodeTreeHash.ofFile(`${existing}/missing`))
      expect(missing).toMatchObject({ _tag: "SystemError", reason: "NotFound" })
      const directory = yield* Effect.flip(NodeTreeHash.ofFile(existing))
      expect(directory.message).toBe(`BadResource: FileSystem.open (${existing}): is a folder, not a file`)
    }).pipe(Effect.provide(Layer.merge(NodeContext.layer, NodeHashing.layer))))
})
