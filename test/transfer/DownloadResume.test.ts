/** Downloads to files that are killed, interrupted, resumed or disturbed by another process. */
import { SystemError } from "@effect/platform/Error"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { relative } from "node:path"
import { BrokenOutput } from "../../src/protocol/GlacierError.ts"
import * as Download from "../../src/transfer/Download.ts"
import { FileInUse, FileReplaced } from "../../src/transfer/FileLock.ts"
import { watched } from "../support/watchedFiles.ts"
import { bytes, inFolder, older, prepared, recorded, windowSize } from "./resumedDownloads.ts"
import * as Support from "./support.ts"

const { mebibyte, replacing, same } = Support

describe("a download to a file", () => {
  it.scoped.prop(
    "leaves the older file or the new one when it is killed at any point, and resumes from the verified windows [I6]",
    [
      FastCheck.integer({ min: 0, max: 33 }),
      FastCheck.constantFrom<Download.FileOptions["onFailure"]>("discard", "keep"),
      FastCheck.option(FastCheck.integer({ min: 0, max: 400 }), { freq: 3, nil: 400 }),
      FastCheck.option(FastCheck.integer({ min: 0, max: bytes.length - 1 }), { freq: 3 })
    ],
    ([steps, onFailure, cut, flip]) =>
      inFolder(Effect.gen(function*() {
        const { requested, checkpoint, download, fs, names, partial, path } = yield* prepared
        let left = steps
        const first = yield* download({ onFailure }).pipe(
          watched((_, effect) => Effect.suspend(() => left-- > 0 ? effect : Effect.dieMessage("killed"))),
          Effect.exit
        )
        const found = yield* fs.readFile(path)
        expect(same(found, older) || same(found, bytes)).toBe(true)
        if (Exit.isSuccess(first)) expect(same(found, bytes)).toBe(true)
        if (same(found, bytes)) return

        const kept = new Set<number>()
        for (const file of yield* checkpoint) {
          const text = (yield* fs.readFileString(file)).slice(0, cut)
          yield* fs.writeFileString(file, text)
          for (const window of recorded(text)) kept.add(window)
        }
        for (const file of yield* partial) {
          const there = yield* fs.readFile(file)
          if (flip === null || flip >= there.length) continue
          there[flip] = (there[flip] ?? 0) ^ 1
          yield* fs.writeFile(file, there)
          kept.delete(Math.floor(flip / mebibyte))
        }
        requested.length = 0
        expect(yield* download()).toEqual({ size: bytes.length, verification: "root" })
        expect(same(yield* fs.readFile(path), bytes)).toBe(true)
        expect(requested.sort()).toEqual([0, 1, 2, 3].filter((window) => !kept.has(window)))
        expect(yield* names).toEqual(["holiday.tar"])
      })),
    { fastCheck: { numRuns: 40 } }
  )

  it.scoped("fsyncs the file before the rename, and the folder after it [I6]", () =>
    inFolder(Effect.gen(function*() {
      const { download } = yield* prepared
      const steps: Array<string> = []
      yield* download().pipe(watched((step, effect) => {
        steps.push(step)
        return effect
      }))
      expect(steps.slice(-7)).toEqual([
        "open holiday.tar.partial",
        "truncate holiday.tar.partial",
        "sync holiday.tar.partial",
        "rename holiday.tar.partial holiday.tar",
        "open ",
        "sync ",
        "remove holiday.tar.checkpoint"
      ])
      expect(steps.slice(0, -7).filter((step) => /^(sync|rename|truncate|remove)/.test(step))).toEqual([])
    })))

  const diskError = (code: string) =>
    new SystemError({
      module: "FileSystem",
      method: "sync",
      reason: "Unknown",
      cause: Object.assign(new Error(code), { code })
    })

  it.scoped.each(["EPERM", "EINVAL", "EISDIR"])(
    "skips the fsync of a folder where the platform has none: %s",
    (code) =>
      inFolder(Effect.gen(function*() {
        const { download, fs, names, path } = yield* prepared
        yield* download().pipe(watched((step, effect) => step === "sync " ? diskError(code) : effect))
        expect(same(yield* fs.readFile(path), bytes)).toBe(true)
        expect(yield* names).toEqual(["holiday.tar"])
      }))
  )

  it.scoped.each(["sync ", "sync holiday.tar.partial", "write holiday.tar.partial", "write holiday.tar.checkpoint"])(
    "fails with the error of the disk, and leaves no other file: %s",
    (failing) =>
      inFolder(Effect.gen(function*() {
        const { download, names } = yield* prepared
        const error = yield* Effect.flip(
          download().pipe(watched((step, effect) => step === failing ? diskError("EIO") : effect))
        )
        expect(error).toMatchObject({ _tag: "SystemError", cause: { message: "EIO" } })
        expect(yield* names).toEqual(["holiday.tar"])
      }))
  )

  /** Begins a download and pauses it after its second window. */
  const begun = Effect.fnUntraced(function*(
    download: Effect.Effect.Success<typeof prepared>["download"],
    options: Download.FileOptions
  ) {
    const reached = yield* Deferred.make<void>()
    const fiber = yield* Effect.fork(download({
      ...options,
      concurrency: 1,
      onProgress: (progress) =>
        progress.bytes === 2 * mebibyte
          ? Effect.zipRight(Deferred.succeed(reached, undefined), Effect.never)
          : Effect.void
    }))
    yield* Deferred.await(reached)
    return fiber
  })

  it.scoped("keeps its windows when it is interrupted with onFailure keep, and reports them as kept when it resumes", () =>
    inFolder(Effect.gen(function*() {
      const { requested, download, fs, names, path } = yield* prepared
      yield* Effect.flatMap(begun(download, { onFailure: "keep" }), Fiber.interrupt)
      expect(yield* names).toHaveLength(3)
      expect(same(yield* fs.readFile(path), older)).toBe(true)
      requested.length = 0
      const reported: Array<readonly [string, number]> = []
      yield* download({
        concurrency: 1,
        onProgress: ({ _tag, bytes }) => Effect.sync(() => void reported.push([_tag, bytes / mebibyte]))
      })
      expect(requested).toEqual([2, 3])
      expect(reported).toEqual([["Kept", 1], ["Kept", 2], ["Verified", 3], ["Verified", 3.5]])
      expect(same(yield* fs.readFile(path), bytes)).toBe(true)
      expect(yield* names).toEqual(["holiday.tar"])
    })))

  it.scoped("fetches all windows again when their size is another", () =>
    inFolder(Effect.gen(function*() {
      const { requested, download, fs, names, path } = yield* prepared
      yield* Effect.flatMap(begun(download, { onFailure: "keep" }), Fiber.interrupt)
      requested.length = 0
      yield* download({ windowSize: 2 * mebibyte })
      expect(requested).toEqual([0, 2])
      expect(same(yield* fs.readFile(path), bytes)).toBe(true)
      expect(yield* names).toEqual(["holiday.tar"])
    })))

  it.scoped("keeps its windows when one stays damaged, with onFailure keep", () =>
    inFolder(Effect.gen(function*() {
      const { requested, download, fs, path } = yield* prepared
      const error = yield* Effect.flip(
        download({ onFailure: "keep", concurrency: 1 }).pipe(
          replacing((glacier) => ({
            getJobOutput: (input) =>
              Effect.map(glacier.getJobOutput(input), (response) =>
                input.range?.start === 2 * mebibyte ? { ...response, body: Stream.empty } : response)
          }))
        )
      )
      expect(error).toBeInstanceOf(BrokenOutput)
      requested.length = 0
      yield* download()
      expect(requested).toEqual([2, 3])
      expect(same(yield* fs.readFile(path), bytes)).toBe(true)
    })))

  it.scoped("ignores lines of the window log that do not match the bytes, and cuts a file that is too long", () =>
    inFolder(Effect.gen(function*() {
      const { requested, checkpoint, download, fs, partial, path } = yield* prepared
      yield* Effect.flatMap(begun(download, { onFailure: "keep" }), Fiber.interrupt)
      const zeros = Support.treeHash(new Uint8Array(mebibyte))
      for (const file of yield* checkpoint) {
        yield* fs.writeFileString(file, `\n0-1048575 ${zeros}\nbytes\n\u0000\n9-1 ${zeros}\n`, { flag: "a" })
      }
      for (const file of yield* partial) yield* fs.truncate(file, 9 * mebibyte)
      requested.length = 0
      yield* download()
      expect(requested.sort()).toEqual([0, 2, 3])
      expect(same(yield* fs.readFile(path), bytes)).toBe(true)
    })))

  it.scoped("is rejected while another download writes to the path, and does not disturb it", () =>
    inFolder(Effect.gen(function*() {
      const { download, fs, names, path } = yield* prepared
      const fiber = yield* begun(download, { onFailure: "keep" })
      const before = yield* names
      const error = yield* Effect.flip(download())
      expect(error).toMatchObject({ _tag: "FileInUse", path, owner: "this process" })
      expect(error.message).toBe(`${path} is in use by this process`)
      expect(yield* names).toEqual(before)
      yield* Fiber.interrupt(fiber)
      yield* download()
      expect(same(yield* fs.readFile(path), bytes)).toBe(true)
    })))

  it.scoped("is rejected by any path that leads to a target in use, also for other bytes", () =>
    inFolder(Effect.gen(function*() {
      const { download, fs, output, path } = yield* prepared
      const folder = path.slice(0, path.lastIndexOf("/"))
      yield* fs.makeDirectory(`${folder}/sub`)
      yield* fs.symlink(folder, `${folder}/linked`)
      const fiber = yield* begun(download, { onFailure: "keep" })
      const others: ReadonlyArray<readonly [string, Download.Output]> = [
        [`${folder}/./holiday.tar`, output],
        [`${folder}/sub/../holiday.tar`, output],
        [`${folder}/linked/holiday.tar`, output],
        [relative(process.cwd(), path), output],
        [path, { ...output, treeHash: Option.some(Support.treeHash(older)) }]
      ]
      for (const [other, output] of others) {
        const error = yield* Effect.flip(Download.toFile(output, other, { windowSize }))
        expect(error).toEqual(new FileInUse({ path, owner: "this process" }))
      }
      yield* Fiber.interrupt(fiber)
    })))

  /** Begins a download and pauses it at that number of bytes. Returns the effect that runs the rest of it. */
  const paused = Effect.fnUntraced(function*(
    download: Effect.Effect.Success<typeof prepared>["download"],
    at: number
  ) {
    const reached = yield* Deferred.make<void>()
    const going = yield* Deferred.make<void>()
    const fiber = yield* Effect.fork(download({
      concurrency: 1,
      onProgress: (progress) =>
        progress.bytes === at
          ? Effect.zipRight(Deferred.succeed(reached, undefined), Deferred.await(going))
          : Effect.void
    }))
    yield* Deferred.await(reached)
    return Effect.zipRight(Deferred.succeed(going, undefined), Fiber.join(fiber))
  })

  const moments = [2 * mebibyte, bytes.length].flatMap((at) => [
    { at, what: "removes its partial file", others: [] },
    { at, what: "starts again in its place", others: ["theirs"] }
  ])

  it.scoped.each(moments)(
    "fails when a process that does not see the lock $what after $at bytes, and keeps the other's files",
    ({ at, others }) =>
      inFolder(Effect.gen(function*() {
        const { checkpoint, download, fs, names, partial, path } = yield* prepared
        const mine = yield* paused(download, at)
        const files = [...(yield* partial), ...(yield* checkpoint)]
        for (const file of files) {
          yield* fs.remove(file)
          for (const other of others) yield* fs.writeFileString(file, other)
        }
        const error = yield* Effect.flip(mine)
        expect(error).toEqual(new FileReplaced({ path, partial: String(files[0]) }))
        expect(same(yield* fs.readFile(path), older)).toBe(true)
        const left = yield* Effect.forEach(files, (file) => Effect.option(fs.readFileString(file)))
        expect(left).toEqual(files.map(() => Option.fromNullable(others[0])))
        expect(yield* names).toHaveLength(1 + 2 * others.length)
      }))
  )
})
