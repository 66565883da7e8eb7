/** Downloads to files: what is written, and when. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { BrokenOutput } from "../../src/protocol/GlacierError.ts"
import * as Download from "../../src/transfer/Download.ts"
import * as Support from "./support.ts"

const { flipped, mebibyte, pattern, provided, retrieved, same, tampering, treeHash, withoutHashes } = Support

const windowSize = mebibyte

const bytes = pattern(Support.outputSize)

describe("Download.toFile", () => {
  /** A temporary folder, the names in it, and the path of a file in it. */
  const folder = Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    return { fs, directory, path: `${directory}/holiday.tar`, names: fs.readDirectory(directory) }
  })

  const older = new TextEncoder().encode("the holiday before")

  const inFolder = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    provided(effect).pipe(Effect.provide(NodeFileSystem.layer))

  it.scoped.each([1, mebibyte, bytes.length])(
    "writes %d bytes, and leaves no other file",
    (size) =>
      inFolder(Effect.gen(function*() {
        const { fs, names, path } = yield* folder
        yield* fs.writeFile(path, older)
        const output = yield* retrieved(pattern(size))
        yield* Download.toFile(output, path, { windowSize, concurrency: 3 })
        expect(same(yield* fs.readFile(path), pattern(size))).toBe(true)
        expect(yield* names).toEqual(["holiday.tar"])
      }))
  )

  it.scoped("writes to a partial file beside the target until it is complete", () =>
    inFolder(Effect.gen(function*() {
      const { fs, names, path } = yield* folder
      yield* fs.writeFile(path, older)
      const seen: Array<ReadonlyArray<string>> = []
      const output = yield* retrieved(bytes)
      yield* Download.toFile(output, path, {
        windowSize,
        onProgress: () =>
          Effect.orDie(Effect.provide(
            Effect.gen(function*() {
              seen.push((yield* names).sort())
              expect(same(yield* fs.readFile(path), older)).toBe(true)
            }),
            NodeFileSystem.layer
          ))
      })
      expect(seen).toEqual(
        Array.from({ length: 5 }, () => [
          "holiday.tar",
          expect.stringMatching(/^holiday\.tar\.[0-9a-f]{16}\.checkpoint$/),
          expect.stringMatching(/^holiday\.tar\.[0-9a-f]{16}\.partial$/)
        ])
      )
    })))

  it.scoped("verifies windows without a tree hash with the whole, before it renames the file", () =>
    inFolder(Effect.gen(function*() {
      const { fs, path } = yield* folder
      yield* fs.writeFile(path, older)
      const output = yield* retrieved(bytes)
      const download = withoutHashes(Download.toFile(output, path, { windowSize }))
      const tampered = tampering(2 * mebibyte, Number.POSITIVE_INFINITY, flipped)
      expect(yield* Effect.flip(tampered.with(download))).toMatchObject({
        _tag: "BrokenOutput",
        start: 0,
        end: bytes.length - 1
      })
      expect(same(yield* fs.readFile(path), older)).toBe(true)
      expect((yield* download).verification).toBe("root")
      expect(same(yield* fs.readFile(path), bytes)).toBe(true)
    })))

  it.scoped("keeps the older file when a window stays damaged", () =>
    inFolder(Effect.gen(function*() {
      const { fs, names, path } = yield* folder
      yield* fs.writeFile(path, older)
      const output = yield* retrieved(bytes)
      const tampered = tampering(2 * mebibyte, Number.POSITIVE_INFINITY, flipped)
      const error = yield* Effect.flip(Download.toFile(output, path, { windowSize }).pipe(tampered.with))
      expect(error).toBeInstanceOf(BrokenOutput)
      expect(same(yield* fs.readFile(path), older)).toBe(true)
      expect(yield* names).toEqual(["holiday.tar"])
    })))

  it.scoped.each<NonNullable<Download.FileOptions["onFailure"]>>(["discard", "keep"])(
    "keeps only the older file when the whole has a wrong tree hash, with onFailure %s",
    (onFailure) =>
      inFolder(Effect.gen(function*() {
        const { fs, names, path } = yield* folder
        yield* fs.writeFile(path, older)
        const output = { ...(yield* retrieved(bytes)), treeHash: Option.some(treeHash(pattern(1))) }
        const error = yield* Effect.flip(Download.toFile(output, path, { windowSize, onFailure }))
        expect(error).toMatchObject({ _tag: "BrokenOutput", start: 0, end: bytes.length - 1 })
        expect(same(yield* fs.readFile(path), older)).toBe(true)
        expect(yield* names).toEqual(["holiday.tar"])
      }))
  )

  it.scoped("keeps the older file when it is interrupted", () =>
    inFolder(Effect.gen(function*() {
      const { fs, names, path } = yield* folder
      yield* fs.writeFile(path, older)
      const output = yield* retrieved(bytes)
      const reached = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(Download.toFile(output, path, {
        windowSize,
        concurrency: 1,
        onProgress: ({ bytes }) =>
          bytes === 2 * mebibyte ? Effect.zipRight(Deferred.succeed(reached, undefined), Effect.never) : Effect.void
      }))
      yield* Deferred.await(reached)
      expect(yield* names).toHaveLength(3)
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      expect(same(yield* fs.readFile(path), older)).toBe(true)
      expect(yield* names).toEqual(["holiday.tar"])
    })))

  it.scoped("fails before it fetches anything when the folder does not exist", () =>
    inFolder(Effect.gen(function*() {
      const { directory } = yield* folder
      const output = yield* retrieved(bytes)
      expect(yield* Effect.flip(Download.toFile(output, `${directory}/no/such/folder`))).toMatchObject({
        _tag: "TargetRejected",
        reason: "missing"
      })
    })))

  it.scoped("fails when the path is a folder, and leaves no other file", () =>
    inFolder(Effect.gen(function*() {
      const { fs, names, path } = yield* folder
      yield* fs.makeDirectory(path)
      const output = yield* retrieved(bytes)
      expect(yield* Effect.flip(Download.toFile(output, path))).toMatchObject({
        _tag: "TargetRejected",
        reason: "folder"
      })
      expect(yield* names).toEqual(["holiday.tar"])
    })))

  it.scoped("writes one of two concurrent downloads to a path, and rejects the other", () =>
    inFolder(Effect.gen(function*() {
      const { fs, names, path } = yield* folder
      const others = pattern(3 * mebibyte).reverse()
      const outputs = yield* Effect.all([retrieved(bytes), retrieved(others)])
      const exits = yield* Effect.forEach(
        outputs,
        (output) => Effect.either(Download.toFile(output, path, { windowSize })),
        { concurrency: 2 }
      )
      expect(exits.filter(Either.isRight)).toHaveLength(1)
      expect(exits.filter(Either.isLeft)).toMatchObject([{ left: { _tag: "FileInUse", owner: "this process" } }])
      const written = yield* fs.readFile(path)
      expect(same(written, bytes) || same(written, others)).toBe(true)
      expect(yield* names).toEqual(["holiday.tar"])
    })))
})
