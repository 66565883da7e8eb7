import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Stream from "effect/Stream"
import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import * as Lock from "../../src/node/internal/lock.ts"
import * as NodeFileLock from "../../src/node/NodeFileLock.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"
import { FileInUse, FileLock } from "../../src/transfer/FileLock.ts"
import * as Target from "../../src/transfer/Target.ts"
import { temporaryFolder } from "../support/folders.ts"
import { runScript } from "../support/processes.ts"

const acquire = (path: string) => Effect.flatMap(FileLock, ({ acquire }) => acquire(path, `${path}.lock`))

/** Takes a lock and releases it. */
const takeAndRelease = (path: string) => Effect.scoped(acquire(path))

/** The entry by which this process owns a lock. */
const entryOf = (path: string) =>
  Effect.scoped(Effect.map(acquire(path), () => {
    const [pid = "", start = "", place = "", ...host] = String(readdirSync(`${path}.lock`)[0]).split("-")
    return { pid, start, place, host: host.join("-") }
  }))

const print = (entry: Effect.Effect.Success<ReturnType<typeof entryOf>>) => Object.values(entry).join("-")

/** Makes a lock with an entry. */
const makeLock = (path: string, entry: string) => {
  mkdirSync(`${path}.lock`)
  writeFileSync(join(`${path}.lock`, entry), "")
}

