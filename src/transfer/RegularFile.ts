/**
 * Paths that must lead to regular files. What else a path can lead to (a folder, a device, a named pipe, a socket) cannot be
 * read or written as a file: some of these fail late, others block or never end. So the kind is checked first, and errors
 * name the path, also those of an open file, which the platform reports by the number of its handle.
 *
 * @since 0.1.0
 */
import * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/**
 * What can have a path besides a regular file.
 *
 * @since 0.1.0
 * @category models
 */
export type Other = "folder" | "device" | "pipe" | "socket" | "unknown"

const others: Readonly<Record<Exclude<FileSystem.File.Type, "File">, Other>> = {
  Directory: "folder",
  BlockDevice: "device",
  CharacterDevice: "device",
  FIFO: "pipe",
  Socket: "socket",
  // What is described is never the link itself.
  SymbolicLink: "unknown",
  Unknown: "unknown"
}

/**
 * What a description is of, if not of a regular file.
 *
 * @since 0.1.0
 * @category getters
 */
export const otherOf = ({ type }: FileSystem.File.Info): Option.Option<Other> =>
  type === "File" ? Option.none() : Option.some(others[type])

const names: Readonly<Record<Other, string>> = {
  folder: "a folder",
  device: "a device",
  pipe: "a named pipe",
  socket: "a socket",
  unknown: "of an unknown kind"
}

const checkKind = (path: string, method: string) => (info: FileSystem.File.Info) =>
  Option.match(otherOf(info), {
    onNone: () => Effect.void,
    onSome: (other) =>
      new PlatformError.SystemError({
        reason: "BadResource",
        module: "FileSystem",
        method,
        pathOrDescriptor: path,
        description: `is ${names[other]}, not a file`
      })
  })

/** What cannot be described cannot be opened either, or is about to be created. */
const refuseOthers = (fs: FileSystem.FileSystem, path: string, method: string) =>
  Effect.flatMap(
    Effect.option(fs.stat(path)),
    Option.match({ onNone: () => Effect.void, onSome: checkKind(path, method) })
  )

/** Names the path in an error about an open file. */
const naming = (path: string) => (error: PlatformError.PlatformError): PlatformError.PlatformError => {
  if (error._tag !== "SystemError" || typeof error.pathOrDescriptor === "string") return error
  const { cause, description, method, module, reason, syscall } = error
  return new PlatformError.SystemError({ cause, description, method, module, reason, syscall, pathOrDescriptor: path })
}

/**
 * Checks that a path leads to a regular file that can be read, and returns its description. Opens nothing. Symbolic links
 * are followed.
 *
 * Fails with the platform's `SystemError`, which names the path: `BadResource` when something else is there, `NotFound`,
 * or `PermissionDenied`.
 *
 * @since 0.1.0
 * @category checking
 * @example
 * import { RegularFile } from "effect-glacier"
 * import { Console, Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const { size } = yield* RegularFile.check("holiday.tar")
 *   yield* Console.log(`${size} bytes`)
 * })
 */
export const check: (
  path: string
) => Effect.Effect<FileSystem.File.Info, PlatformError.PlatformError, FileSystem.FileSystem> = Effect.fnUntraced(
  function*(path) {
    const fs = yield* FileSystem.FileSystem
    const info = yield* fs.stat(path)
    yield* checkKind(path, "stat")(info)
    yield* fs.access(path, { readable: true })
    return info
  }
)

/**
 * Opens a regular file until the Scope ends. Does not open anything else, which could block. All errors name the path.
 *
 * @since 0.1.0
 * @category opening
 */
export const open: (
  path: string,
  options?: FileSystem.OpenFileOptions
) => Effect.Effect<FileSystem.File, PlatformError.PlatformError, FileSystem.FileSystem | Scope.Scope> = Effect
  .fnUntraced(function*(path, options) {
    const fs = yield* FileSystem.FileSystem
    yield* refuseOthers(fs, path, "open")
    const file = yield* fs.open(path, options)
    const named = Effect.mapError(naming(path))
    return {
      [FileSystem.FileTypeId]: FileSystem.FileTypeId,
      fd: file.fd,
      stat: Effect.suspend(() => named(file.stat)),
      seek: (offset, from) => file.seek(offset, from),
      sync: Effect.suspend(() => named(file.sync)),
      read: (bytes) => named(file.read(bytes)),
      readAlloc: (size) => named(file.readAlloc(size)),
      truncate: (length) => named(file.truncate(length)),
      write: (bytes) => named(file.write(bytes)),
      writeAll: (bytes) => named(file.writeAll(bytes))
    }
  })

/**
 * Reads a regular file from its beginning, as `FileSystem.stream` does. Does not open anything else. All errors name the
 * path.
 *
 * @since 0.1.0
 * @category reading
 */
export const stream = (
  path: string,
  options?: FileSystem.StreamOptions
): Stream.Stream<Uint8Array, PlatformError.PlatformError, FileSystem.FileSystem> =>
  Stream.unwrap(
    Effect.flatMap(FileSystem.FileSystem, (fs) =>
      Effect.as(refuseOthers(fs, path, "stream"), Stream.mapError(fs.stream(path, options), naming(path))))
  )
