/**
 * The paths below a folder, found one after another.
 *
 * @internal
 */
import type * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** A path below the folder that is no folder itself: what it leads to, or why that is unknown. */
export interface Found {
  readonly path: string
  readonly found: Either.Either<FileSystem.File.Info | "link", PlatformError.PlatformError>
}

/** Joins a folder and a path below it. */
export const join = (folder: string, name: string): string =>
  folder === "" || folder.endsWith("/") ? folder + name : `${folder}/${name}`

/** In the order of UTF-16 units, which is the same on every machine. The first name comes last, as on a stack. */
const stacked = (names: ReadonlyArray<string>): Array<string> => names.slice().sort().reverse()

/**
 * Walks a folder depth first. Memory holds the names in the folders that lead to the current path. Does not follow links, so
 * that it does not leave the folder and does not run in circles. Fails only when the folder itself cannot be read.
 */
export const walk = (
  fs: FileSystem.FileSystem,
  directory: string,
  exclude: (path: string) => boolean
): Stream.Stream<Found, PlatformError.PlatformError> => {
  const look = Effect.fnUntraced(function*(path: string) {
    // `stat` follows links.
    if (yield* Effect.isSuccess(fs.readLink(path))) return "link"
    const info = yield* fs.stat(path)
    return info.type === "Directory" ? { names: yield* fs.readDirectory(path) } : { info }
  })

  const next = Effect.fnUntraced(function*(stack: Array<string>) {
    const path = stack.pop()
    if (path === undefined) return yield* Effect.fail(Option.none())
    if (exclude(path)) return Chunk.empty<Found>()
    const looked = yield* Effect.either(look(join(directory, path)))
    if (Either.isLeft(looked)) return Chunk.of<Found>({ path, found: Either.left(looked.left) })
    if (looked.right === "link") return Chunk.of<Found>({ path, found: Either.right("link") })
    if ("info" in looked.right) return Chunk.of<Found>({ path, found: Either.right(looked.right.info) })
    for (const name of stacked(looked.right.names)) stack.push(join(path, name))
    return Chunk.empty<Found>()
  })

  return Stream.unwrap(Effect.map(fs.readDirectory(directory === "" ? "." : directory), (names) => {
    const stack = stacked(names)
    return Stream.repeatEffectChunkOption(next(stack))
  }))
}