describe("NodeFileLock", () => {
  it.scopedLive("rejects a second owner in this process by any path, and leaves no files behind", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryFolder
      mkdirSync(join(directory, "real"))
      symlinkSync("real", join(directory, "linked"))
      const path = join(directory, "real", "file")
      yield* Effect.scoped(Effect.gen(function*() {
        yield* acquire(path)
        for (const other of [path, join(directory, "linked", "file"), `${directory}/real/../linked/./file`]) {
          expect(yield* Effect.flip(takeAndRelease(other))).toEqual(
            new FileInUse({ path: other, owner: "this process" })
          )
        }
        yield* takeAndRelease(`${path}2`)
      }))
      yield* takeAndRelease(path)
      expect(readdirSync(join(directory, "real"))).toEqual([])
    }).pipe(Effect.provide(NodeFileLock.layer)))

  it.scopedLive(
    "rejects a thread of this process that loads its own copy of the library",
    () =>
      Effect.gen(function*() {
        const path = join(yield* temporaryFolder, "file")
        yield* acquire(path)
        const script = fileURLToPath(new URL("locker.ts", import.meta.url))
        const output = yield* Effect.async<string>((resume) => {
          const worker = new Worker(
            `import("tsx/esm/api").then(({ register }) => {
            register()
            process.argv.push(${JSON.stringify(path)})
            return import(${JSON.stringify(script)})
          })`,
            { eval: true, stdout: true }
          )
          worker.stdout.once("data", (bytes: Buffer) => {
            resume(Effect.as(Effect.promise(() => worker.terminate()), bytes.toString().trim()))
          })
        })
        expect(output).toBe(`${path} is in use by this process`)
      }).pipe(Effect.provide(NodeFileLock.layer)),
    60_000
  )

  it.scopedLive(
    "rejects a lock with the name of its process, and takes it over once that process is killed",
    () =>
      Effect.gen(function*() {
        const path = join(yield* temporaryFolder, "file")
        const { exit, firstLine, kill } = yield* runScript(
          fileURLToPath(new URL("locker.ts", import.meta.url)),
          [path]
        )
        const owner = yield* firstLine
        expect(owner).toMatch(/^process \d+$/)
        const rejected = yield* Effect.flip(takeAndRelease(path))
        expect(rejected).toEqual(new FileInUse({ path, owner, lock: `${path}.lock` }))
        expect(rejected.message).toBe(
          `${path} is in use by ${owner}. If that process no longer runs, remove ${path}.lock`
        )
        yield* kill("SIGKILL")
        yield* exit
        expect(existsSync(`${path}.lock`)).toBe(true)
        yield* takeAndRelease(path)
        expect(existsSync(`${path}.lock`)).toBe(false)
      }).pipe(Effect.provide(NodeFileLock.layer)),
    60_000
  )

  it.scopedLive.each([
    { what: "started at another time", by: (own: string) => ({ start: `${own}1` }) },
    { what: "ran before the machine was restarted", by: () => ({ start: "0.1" }) },
    { what: "belongs to no process", by: () => ({ pid: "2147483646" }) }
  ])("takes over the lock of a process whose number $what", ({ by }) =>
    Effect.gen(function*() {
      const path = join(yield* temporaryFolder, "file")
      const own = yield* entryOf(path)
      makeLock(path, print({ ...own, ...by(own.start) }))
      yield* takeAndRelease(path)
      expect(existsSync(`${path}.lock`)).toBe(false)
    }).pipe(Effect.provide(NodeFileLock.layer)))

  it.scopedLive("leaves no lock beside a file whose download died after it was complete, once that is finished", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const path = join(folder, "file")
      writeFileSync(path, "bytes")
      const own = yield* entryOf(path)
      // The name of the lock of all downloads to a target.
      makeLock(`${path}.e3b0c44298fc1c14`, print({ ...own, pid: "2147483646" }))
      yield* Target.finish(path, yield* TreeHash.ofStream(Stream.make(new TextEncoder().encode("bytes"))))
      expect(readdirSync(folder)).toEqual(["file"])
    }).pipe(Effect.provide([NodeFileLock.layer, NodeFileSystem.layer])))

  it.scopedLive("takes a lock without an entry, whose owner died while it released it", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryFolder, "file")
      mkdirSync(`${path}.lock`)
      mkdirSync(`${path}.lock.abcdef`)
      yield* takeAndRelease(path)
      expect(existsSync(`${path}.lock`)).toBe(false)
    }).pipe(Effect.provide(NodeFileLock.layer)))

  it.scopedLive("removes what a dead process prepared for another lock, with the lock that it owned", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const own = yield* entryOf(join(folder, "plan"))
      const dead = { ...own, pid: 2147483646 }
      const prepare = (path: string, me: Lock.Owner) =>
        Lock.taking(path, `${path}.lock`, { me, startOf: () => undefined }).next()
      prepare(join(folder, "dead"), dead)
      prepare(join(folder, "living"), { ...own, pid: Number(own.pid) })
      makeLock(join(folder, "plan"), print({ ...own, pid: "2147483646" }))
      yield* takeAndRelease(join(folder, "plan"))
      expect(readdirSync(folder)).toEqual([expect.stringMatching(/^living\.lock\./)])
    }).pipe(Effect.provide(NodeFileLock.layer)))

  it.scopedLive.each([
    { what: "of another host", by: { host: "backup1" }, owner: "process PID on host backup1" },
    {
      what: "of another container with the name of this host",
      by: { place: "0123456789ab" },
      owner: "process PID in another container or machine named HOST"
    }
  ])("never takes over a lock $what, and names the folder to remove", ({ by, owner }) =>
    Effect.gen(function*() {
      const path = join(yield* temporaryFolder, "file")
      const own = yield* entryOf(path)
      makeLock(path, print({ ...own, ...by }))
      expect(yield* Effect.flip(takeAndRelease(path))).toEqual(
        new FileInUse({ path, owner: owner.replace("PID", own.pid).replace("HOST", own.host), lock: `${path}.lock` })
      )
      expect(readdirSync(`${path}.lock`)).toEqual([print({ ...own, ...by })])
    }).pipe(Effect.provide(NodeFileLock.layer)))

  it.scopedLive("does not change a folder that is not a lock", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryFolder, "file")
      makeLock(path, "notes.txt")
      expect((yield* Effect.flip(takeAndRelease(path))).message).toBe(
        `${path} is in use by something that left "notes.txt" there. ` +
          `If that process no longer runs, remove ${path}.lock`
      )
      expect(readdirSync(`${path}.lock`)).toEqual(["notes.txt"])
    }).pipe(Effect.provide(NodeFileLock.layer)))

  it.scopedLive("names the reason why a lock cannot be made", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryFolder
      writeFileSync(join(directory, "notes"), "mine")
      const path = join(directory, "notes", "file")
      expect(yield* Effect.flip(takeAndRelease(path))).toMatchObject({
        _tag: "FileLockFailed",
        message: expect.stringMatching(new RegExp(`^${path} cannot be locked: (ENOTDIR|EEXIST): `))
      })
      writeFileSync(join(directory, "file.lock"), "mine")
      expect(yield* Effect.flip(takeAndRelease(join(directory, "file")))).toMatchObject({ _tag: "FileLockFailed" })
      expect(readdirSync(directory).sort()).toEqual(["file.lock", "notes"])
    }).pipe(Effect.provide(NodeFileLock.layer)))

  it.scopedLive("does not release a lock that was removed and belongs to another process now", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryFolder, "file")
      const other = print({ ...(yield* entryOf(path)), pid: "1" })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* acquire(path)
        renameSync(`${path}.lock`, `${path}.away`)
        makeLock(path, other)
      }))
      expect(readdirSync(`${path}.lock`)).toEqual([other])
    }).pipe(Effect.provide(NodeFileLock.layer)))
})

