/**
 * Regular files: checked, opened and read by their paths. A path can also lead to a folder, a device, a named pipe or a
 * socket. Some of these fail late, others block or never end, so the kind is checked before a file is opened.
 *
 * All errors name the path. The platform names an open file by the number of its handle only.
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
 * The kinds of things that a path can lead to, other than a regular file.
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
  // `stat` follows links, so it never describes the link itself.
  SymbolicLink: "unknown",
  Unknown: "unknown"
}

/**
 * Returns the kind of what was described by `stat`, unless it is a regular file.
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

/** Fails when something other than a regular file exists at the path. */
const rejectOthers = (fs: FileSystem.FileSystem, path: string, method: string) =>
  Effect.flatMap(
    // A path that `stat` fails for cannot be opened either, or its file is about to be created.
    Effect.option(fs.stat(path)),
    Option.match({ onNone: () => Effect.void, onSome: checkKind(path, method) })
  )

/** Adds the path to an error about an open file. */
const withPath = (path: string) => (error: PlatformError.PlatformError): PlatformError.PlatformError => {
  if (error._tag !== "SystemError" || typeof error.pathOrDescriptor === "string") return error
  const { cause, description, method, module, reason, syscall } = error
  return new PlatformError.SystemError({ cause, description, method, module, reason, syscall, pathOrDescriptor: path })
}

/**
 * Checks that a path leads to a regular file that can be read, and returns the file's description. Does not open the file.
 * Follows symbolic links.
 *
 * Fails with the platform's `SystemError`, which names the path: `BadResource` when the path leads to something else,
 * `NotFound`, or `PermissionDenied`.
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
 * Opens a regular file until the Scope ends. Fails with `BadResource` for anything else, without opening it. All errors name
 * the path.
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
    yield* rejectOthers(fs, path, "open")
    const file = yield* fs.open(path, options)
    const named = Effect.mapError(withPath(path))
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
 * Reads a regular file as `FileSystem.stream` does. Fails with `BadResource` for anything else, without opening it. All
 * errors name the path.
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
      Effect.as(rejectOthers(fs, path, "stream"), Stream.mapError(fs.stream(path, options), withPath(path))))
  )
