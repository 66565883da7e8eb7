/**
 * Folders: their real paths, and how changes in them become durable.
 *
 * @internal
 */
import type * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"

/** Whether a path begins with a Windows drive or server. Then a backslash separates names; otherwise it is part of a name. */
const isWindows = (path: string): boolean => /^([a-z]:|\\\\)/i.test(path)

const separators = (path: string): RegExp => isWindows(path) ? /[\\/]/g : /\//g

/** The index at which the last name of a path begins. */
const nameAt = (path: string): number => {
  const last = Array.from(path.matchAll(separators(path))).at(-1)
  return last === undefined ? 0 : last.index + 1
}

/** The path of the folder that contains a file or folder. */
export const of = (path: string): string => nameAt(path) === 0 ? "." : path.slice(0, nameAt(path))

/** Joins a folder and a name. */
const join = (folder: string, name: string): string =>
  nameAt(folder) === folder.length ? folder + name : `${folder}/${name}`

/** Returns the path of a file with the real path of its folder, which must exist. Does not follow a link at the path itself. */
export const locate = (
  fs: FileSystem.FileSystem,
  path: string
): Effect.Effect<string, PlatformError.PlatformError> =>
  Effect.map(fs.realPath(of(path)), (folder) => join(folder, path.slice(nameAt(path))))

/** Returns the real path of a folder. If it does not exist, resolves the nearest folder above it that does. */
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

/** The error codes of platforms that cannot fsync a folder, or may not open it. */
const unsyncable = ["EACCES", "EINVAL", "EISDIR", "ENOSYS", "ENOTSUP", "EPERM"]

const isUnsyncable = ({ cause }: PlatformError.PlatformError): boolean =>
  Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) && unsyncable.includes(cause.code)

/** Makes the creations, renames and removals in a folder durable, where the platform can. */
export const sync = (fs: FileSystem.FileSystem, folder: string): Effect.Effect<void, PlatformError.PlatformError> =>
  Effect.catchIf(
    Effect.scoped(Effect.flatMap(fs.open(folder, { flag: "r" }), (opened) => opened.sync)),
    isUnsyncable,
    () => Effect.void
  )