describe("the steps of NodeFileLock", () => {
  /** A simulated process. It takes and releases the lock, may die at any step, and is started again with the same number. */
  interface Process {
    viewer: Lock.Viewer
    state: "idle" | "taking" | "owning" | "releasing"
    steps: Generator<void, void> | undefined
  }

  it.scopedLive.prop(
    "give a lock to at most one live process, in any order of steps and deaths, and never block a live one for ever",
    [
      FastCheck.array(
        FastCheck.record({
          index: FastCheck.nat(3),
          act: FastCheck.oneof(
            { weight: 12, arbitrary: FastCheck.constant("step") },
            { weight: 1, arbitrary: FastCheck.constant("die") }
          )
        }),
        { minLength: 40, maxLength: 120 }
      )
    ],
    ([acts]) =>
      Effect.gen(function*() {
        const path = join(yield* temporaryFolder, "file")
        const lock = `${path}.lock`
        let starts = 0
        const running = new Map<number, string>()
        const startProcess = (pid: number): Process => {
          const start = `0.${starts++}`
          running.set(pid, start)
          const me = { pid, start, place: "here", host: "host" }
          return { viewer: { me, startOf: (pid) => running.get(pid) }, state: "idle", steps: undefined }
        }
        const processes = [1, 2, 3, 4].map(startProcess)
        const owners = () => processes.filter(({ state }) => state === "owning")

        const step = (process: Process) => {
          if (process.state === "idle") process.steps = Lock.taking(path, lock, process.viewer)
          if (process.state === "owning") process.steps = Lock.releasing(lock, process.viewer)
          if (process.state === "idle") process.state = "taking"
          if (process.state === "owning") process.state = "releasing"
          try {
            if (process.steps?.next().done !== true) return
            process.state = process.state === "taking" ? "owning" : "idle"
          } catch (error) {
            expect(error).toBeInstanceOf(FileInUse)
            // Only a live process may have been the reason.
            const owner = error instanceof FileInUse ? Number(/\d+/.exec(error.owner)?.[0]) : 0
            expect(processes.some(({ state, viewer }) => viewer.me.pid === owner && state !== "idle")).toBe(true)
            process.state = "idle"
          }
        }

        for (const { act, index } of acts) {
          const process = processes[index]
          if (process === undefined) continue
          if (act === "step") step(process)
          else processes[index] = startProcess(process.viewer.me.pid)
          expect(owners().length).toBeLessThanOrEqual(1)
        }

        processes.splice(0, 4, ...[1, 2, 3, 4].map(startProcess))
        const [last] = processes
        while (last !== undefined && last.state !== "owning") step(last)
        expect(owners()).toHaveLength(1)
      }),
    { fastCheck: { numRuns: 100 }, timeout: 60_000 }
  )
})
