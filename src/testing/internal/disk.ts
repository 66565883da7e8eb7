/**
 * What goes wrong on disk.
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

/** What can go wrong with what is done to files. */
export const kinds = {
  open: ["NoPermission"],
  write: ["NoSpace", "ShortWrite"],
  sync: ["FailedSync"],
  read: ["FileChanged"],
  rename: ["NoPermission", "CrossDevice"]
} as const satisfies Readonly<Record<string, ReadonlyArray<Kind>>>

type Done<A> = Effect.Effect<A, PlatformError.PlatformError>

/** Opening and renaming go wrong, and writing, fsyncing and reading of the files that are opened. */
export const harming = (fs: FileSystem.FileSystem, plan: Plan): FileSystem.FileSystem => {
  const next = (operation: keyof typeof kinds) => {
    const draw = plan.next(operation, kinds[operation])
    draw?.done()
    return draw?.fault
  }

  /** Writes some bytes by `write`. */
  const written = <A>(path: string, bytes: Uint8Array, write: (bytes: Uint8Array) => Done<A>): Done<A> =>
    Effect.suspend(() => {
      switch (next("write")) {
        case "NoSpace":
          return failed("write", path, "Unknown", "ENOSPC", "no space left on device")
        case "ShortWrite":
          return Effect.zipRight(
            write(bytes.subarray(0, bytes.length >> 1)),
            failed("write", path, "WriteZero", "EIO", "only half of it was written")
          )
        default:
          return write(bytes)
      }
    })

  const harmed = (path: string, file: FileSystem.File): FileSystem.File => {
    const sync = Effect.suspend(() =>
      next("sync") === undefined
        ? file.sync
        : failed("sync", path, "Unknown", "EIO", "input/output error")
    )
    const read = <A>(bytes: Done<A>) =>
      Effect.suspend(() =>
        next("read") === undefined
          ? bytes
          : Effect.zipRight(fs.writeFile(path, Uint8Array.of(0), { flag: "a" }), bytes)
      )
    return new Proxy(file, {
      get(target, key) {
        switch (key) {
          case "sync":
            return sync
          case "write":
            return (bytes: Uint8Array) => written(path, bytes, (some) => target.write(some))
          case "writeAll":
            return (bytes: Uint8Array) => written(path, bytes, (some) => target.writeAll(some))
          case "read":
            return (bytes: Uint8Array) => read(target.read(bytes))
          case "readAlloc":
            return (size: FileSystem.SizeInput) => read(target.readAlloc(size))
        }
        const value: unknown = Reflect.get(target, key)
        return typeof value === "function" ? value.bind(target) : value
      }
    })
  }

  /** What must be allowed, and for a rename be possible. */
  const allowed = <A, R>(
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

  return {
    ...fs,
    open: (path, options) => Effect.map(allowed("open", path, fs.open(path, options)), (file) => harmed(path, file)),
    rename: (from, to) => allowed("rename", from, fs.rename(from, to)),
    writeFile: (path, bytes, options) => written(path, bytes, (some) => fs.writeFile(path, some, options))
  }
}
