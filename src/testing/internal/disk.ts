/**
 * Injects faults between a program and its file system.
 *
 * @internal
 */
import * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type { Kind, Plan } from "./plan.ts"

const failed = (method: string, path: string, reason: PlatformError.SystemErrorReason, code: string, text: string) =>
  new PlatformError.SystemError({
    module: "FileSystem",
    method,
    reason,
    pathOrDescriptor: path,
    description: `${code}: ${text}`,
    cause: Object.assign(new Error(text), { code })
  })

/** The kinds of faults of each operation on files. */
export const kinds = {
  open: ["NoPermission"],
  write: ["NoSpace", "ShortWrite"],
  sync: ["FailedSync"],
  read: ["FileChanged"],
  rename: ["NoPermission", "CrossDevice"]
} as const satisfies Readonly<Record<string, ReadonlyArray<Kind>>>

type Attempt<A> = Effect.Effect<A, PlatformError.PlatformError>

/** Returns the kind of the next fault of an operation, and records it. */
type Next = (operation: keyof typeof kinds) => Kind | undefined

/** Writes all of the bytes, half of them, or none. */
const writeWithFaults = <A>(
  next: Next,
  path: string,
  bytes: Uint8Array,
  write: (bytes: Uint8Array) => Attempt<A>
): Attempt<A> =>
  Effect.suspend(() => {
    switch (next("write")) {
      case "NoSpace":
        return failed("write", path, "Unknown", "ENOSPC", "no space left on device")
      case "ShortWrite":
        return Effect.zipRight(
          write(bytes.subarray(0, bytes.length >> 1)),
          failed("write", path, "WriteZero", "EIO", "only half of the bytes were written")
        )
      default:
        return write(bytes)
    }
  })

/** Reads from a file, or changes it before. */
const readWithFaults = <A>(next: Next, fs: FileSystem.FileSystem, path: string, read: Attempt<A>): Attempt<A> =>
  Effect.suspend(() =>
    next("read") === undefined
      ? read
      : Effect.zipRight(fs.writeFile(path, Uint8Array.of(0), { flag: "a" }), read)
  )

const syncWithFaults = (next: Next, path: string, sync: Attempt<void>): Attempt<void> =>
  Effect.suspend(() => next("sync") === undefined ? sync : failed("sync", path, "Unknown", "EIO", "input/output error"))

/** Opens or renames a file, unless a fault forbids it. */
const ifAllowed = <A, R>(
  next: Next,
  method: "open" | "rename",
  path: string,
  act: Effect.Effect<A, PlatformError.PlatformError, R>
): typeof act =>
  Effect.suspend(() => {
    switch (next(method)) {
      case "NoPermission":
        return failed(method, path, "PermissionDenied", "EACCES", "permission denied")
      case "CrossDevice":
        return failed(method, path, "Unknown", "EXDEV", "cross-device link not permitted")
      default:
        return act
    }
  })

const fileWithFaults = (
  next: Next,
  fs: FileSystem.FileSystem,
  path: string,
  file: FileSystem.File
): FileSystem.File =>
  new Proxy(file, {
    get(target, key) {
      switch (key) {
        case "sync":
          return syncWithFaults(next, path, target.sync)
        case "write":
          return (bytes: Uint8Array) => writeWithFaults(next, path, bytes, (some) => target.write(some))
        case "writeAll":
          return (bytes: Uint8Array) => writeWithFaults(next, path, bytes, (some) => target.writeAll(some))
        case "read":
          return (bytes: Uint8Array) => readWithFaults(next, fs, path, target.read(bytes))
        case "readAlloc":
          return (size: FileSystem.SizeInput) => readWithFaults(next, fs, path, target.readAlloc(size))
      }
      const value: unknown = Reflect.get(target, key)
      return typeof value === "function" ? value.bind(target) : value
    }
  })

/** Returns a file system with injected faults. */
export const withFaults = (fs: FileSystem.FileSystem, plan: Plan): FileSystem.FileSystem => {
  const next: Next = (operation) => {
    const fault = plan.next(operation, kinds[operation])
    fault?.record()
    return fault?.kind
  }
  return {
    ...fs,
    open: (path, options) =>
      Effect.map(ifAllowed(next, "open", path, fs.open(path, options)), (file) => fileWithFaults(next, fs, path, file)),
    rename: (from, to) => ifAllowed(next, "rename", from, fs.rename(from, to)),
    writeFile: (path, bytes, options) => writeWithFaults(next, path, bytes, (some) => fs.writeFile(path, some, options))
  }
}
