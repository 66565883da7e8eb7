/** A file system that reports its changes to a test. */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { createServer, type Server } from "node:net"

/** Calls a function with a description of each file system operation, which decides about its outcome. */
export type Watch = <A>(step: string, effect: Effect.Effect<A, PlatformError>) => Effect.Effect<A, PlatformError>

/** Reports opening, writing, truncating, fsyncing, renaming and removing files. Each write is split into two halves. */
export const watching = (fs: FileSystem.FileSystem, watch: Watch): FileSystem.FileSystem => {
  const name = (path: string) => path.replace(/^.*\//, "").replace(/[.-](?:[0-9a-f]{32}|[0-9a-f]{16})/, "")
  const watched = (file: FileSystem.File, path: string): FileSystem.File =>
    new Proxy(file, {
      get(target, key) {
        if (key === "sync") return watch(`sync ${name(path)}`, target.sync)
        if (key === "truncate") return (size: number) => watch(`truncate ${name(path)}`, target.truncate(size))
        if (key === "writeAll") {
          return (bytes: Uint8Array) =>
            Effect.forEach([0, 1], (half) => {
              const piece = bytes.subarray(...(half === 0 ? [0, bytes.length >> 1] : [bytes.length >> 1]))
              return watch(`write ${name(path)}`, target.writeAll(piece))
            }, { discard: true })
        }
        const value: unknown = Reflect.get(target, key)
        return typeof value === "function" ? value.bind(target) : value
      }
    })
  return {
    ...fs,
    open: (path, options) =>
      Effect.flatMap(
        watch(`open ${name(path)}`, Effect.void),
        () => Effect.map(fs.open(path, options), (file) => watched(file, path))
      ),
    rename: (from, to) => watch(`rename ${name(from)} ${name(to)}`, fs.rename(from, to)),
    remove: (path, options) => watch(`remove ${name(path)}`, fs.remove(path, options))
  }
}

/** Runs an effect with a watched file system. */
export const watched = (watch: Watch) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.updateService(effect, FileSystem.FileSystem, (fs) => watching(fs, watch))

/** Makes a named pipe and a socket in a folder, until the Scope closes. */
export const withPipeAndSocket = Effect.fnUntraced(function*(directory: string) {
  execFileSync("mkfifo", [`${directory}/pipe`])
  yield* Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const server = createServer()
      server.listen(`${directory}/socket`, () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  )
})
