/**
 * The store of blobs: the bytes of archives, parts and inventories, by id. A blob whose writer does not call `keep` is
 * removed.
 *
 * @internal
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Ids from "./ids.ts"
import { at, EmulatorStorageError } from "./storageError.ts"

/** The writer of a new blob. When its scope closes, the blob is removed unless `keep` was called. */
export interface Writer {
  readonly id: string
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, EmulatorStorageError>
  /** Keeps the blob. Must be called in the same step that commits the event with the blob's id. */
  readonly keep: () => void
}

export interface Blobs {
  readonly create: Effect.Effect<Writer, EmulatorStorageError, Scope.Scope>
  readonly read: (id: string, offset: number, length: number) => Stream.Stream<Uint8Array, EmulatorStorageError>
  readonly remove: (id: string) => Effect.Effect<void>
}

/** Makes blobs in memory. Bytes are copied in and out, because callers in the same process may change their arrays. */
export const memory: Effect.Effect<Blobs> = Effect.sync(() => {
  const blobs = new Map<string, ReadonlyArray<Uint8Array>>()

  const create = Effect.gen(function*() {
    const id = yield* Ids.random(24)
    const chunks: Array<Uint8Array> = []
    return {
      id,
      write: (bytes: Uint8Array) => Effect.sync(() => void chunks.push(bytes.slice())),
      keep: () => void blobs.set(id, chunks)
    }
  })

  function* slices(chunks: ReadonlyArray<Uint8Array>, offset: number, length: number): Generator<Uint8Array> {
    let from = offset
    let left = length
    for (const chunk of chunks) {
      if (left <= 0) return
      if (from < chunk.length) {
        const slice = chunk.slice(from, from + left)
        left -= slice.length
        yield slice
      }
      from = Math.max(0, from - chunk.length)
    }
  }

  return {
    create,
    read: (id, offset, length) =>
      Stream.suspend(() => {
        const chunks = blobs.get(id)
        return chunks === undefined
          ? Stream.fail(new EmulatorStorageError({ path: id, reason: "the blob was removed" }))
          : Stream.fromIteratorSucceed(slices(chunks, offset, length), 1)
      }),
    remove: (id) => Effect.sync(() => void blobs.delete(id))
  }
})

/**
 * Makes blobs in files of a directory. Removes files whose names are not in `referenced`: an earlier process died before
 * it kept them.
 */
export const files = (
  directory: string,
  referenced: ReadonlySet<string>
): Effect.Effect<Blobs, EmulatorStorageError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const failed = at(directory, "the directory of blobs cannot be read")

    yield* Effect.mapError(fs.makeDirectory(directory, { recursive: true }), failed)
    for (const name of yield* Effect.mapError(fs.readDirectory(directory), failed)) {
      if (!referenced.has(name)) yield* Effect.mapError(fs.remove(path.join(directory, name)), failed)
    }

    const remove = (id: string) => Effect.ignoreLogged(fs.remove(path.join(directory, id), { force: true }))

    const create = Effect.gen(function*() {
      const id = yield* Ids.random(24)
      const name = path.join(directory, id)
      let kept = false
      yield* Effect.addFinalizer(() => kept ? Effect.void : remove(id))
      const file = yield* Effect.mapError(fs.open(name, { flag: "wx" }), at(name, "the blob cannot be created"))
      return {
        id,
        write: (bytes: Uint8Array) => Effect.mapError(file.writeAll(bytes), at(name, "the blob cannot be written")),
        keep: () => {
          kept = true
        }
      }
    })

    return {
      create,
      read: (id, offset, length) => {
        const name = path.join(directory, id)
        return fs.stream(name, { offset, bytesToRead: length, chunkSize: 262_144, bufferSize: 2 }).pipe(
          Stream.mapError(at(name, "the blob cannot be read"))
        )
      },
      remove
    }
  })
