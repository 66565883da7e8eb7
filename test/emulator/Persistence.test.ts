import { FileSystem, Path } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, FastCheck, Fiber, Layer, Scope, Stream, TestClock } from "effect"
import { execFileSync } from "node:child_process"
import { Emulator } from "../../src/emulator/index.ts"
import { fill, readAll } from "./contents.ts"
import * as Support from "./support.ts"

const { call, createVault, hashes, initiateJob, ramp, text, upload, vault } = Support

const MiB = 1_048_576

const layer = (directory: string, options: Emulator.Options = {}) =>
  Emulator.layerHttpClient.pipe(
    Layer.provide(Emulator.layerFileSystem({ ...options, directory })),
    Layer.provide(Support.layerSha256)
  )

const temporary = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped({ prefix: "emulator-" }))

const blobs = (directory: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readDirectory(`${directory}/blobs`))

const provide = Effect.provide(NodeContext.layer)

describe("persistence", () => {
  it.scoped("all acknowledged changes survive the death of the process", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* temporary
      const copy = yield* temporary
      const options = { inventoryDelay: 0 }
      const { before, ids } = yield* Effect.gen(function*() {
        const ids = yield* fill
        const before = yield* readAll(ids.jobs, ids.uploads)
        // The files as a process leaves them that is killed now, without closing or flushing anything.
        yield* fs.copy(directory, copy, { overwrite: true })
        return { before, ids }
      }).pipe(Effect.provide(layer(directory, options)))
      expect(before.every(({ status }) => status === 200)).toBe(true)
      for (const place of [copy, directory]) {
        // Other delays do not change the times of existing jobs.
        for (const options of [{ inventoryDelay: 0 }, { inventoryDelay: "24 hours", jobDelay: "1 minute" }] as const) {
          const after = yield* readAll(ids.jobs, ids.uploads).pipe(Effect.provide(layer(place, options)))
          expect(after).toEqual(before)
        }
      }
      // 1 archive, 2 parts of another, 1 deleted archive that its job still reads, 2 open parts, 2 inventories.
      expect(yield* blobs(directory)).toHaveLength(8)

      yield* TestClock.adjust("25 hours")
      yield* readAll([], []).pipe(Effect.provide(layer(directory, options)))
      expect(yield* blobs(directory)).toHaveLength(3)
    }).pipe(provide), 20_000)

  it.scoped("an incomplete last line is removed, because it was never acknowledged", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* temporary
      const journal = `${directory}/journal.jsonl`
      yield* createVault("photos").pipe(Effect.provide(layer(directory)))
      const whole = yield* fs.readFileString(journal)
      yield* fs.writeFileString(journal, `${whole}{"_tag":"VaultCreated","at":0,"vault":"arn:aws:gla`)
      const again = yield* Effect.zip(createVault("films"), call("GET", "/-/vaults")).pipe(
        Effect.provide(layer(directory))
      )
      expect(again[1].text).toContain("films")
      expect(yield* fs.readFileString(journal)).toBe(whole + whole.replace("photos", "films"))
    }).pipe(provide))

  it.scoped.prop("a journal that is cut anywhere opens with its complete lines", [
    FastCheck.double({ min: 0, max: 1, noNaN: true })
  ], ([
    where
  ]) =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* temporary
      const journal = `${directory}/journal.jsonl`
      yield* Effect.forEach(["a", "b", "c"], createVault).pipe(Effect.provide(layer(directory)))
      const whole = yield* fs.readFile(journal)
      const cut = whole.subarray(0, Math.floor(where * whole.length))
      yield* fs.writeFile(journal, cut)
      const { text } = yield* call("GET", "/-/vaults").pipe(Effect.provide(layer(directory)))
      const lines = cut.filter((byte) => byte === 10).length
      expect(Support.list({ json: JSON.parse(text) }, "VaultList")).toHaveLength(lines)
      expect(Number((yield* fs.stat(journal)).size)).toBe(cut.lastIndexOf(10) + 1)
    }).pipe(provide), { fastCheck: { numRuns: 15 } })

  it.scoped("a journal that cannot be read fails with EmulatorStorageError", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = yield* temporary
      const journal = path.join(directory, "journal.jsonl")
      yield* createVault("photos").pipe(Effect.provide(layer(directory)))
      const whole = yield* fs.readFileString(journal)
      const cases = [
        [`nonsense\n${whole}`, "line 1 is not an event of this emulator"],
        [`${whole}\n`, "line 2 is not an event of this emulator"],
        [whole + whole.replace("VaultCreated", "VaultBurnt"), "line 2 is not an event of this emulator"],
        [whole.replace("VaultCreated", "VaultDeleted"), "line 1 contradicts the lines before it"]
      ] as const
      for (const [contents, reason] of cases) {
        yield* fs.writeFileString(journal, contents)
        const error = yield* Effect.flip(Effect.scoped(Layer.build(layer(directory))))
        expect(error).toMatchObject({ _tag: "EmulatorStorageError", path: journal, reason })
        expect(yield* fs.readFileString(journal)).toBe(contents)
      }
      yield* fs.writeFileString(path.join(directory, "file"), "")
      const error = yield* Effect.flip(Effect.scoped(Layer.build(layer(path.join(directory, "file")))))
      expect(error._tag).toBe("EmulatorStorageError")
    }).pipe(provide))

  it.scoped("blobs without references are removed at the start", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* temporary
      yield* Effect.zipRight(createVault("photos"), upload("photos", text("one"))).pipe(
        Effect.provide(layer(directory))
      )
      const kept = yield* blobs(directory)
      yield* fs.writeFileString(`${directory}/blobs/orphan`, "from a process that was killed")
      yield* call("GET", "/-/vaults").pipe(Effect.provide(layer(directory)))
      expect(yield* blobs(directory)).toEqual(kept)
    }).pipe(provide))

  it.scoped("uploads that are rejected, cut off or interrupted, and deleted archives leave no blobs", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      yield* Effect.gen(function*() {
        yield* createVault("photos")
        const bytes = ramp(2 * MiB)
        const send = (body: Stream.Stream<Uint8Array, unknown>, headers: Record<string, string> = {}) =>
          call("POST", `${vault("photos")}/archives`, {
            body: { stream: body, length: bytes.length },
            headers: { ...hashes(bytes), ...headers }
          })
        const half = Stream.succeed(bytes.subarray(MiB))
        expect((yield* send(half)).status).toBe(400)
        expect((yield* send(Stream.concat(half, Stream.fail("cut")))).status).toBe(400)
        expect((yield* send(Stream.make(bytes, bytes))).status).toBe(400)
        expect((yield* send(Stream.succeed(bytes), { "x-amz-sha256-tree-hash": "0".repeat(64) })).status).toBe(400)
        const fiber = yield* Effect.fork(send(Stream.concat(half, Stream.never)))
        yield* Effect.iterate(0, {
          while: (files) => files === 0,
          body: () => Effect.zipRight(Effect.yieldNow(), Effect.map(blobs(directory), (files) => files.length))
        })
        yield* Fiber.interrupt(fiber)
        expect(yield* blobs(directory)).toEqual([])

        const id = yield* upload("photos", bytes)
        expect(yield* blobs(directory)).toHaveLength(1)
        yield* call("DELETE", `${vault("photos")}/archives/${id}`)
        expect(yield* blobs(directory)).toEqual([])
      }).pipe(Effect.provide(layer(directory)))
    }).pipe(provide))

  it.scoped("responds with 500 to a request for output whose blob is missing", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* temporary
      yield* Effect.gen(function*() {
        yield* createVault("photos")
        const id = yield* upload("photos", ramp(2 * MiB))
        const archive = { Type: "archive-retrieval", ArchiveId: id, RetrievalByteRange: `${MiB}-${2 * MiB - 1}` }
        const jobs = yield* Effect.forEach(
          [archive, { Type: "inventory-retrieval" }],
          (parameters) => initiateJob("photos", parameters)
        )
        for (const name of yield* blobs(directory)) yield* fs.remove(`${directory}/blobs/${name}`)
        for (const job of jobs) {
          const { json, status } = yield* call("GET", `${vault("photos")}/jobs/${job}/output`)
          expect([status, json["code"]]).toEqual([500, "ServiceUnavailableException"])
        }
      }).pipe(Effect.provide(layer(directory, { jobDelay: 0, inventoryDelay: 0 })))
    }).pipe(provide))

  it.scoped("responds with 500 when it cannot write, and acknowledges nothing afterwards", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* temporary
      let full = false
      const failing = Layer.succeed(FileSystem.FileSystem, {
        ...fs,
        open: (path, options) =>
          Effect.map(fs.open(path, options), (file) =>
            new Proxy(file, {
              get: (target, name) =>
                name === "writeAll"
                  ? (bytes: Uint8Array) => full ? fs.stat("/nowhere") : target.writeAll(bytes)
                  : Reflect.get(target, name)
            }))
      })
      const scope = yield* Scope.make()
      const client = yield* Layer.build(layer(directory).pipe(Layer.provide(failing))).pipe(Scope.extend(scope))
      yield* Effect.gen(function*() {
        expect((yield* createVault("photos")).status).toBe(201)
        full = true
        const failed = yield* createVault("films")
        expect([failed.status, failed.json["code"], failed.json["type"]]).toEqual([
          500,
          "ServiceUnavailableException",
          "Server"
        ])
        full = false
        expect((yield* call("GET", vault("films"))).status).toBe(500)
      }).pipe(Effect.provide(client))
      yield* Scope.close(scope, Exit.void)
      const { text } = yield* call("GET", "/-/vaults").pipe(Effect.provide(layer(directory)))
      expect(text).toContain("photos")
      expect(text).not.toContain("films")
    }).pipe(provide))

  it.scopedLive("reports a pipe at the path of the journal without opening it", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      execFileSync("mkfifo", [`${directory}/journal.jsonl`])
      const error = yield* Effect.flip(Effect.provide(call("GET", "/-/vaults"), layer(directory)))
      expect(error).toMatchObject({ _tag: "EmulatorStorageError" })
      expect(`${error}`).toContain(
        `${directory}/journal.jsonl: the journal cannot be opened (it is a FIFO, not a file)`
      )
    }).pipe(Effect.provide(NodeContext.layer)))
})
