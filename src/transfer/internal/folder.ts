/**
 * Folders: which one a path leads to, and how what is in it becomes durable.
 *
 * @internal
 */
import type * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"

/** Whether a path has a drive or a server of Windows: then a backslash separates names, too, and else it is part of one. */
const isWindows = (path: string): boolean => /^([a-z]:|\\\\)/i.test(path)

const separators = (path: string): RegExp => isWindows(path) ? /[\\/]/g : /\//g

/** Where the last name of a path begins. */
const nameAt = (path: string): number => {
  const last = Array.from(path.matchAll(separators(path))).at(-1)
  return last === undefined ? 0 : last.index + 1
}

/** The folder that a file or another folder is in. */
export const of = (path: string): string => nameAt(path) === 0 ? "." : path.slice(0, nameAt(path))

/** The path of a name in a folder. */
const join = (folder: string, name: string): string =>
  nameAt(folder) === folder.length ? folder + name : `${folder}/${name}`

/** The path of a file by the real path of its folder, which must be there. A link in the place of the file is not followed. */
export const locate = (
  fs: FileSystem.FileSystem,
  path: string
): Effect.Effect<string, PlatformError.PlatformError> =>
  Effect.map(fs.realPath(of(path)), (folder) => join(folder, path.slice(nameAt(path))))

/** The real path of a folder. If it does not exist yet, that of the nearest folder above it that does, and the rest. */
export const resolve = (fs: FileSystem.FileSystem, path: string): Effect.Effect<string> => {
  const folder = path.replace(isWindows(path) ? /(?<=[^\\/])[\\/]+$/ : /(?<=[^/])\/+$/, "")
  const parent = of(folder)
  return Effect.catchAll(fs.realPath(folder), () =>
    parent === folder
      ? Effect.succeed(folder)
      : Effect.map(resolve(fs, parent), (above) => join(above, folder.slice(nameAt(folder)))))
}

/** Whether an operation failed because a file or folder does not exist. */
export const isNotFound = (error: { readonly _tag: string; readonly reason?: unknown }): boolean =>
  error._tag === "SystemError" && error.reason === "NotFound"

/** How a platform says that it knows no such thing as the fsync of a folder, or that the folder may not be opened. */
const unsyncable = ["EACCES", "EINVAL", "EISDIR", "ENOSYS", "ENOTSUP", "EPERM"]

const isUnsyncable = ({ cause }: PlatformError.PlatformError): boolean =>
  Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) && unsyncable.includes(cause.code)

/** Makes what was created, renamed or removed in a folder durable, where the platform can. */
export const sync = (fs: FileSystem.FileSystem, folder: string): Effect.Effect<void, PlatformError.PlatformError> =>
  Effect.catchIf(
    Effect.scoped(Effect.flatMap(fs.open(folder, { flag: "r" }), (opened) => opened.sync)),
    isUnsyncable,
    () => Effect.void
  )
