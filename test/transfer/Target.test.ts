import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodePath from "@effect/platform-node/NodePath"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Job from "../../src/services/Job.ts"
import * as SafePath from "../../src/transfer/SafePath.ts"
import * as Target from "../../src/transfer/Target.ts"
import { Hasher } from "../../src/transport/Hasher.ts"
import { address, layer } from "./support.ts"

/** A directory with a file, a folder and links of all kinds; beside it, what is no business of a download. */
const prepared = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const sandbox = yield* Effect.flatMap(fs.makeTempDirectoryScoped(), fs.realPath)
  const directory = `${sandbox}/restored`
  yield* fs.makeDirectory(`${directory}/folder`, { recursive: true })
  yield* fs.makeDirectory(`${sandbox}/restored-too`)
  yield* fs.writeFileString(`${directory}/file`, "older")
  yield* fs.writeFileString(`${sandbox}/secret`, "secret")
  yield* Effect.forEach([
    ["folder", "inside"],
    [".", "itself"],
    ["..", "above"],
    ["../restored-too", "beside"],
    ["/", "root"],
    ["../secret", "leading-to-secret"],
    ["../nothing", "dangling"],
    ["loop", "loop"]
  ], ([to = "", link]) => fs.symlink(to, `${directory}/${link}`))
  const prepare = (path: string, options?: Target.Options) =>
    Target.prepare(directory, Either.getOrThrow(SafePath.make(path)), options)
  return { fs, sandbox, directory, prepare }
})

const inDirectory = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(Effect.scoped, Effect.provide(NodeContext.layer))

describe("Target.prepare", () => {
  it.effect("makes the folders on the way, and not the file", () =>
    Effect.gen(function*() {
      const { directory, fs, prepare } = yield* prepared
      expect(yield* prepare("a/b/c.txt")).toBe(`${directory}/a/b/c.txt`)
      expect(yield* prepare("a/b/d.txt")).toBe(`${directory}/a/b/d.txt`)
      expect(yield* prepare("e.txt")).toBe(`${directory}/e.txt`)
      expect(yield* fs.readDirectory(`${directory}/a/b`)).toEqual([])
      const path = Either.getOrThrow(SafePath.make("x/y"))
      expect(yield* Target.prepare(`${directory}/new/one`, path)).toBe(`${directory}/new/one/x/y`)
    }).pipe(inDirectory))

  it.effect("follows links within the directory", () =>
    Effect.gen(function*() {
      const { directory, prepare } = yield* prepared
      expect(yield* prepare("inside/a")).toBe(`${directory}/folder/a`)
      expect(yield* prepare("itself/itself/inside/a")).toBe(`${directory}/folder/a`)
    }).pipe(inDirectory))

  it.effect("works in a directory that is reached by a link", () =>
    Effect.gen(function*() {
      const { directory, fs, sandbox } = yield* prepared
      yield* fs.symlink(directory, `${sandbox}/linked`)
      const path = Either.getOrThrow(SafePath.make("a/b"))
      expect(yield* Target.prepare(`${sandbox}/linked`, path)).toBe(`${directory}/a/b`)
    }).pipe(inDirectory))

  it.effect.each(["above/a", "beside/a", "beside/new/a", "root/a", "itself/above/a"])(
    "refuses what leads out of the directory: %s",
    (path) =>
      Effect.gen(function*() {
        const { directory, fs, prepare, sandbox } = yield* prepared
        const [link] = path.match(/^.*(above|beside|root)/) ?? []
        expect(yield* Effect.flip(prepare(path, { overwrite: true }))).toEqual(
          new Target.TargetRefused({ path: `${directory}/${link?.replace("itself/", "")}`, reason: "outside" })
        )
        expect(yield* fs.readDirectory(`${sandbox}/restored-too`)).toEqual([])
      }).pipe(inDirectory)
  )

  it.effect("refuses what is there, unless it may be replaced", () =>
    Effect.gen(function*() {
      const { directory, prepare } = yield* prepared
      for (const name of ["file", "leading-to-secret", "dangling", "loop", "above"]) {
        const refused = yield* Effect.flip(prepare(name))
        expect(refused).toEqual(new Target.TargetRefused({ path: `${directory}/${name}`, reason: "exists" }))
        expect(yield* prepare(name, { overwrite: true })).toBe(`${directory}/${name}`)
      }
      for (const overwrite of [false, true]) {
        const refused = yield* Effect.flip(prepare("folder", { overwrite }))
        expect(String(refused)).toBe(`TargetRefused: ${directory}/folder is not written: a folder is there`)
      }
    }).pipe(inDirectory))

  it.effect("refuses what is safe elsewhere only", () =>
    Effect.gen(function*() {
      const { directory } = yield* prepared
      const path = Either.getOrThrow(SafePath.make("..\\escaped", "posix"))
      expect(yield* Target.prepare(directory, path)).toBe(`${directory}/..\\escaped`)
      const refused = yield* Effect.flip(Effect.provide(Target.prepare(directory, path), NodePath.layerWin32))
      expect(refused).toEqual(new SafePath.UnsafePath({ path: "..\\escaped", rule: "backslash" }))
    }).pipe(inDirectory))

  it.effect("fails as the file system does when a folder cannot be made", () =>
    Effect.gen(function*() {
      const { prepare } = yield* prepared
      for (const path of ["file/a", "file/a/b", "dangling/a", "loop/a"]) {
        expect(yield* Effect.flip(prepare(path))).toMatchObject({ _tag: "SystemError" })
      }
    }).pipe(inDirectory))

  it.effect("gives a path that a download replaces, and not what a link there points to", () =>
    Effect.gen(function*() {
      const { directory, fs, prepare, sandbox } = yield* prepared
      const glacier = yield* GlacierClient.GlacierClient
      const body = new TextEncoder().encode("newer")
      const hashes = yield* (yield* Hasher).hashes(body)
      const { archiveId } = yield* glacier.uploadArchive({ ...address, ...hashes, body })
      const { jobId } = yield* glacier.initiateJob({ ...address, parameters: { type: "archive-retrieval", archiveId } })
      const job = yield* Job.attach(address, jobId)
      for (const name of ["leading-to-secret", "file", "new/folder/file"]) {
        yield* job.outputToFile(yield* prepare(name, { overwrite: true }))
        expect(yield* fs.readFileString(`${directory}/${name}`)).toBe("newer")
      }
      expect(yield* fs.readFileString(`${sandbox}/secret`)).toBe("secret")
    }).pipe(inDirectory, Effect.provide(layer())))
})
