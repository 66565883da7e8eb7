/** A folder with an entry of each kind: folders, devices, pipes, sockets and links. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { withPipeAndSocket } from "../support/watchedFiles.ts"

/** A folder with one entry of each kind, by their names. */
export const prepared = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* Effect.flatMap(fs.makeTempDirectoryScoped(), fs.realPath)
  yield* fs.makeDirectory(`${directory}/folder`)
  yield* withPipeAndSocket(directory)
  yield* fs.symlink("/dev/zero", `${directory}/device`)
  return { directory, fs }
})

export const kinds = [
  ["folder", "is a folder, not a file"],
  ["pipe", "is a named pipe, not a file"],
  ["socket", "is a socket, not a file"],
  ["device", "is a device, not a file"]
] as const

export const others = [...kinds, ["missing", "ENOENT: no such file or directory"]] as const

/** A file system whose open files fail as in Node.js, with the number of the handle. */
export const withFullDisk = Effect.updateService(
  FileSystem.FileSystem,
  (fs: FileSystem.FileSystem): FileSystem.FileSystem => {
    const failed = (method: string, description: string) =>
      new PlatformError.SystemError({
        reason: "Unknown",
        module: "FileSystem",
        method,
        pathOrDescriptor: 20,
        description
      })
    return {
      ...fs,
      open: (path, options) =>
        Effect.map(fs.open(path, options), (file) =>
          new Proxy(file, {
            get(target, key) {
              if (key === "writeAll") return () => failed("writeAll", "ENOSPC: no space left on device, write")
              if (key === "read") return () => failed("read", "EIO: i/o error, read")
              const value: unknown = Reflect.get(target, key)
              return typeof value === "function" ? value.bind(target) : value
            }
          }))
    }
  }
)

export const inDirectory = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(Effect.scoped, Effect.provide(NodeContext.layer))
