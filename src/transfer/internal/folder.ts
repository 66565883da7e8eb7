/**
 * Folders, which remember what is in them only once they are fsynced.
 *
 * @internal
 */
import type * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"

/** The folder that a file or another folder is in. */
export const of = (path: string): string => path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : "."

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
