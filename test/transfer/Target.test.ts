/** Targets of downloads: folders, links and whatever exists at a path. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodePath from "@effect/platform-node/NodePath"
import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Job from "../../src/services/Job.ts"
import * as SafePath from "../../src/transfer/SafePath.ts"
import * as Target from "../../src/transfer/Target.ts"
import { Hasher } from "../../src/transport/Hasher.ts"
import { withPipeAndSocket } from "../support/watchedFiles.ts"
import { address, layer, recording } from "./support.ts"

/** A directory with a file, a folder and links of all kinds, and files beside it that a download must not change. */
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

/** A job whose output is that text. */
const retrieved = Effect.fnUntraced(function*(text: string) {
  const glacier = yield* GlacierClient.GlacierClient
  const body = new TextEncoder().encode(text)
  const hashes = yield* (yield* Hasher).hashes(body)
  const { archiveId } = yield* glacier.uploadArchive({ ...address, ...hashes, body })
  const { jobId } = yield* glacier.initiateJob({ ...address, parameters: { type: "archive-retrieval", archiveId } })
  return yield* Job.attach(address, jobId)
})

describe("Target.prepare", () => {
  it.effect("creates the folders of the path, but not the file", () =>
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

  it.effect("works in a directory that is reached through a link", () =>
    Effect.gen(function*() {
      const { directory, fs, sandbox } = yield* prepared
      yield* fs.symlink(directory, `${sandbox}/linked`)
      const path = Either.getOrThrow(SafePath.make("a/b"))
      expect(yield* Target.prepare(`${sandbox}/linked`, path)).toBe(`${directory}/a/b`)
    }).pipe(inDirectory))

  it.effect.each(["above/a", "beside/a", "beside/new/a", "root/a", "itself/above/a"])(
    "rejects a path that leads out of the directory: %s",
    (path) =>
      Effect.gen(function*() {
        const { directory, fs, prepare, sandbox } = yield* prepared
        const [link] = path.match(/^.*(above|beside|root)/) ?? []
        expect(yield* Effect.flip(prepare(path, { overwrite: true }))).toEqual(
          new Target.TargetRejected({ path: `${directory}/${link?.replace("itself/", "")}`, reason: "outside" })
        )
        expect(yield* fs.readDirectory(`${sandbox}/restored-too`)).toEqual([])
      }).pipe(inDirectory)
  )

  it.effect("rejects an existing file or link, unless it may be replaced", () =>
    Effect.gen(function*() {
      const { directory, prepare } = yield* prepared
      const rejection = (name: string, reason: Target.Reason) =>
        new Target.TargetRejected({ path: `${directory}/${name}`, reason })
      for (const name of ["file", "leading-to-secret", "dangling", "loop", "above"]) {
        expect(yield* Effect.flip(prepare(name))).toEqual(rejection(name, "exists"))
      }
      for (const name of ["file", "leading-to-secret"]) {
        expect(yield* prepare(name, { overwrite: true })).toBe(`${directory}/${name}`)
      }
      for (const [name, reason] of [["dangling", "link"], ["loop", "link"], ["above", "folder"]] as const) {
        expect(yield* Effect.flip(prepare(name, { overwrite: true }))).toEqual(rejection(name, reason))
      }
      for (const overwrite of [false, true]) {
        const error = yield* Effect.flip(prepare("folder", { overwrite }))
        expect(String(error)).toBe(`TargetRejected: ${directory}/folder is not written: a folder exists there`)
      }
    }).pipe(inDirectory))

  it.effect("rejects a path that is safe on another platform only", () =>
    Effect.gen(function*() {
      const { directory } = yield* prepared
      const path = Either.getOrThrow(SafePath.make("..\\escaped", "posix"))
      expect(yield* Target.prepare(directory, path)).toBe(`${directory}/..\\escaped`)
      const error = yield* Effect.flip(Effect.provide(Target.prepare(directory, path), NodePath.layerWin32))
      expect(error).toEqual(new SafePath.UnsafePath({ path: "..\\escaped", rule: "backslash" }))
    }).pipe(inDirectory))

  it.effect("fails with the file system's error when a folder cannot be created", () =>
    Effect.gen(function*() {
      const { prepare } = yield* prepared
      for (const path of ["file/a", "file/a/b", "dangling/a", "loop/a"]) {
        expect(yield* Effect.flip(prepare(path))).toMatchObject({ _tag: "SystemError" })
      }
    }).pipe(inDirectory))

  it.effect("returns a path where a download replaces a link, and not the file that it points to", () =>
    Effect.gen(function*() {
      const { directory, fs, prepare, sandbox } = yield* prepared
      const job = yield* retrieved("newer")
      for (const name of ["leading-to-secret", "file", "new/folder/file"]) {
        yield* job.outputToFile(yield* prepare(name, { overwrite: true }))
        expect(yield* fs.readFileString(`${directory}/${name}`)).toBe("newer")
      }
      expect(yield* fs.readFileString(`${sandbox}/secret`)).toBe("secret")
    }).pipe(inDirectory, Effect.provide(layer())))
})

describe("a path where no file can be written", () => {
  /** A pipe, a socket, and links to both, to a device, a folder and a file. */
  const withOthers = Effect.gen(function*() {
    const { directory, fs, sandbox } = yield* prepared
    yield* withPipeAndSocket(directory)
    yield* Effect.forEach([
      ["pipe", "to-pipe"],
      ["socket", "to-socket"],
      ["/dev/null", "to-device"],
      ["file", "to-file"]
    ], ([to = "", link]) => fs.symlink(to, `${directory}/${link}`))
    return { directory, fs, sandbox }
  })

  it.effect.each(
    [
      ["folder", "folder"],
      ["inside", "folder"],
      ["..", "folder"],
      ["folder/", "folder"],
      ["pipe", "pipe"],
      ["to-pipe", "pipe"],
      ["socket", "socket"],
      ["to-socket", "socket"],
      ["/dev/null", "device"],
      ["to-device", "device"],
      ["dangling", "link"],
      ["loop", "link"],
      ["no/such/folder", "missing"],
      ["folder/no/", "missing"]
    ] as const
  )("is rejected before anything is fetched, and is not changed: %s", ([name, reason]) => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      const { directory, fs } = yield* withOthers
      const job = yield* retrieved("newer")
      const path = name.startsWith("/") ? name : `${directory}/${name}`
      const before = yield* fs.readDirectory(directory)
      sent.length = 0
      const error = yield* Effect.flip(job.outputToFile(path))
      expect(error).toEqual(new Target.TargetRejected({ path, reason }))
      expect(error.message).toContain(`${path} is not written: `)
      expect(sent.filter((request) => request.endsWith("/output"))).toEqual([])
      expect(yield* fs.readDirectory(directory)).toEqual(before)
      expect(yield* Effect.flip(Target.check(path))).toEqual(error)
    }).pipe(inDirectory, Effect.provide(layer(change)))
  })

  it.effect("is rejected in a folder that cannot be written to", () => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      const { directory, fs } = yield* prepared
      const job = yield* retrieved("newer")
      const path = `${directory}/folder/file`
      sent.length = 0
      const error = yield* Effect.flip(Effect.provideService(job.outputToFile(path), FileSystem.FileSystem, {
        ...fs,
        // The user that runs the tests may be root, who may write anywhere.
        access: (path) =>
          new SystemError({
            module: "FileSystem",
            method: "access",
            reason: "PermissionDenied",
            pathOrDescriptor: path
          })
      }))
      expect(error).toEqual(new Target.TargetRejected({ path, reason: "unwritable" }))
      expect(sent.filter((request) => request.endsWith("/output"))).toEqual([])
    }).pipe(inDirectory, Effect.provide(layer(change)))
  })

  it.effect("does not include a symbolic link to a file: the link is replaced, and the file stays", () =>
    Effect.gen(function*() {
      const { directory, fs } = yield* withOthers
      const job = yield* retrieved("newer")
      yield* job.outputToFile(`${directory}/to-file`)
      expect(yield* fs.readFileString(`${directory}/to-file`)).toBe("newer")
      expect(yield* fs.readFileString(`${directory}/file`)).toBe("older")
    }).pipe(inDirectory, Effect.provide(layer())))
})

describe("Target.finish", () => {
  it.effect("keeps the files of a download that still runs", () =>
    Effect.gen(function*() {
      const { directory, fs } = yield* prepared
      const job = yield* retrieved("newer")
      const treeHash = yield* Effect.flatMap(job.describe, ({ treeHash }) => treeHash)
      const path = `${directory}/file`
      const settled = Effect.zipRight(Target.finish(path, treeHash), fs.readDirectory(directory))
      const reached = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(job.outputToFile(path, {
        onFailure: "keep",
        onProgress: () => Effect.zipRight(Deferred.succeed(reached, undefined), Effect.never)
      }))
      yield* Deferred.await(reached)
      const isLeft = (name: string) => /\.(partial|checkpoint)$/.test(name)
      expect((yield* settled).filter(isLeft)).toHaveLength(2)
      yield* Fiber.interrupt(fiber)
      expect((yield* settled).filter(isLeft)).toEqual([])
    }).pipe(inDirectory, Effect.provide(layer())))
})
