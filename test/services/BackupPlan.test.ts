import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { execFileSync } from "node:child_process"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as ArchiveName from "../../src/protocol/ArchiveName.ts"
import { AccessDenied } from "../../src/protocol/ServiceError.ts"
import * as BackupPlan from "../../src/services/BackupPlan.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import type { Event } from "../../src/transfer/Progress.ts"
import * as Source from "../../src/transfer/Source.ts"
import { temporaryFolder } from "../support/folders.ts"
import { type Change, gauge, mebibyte, recording, replacing, same, treeHash } from "../transfer/support.ts"
import { errorResponseOf } from "../transport/support.ts"
import * as Backups from "./backups.ts"
import { layer } from "./support.ts"

const { backUp, bytesOf, inside, makeFile, storedFiles, streamOf } = Backups

const provided = (change?: Change) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(Effect.provide(layer(change, { inventoryDelay: 0, jobDelay: 0 })), Effect.provide(Checkpoint.layerMemory))

/** Files of 1 to 3 bytes. */
const smallFiles = (count: number) =>
  Array.from({ length: count }, (_, index) => makeFile(`folder/${index}`, bytesOf(1 + index % 3, index)))

/** The text of the archive of a file, as `storedFiles` has it. */
const expected = (path: string, bytes: Uint8Array) => `${path} ${bytes.length} ${treeHash(bytes)}`

/** Runs an effect with a vault whose client has some methods replaced. */
const withClient = (replace: Parameters<typeof replacing>[0]) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  replacing(replace)(Effect.provide(effect, Vault.layer("photos")))

/** The service completes the upload, but the response is lost with its process. */
const losingCompletion = withClient((glacier) => ({
  completeMultipartUpload: (input) => Effect.zipRight(glacier.completeMultipartUpload(input), Effect.interrupt)
}))

/** A file of 2 parts whose upload has failed after the first. */
const halfDone = Effect.gen(function*() {
  const file = makeFile("film", bytesOf(2 * mebibyte, 1))
  const run = backUp(streamOf([file]), { upload: { partSize: mebibyte, concurrency: 1 } })
  const failing = withClient((glacier) => ({
    uploadMultipartPart: (input) =>
      input.range.start > 0
        ? Effect.fail(new AccessDenied({ operation: "", status: 403, message: "" }))
        : glacier.uploadMultipartPart(input)
  }))
  expect(yield* failing(run)).toEqual(["film UploadKept"])
  expect((yield* inside).uploads.length).toBe(1)
  return { file, run }
})

/** The archives in the inventory of the vault. */
const listed = Effect.gen(function*() {
  const job = yield* (yield* Vault.Vault).retrieveInventory()
  const { archives } = yield* job.inventory
  return Chunk.toReadonlyArray(yield* Stream.runCollect(archives()))
})

const of = <E, R>(...items: ReadonlyArray<BackupPlan.File<E, R> | BackupPlan.Unusable>) => Stream.fromIterable(items)

describe("BackupPlan.run", () => {
  it.effect("stores each file with its path and modification time, and not again in the next run", () => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      const files = [...smallFiles(9), makeFile("large", bytesOf(2.5 * mebibyte, 9))]
      const run = backUp(streamOf(files), { upload: { partSize: mebibyte } })
      expect(yield* run).toEqual(files.map(({ path }) => `${path} now`))
      expect(yield* storedFiles).toEqual(files.map(({ path, state }) => expected(path, state.bytes)).sort())
      const { archives, uploads } = yield* inside
      expect(uploads).toEqual([])
      for (const { bytes, description } of archives) {
        const { modified, path } = Option.getOrThrow(ArchiveName.read(description))
        expect(modified).toEqual(Option.some(DateTime.unsafeMake(1_000_000)))
        const file = files.find((file) => file.path === path)
        expect(file && same(yield* bytes, file.state.bytes)).toBe(true)
      }
      sent.length = 0
      for (const { state } of files) state.reads = 0
      expect(yield* run).toEqual(files.map(({ path }) => `${path} before`))
      expect(sent).toEqual([])
      expect(files.every(({ state }) => state.reads === 0)).toBe(true)
    }).pipe(provided(change))
  })

  it.effect("returns the ids of the archives, in this run and the next", () =>
    Effect.gen(function*() {
      const run = Stream.runCollect(BackupPlan.run("home", streamOf(smallFiles(2))))
      for (let n = 0; n < 2; n++) {
        const found = new Map((yield* inside).archives.map(({ archiveId, treeHash }) => [archiveId, treeHash]))
        for (const outcome of yield* run) {
          if (outcome._tag !== "Stored") throw new Error(outcome._tag)
          if (n === 1) expect(found.get(outcome.archive.archiveId)).toBe(outcome.archive.treeHash)
        }
      }
    }).pipe(provided()))

  it.effect("reports an empty file by its path, and stores the others", () =>
    Effect.gen(function*() {
      const files = [makeFile("a", bytesOf(1, 0)), makeFile("b", new Uint8Array()), makeFile("c", bytesOf(1, 1))]
      expect(yield* backUp(streamOf(files))).toEqual(["a now", "b empty", "c now"])
    }).pipe(provided()))

  it.effect("rejects a path that does not fit in a description, before anything is sent", () => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      const files = [
        makeFile("a".repeat(733), bytesOf(1, 0)),
        makeFile(" ", bytesOf(1, 1)),
        makeFile("\ud800", bytesOf(1, 2))
      ]
      const outcomes = yield* backUp(streamOf(files))
      expect(outcomes.map((text) => text.split(" ").at(-1))).toEqual(Array(3).fill("InvalidInput"))
      expect(sent).toEqual([])
      expect(yield* backUp(streamOf([makeFile("a".repeat(732), bytesOf(1, 0))]))).toEqual([`${"a".repeat(732)} now`])
    }).pipe(provided(change))
  })

  it.effect("rejects the second file with a path, also while the first one fails", () =>
    Effect.gen(function*() {
      const [file] = smallFiles(1)
      const modified = DateTime.unsafeMake(0)
      const broken = {
        path: "broken",
        source: { size: Effect.fail({ _tag: "Broken" } as const), read: () => Effect.never },
        modified
      }
      const items = [file, file].flatMap((file) => file === undefined ? [] : [file.listed()])
      const outcomes = yield* Stream.runCollect(
        BackupPlan.run("home", of<{ readonly _tag: "Broken" }, never>(...items, broken, broken))
      )
      expect(Chunk.toReadonlyArray(outcomes).map(Backups.textOf).sort()).toEqual([
        "broken Broken",
        "broken PathRepeated",
        "folder/0 PathRepeated",
        "folder/0 now"
      ])
    }).pipe(provided()))

  it.effect("stores each file although others fail, and tries the failed ones again in the next run", () => {
    let isForbidden = true
    const change: Change = (send, request) => {
      const name = request.headers["x-amz-archive-description"] ?? ""
      return isForbidden && Option.exists(ArchiveName.read(name), ({ path }) => path === "folder/1")
        ? Effect.succeed(errorResponseFor(request))
        : send
    }
    const errorResponseFor = (request: Parameters<Change>[1]) =>
      HttpClientResponse.fromWeb(request, errorResponseOf(403, "AccessDeniedException"))
    return Effect.gen(function*() {
      const run = backUp(streamOf(smallFiles(3)))
      expect(yield* run).toEqual(["folder/0 now", "folder/1 AccessDenied", "folder/2 now"])
      isForbidden = false
      expect(yield* run).toEqual(["folder/0 before", "folder/1 now", "folder/2 before"])
      expect((yield* inside).archives.length).toBe(3)
    }).pipe(provided(change))
  })

  it.effect("resumes a file whose upload failed, with the parts that the service has", () => {
    let puts = 0
    const change: Change = (send, request) => {
      if (request.method !== "PUT" || ++puts !== 3) return send
      return Effect.succeed(HttpClientResponse.fromWeb(request, errorResponseOf(403, "AccessDeniedException")))
    }
    return Effect.gen(function*() {
      const file = makeFile("film", bytesOf(4 * mebibyte, 1))
      const run = backUp(streamOf([file]), { upload: { partSize: mebibyte, concurrency: 1 } })
      expect(yield* run).toEqual(["film UploadKept"])
      expect(yield* run).toEqual(["film now"])
      expect(puts).toBe(5)
      const { archives, uploads } = yield* inside
      expect([archives.length, uploads.length]).toEqual([1, 0])
    }).pipe(provided(change))
  })

  describe("with a file that has changed", () => {
    it.effect("stores other bytes as a new archive, and keeps the earlier one", () =>
      Effect.gen(function*() {
        const file = makeFile("a", bytesOf(10, 1))
        yield* backUp(streamOf([file]))
        const first = file.state.bytes
        file.write(bytesOf(10, 2))
        expect(yield* backUp(streamOf([file]))).toEqual(["a now"])
        expect(yield* storedFiles).toEqual([expected("a", first), expected("a", file.state.bytes)].sort())
        expect(yield* backUp(streamOf([file]))).toEqual(["a before"])
      }).pipe(provided()))

    it.effect("reads a file with another modification time once, and stores the same bytes only once", () => {
      const { change, sent } = recording()
      return Effect.gen(function*() {
        const file = makeFile("a", bytesOf(10, 1))
        yield* backUp(streamOf([file]))
        file.write(file.state.bytes)
        file.state.reads = 0
        sent.length = 0
        for (let n = 0; n < 2; n++) expect(yield* backUp(streamOf([file]))).toEqual(["a before"])
        expect(file.state.reads).toBe(1)
        expect(sent).toEqual([])
      }).pipe(provided(change))
    })

    it.effect("aborts the upload that began with other bytes, and stores the file as it is now", () => {
      let isBroken = true
      const change: Change = (send, request) =>
        isBroken && request.method === "PUT" && request.headers["content-range"]?.startsWith("bytes 1048576-") === true
          ? Effect.succeed(HttpClientResponse.fromWeb(request, errorResponseOf(403, "AccessDeniedException")))
          : send
      return Effect.gen(function*() {
        const file = makeFile("film", bytesOf(2 * mebibyte, 1))
        const run = backUp(streamOf([file]), { upload: { partSize: mebibyte, concurrency: 1 } })
        expect(yield* run).toEqual(["film UploadKept"])
        expect((yield* inside).uploads.length).toBe(1)
        isBroken = false
        file.write(bytesOf(2 * mebibyte, 2))
        expect(yield* run).toEqual(["film now"])
        expect(yield* storedFiles).toEqual([expected("film", file.state.bytes)])
        expect((yield* inside).uploads).toEqual([])
      }).pipe(provided(change))
    })

    it.effect("starts again when the file is written to during its upload", () =>
      Effect.gen(function*() {
        const file = makeFile("log", bytesOf(10, 1))
        file.state.onRead = () => {
          file.state.onRead = () => {}
          file.write(bytesOf(10, 2))
        }
        expect(yield* backUp(streamOf([file]))).toEqual(["log now"])
        expect(yield* storedFiles).toEqual([expected("log", file.state.bytes)])
        expect((yield* inside).uploads).toEqual([])
      }).pipe(provided()))

    it.effect("fails when the file is written to all the time, and leaves no upload and no archive", () =>
      Effect.gen(function*() {
        const file = makeFile("log", bytesOf(10, 1))
        file.state.onRead = () => file.write(bytesOf(10, file.state.reads))
        expect(yield* backUp(streamOf([file]))).toEqual(["log UploadKept"])
        expect(yield* inside).toEqual({ archives: [], uploads: [] })
        file.state.onRead = () => {}
        expect(yield* backUp(streamOf([file]))).toEqual(["log now"])
      }).pipe(provided()))

    it.effect("keeps the archive of an upload that was completed before, and stores the file as it is now", () =>
      Effect.gen(function*() {
        const file = makeFile("a", bytesOf(10, 1))
        const first = file.state.bytes
        yield* Effect.exit(losingCompletion(backUp(streamOf([file]))))
        file.write(bytesOf(10, 2))
        expect(yield* backUp(streamOf([file]))).toEqual(["a now"])
        expect(yield* storedFiles).toEqual([expected("a", first), expected("a", file.state.bytes)].sort())
        // Both archives are recorded.
        file.write(first)
        expect(yield* backUp(streamOf([file]))).toEqual(["a before"])
        expect((yield* inside).archives.length).toBe(2)
      }).pipe(provided()))

    it.effect("stores nothing if only the modification time has changed since an upload that was completed", () =>
      Effect.gen(function*() {
        const file = makeFile("a", bytesOf(10, 1))
        yield* Effect.exit(losingCompletion(backUp(streamOf([file]))))
        file.write(file.state.bytes)
        expect(yield* backUp(streamOf([file]))).toEqual(["a before"])
        expect((yield* inside).archives.length).toBe(1)
      }).pipe(provided()))

    it.effect("reports OutcomeUnknown and stores nothing while it is unknown whether an upload was completed", () =>
      Effect.gen(function*() {
        const file = makeFile("a", bytesOf(10, 1))
        yield* Effect.exit(losingCompletion(backUp(streamOf([file]))))
        yield* TestClock.adjust("2 days")
        const first = yield* listed
        for (const write of [() => {}, () => file.write(bytesOf(10, 2))]) {
          write()
          expect(yield* backUp(streamOf([file]))).toEqual(["a OutcomeUnknown"])
          expect((yield* inside).archives.length).toBe(1)
        }
        file.write(bytesOf(10, 1))
        expect(yield* backUp(streamOf([file]), { listed: Stream.fromIterable(first) })).toEqual(["a before"])
        expect(yield* backUp(streamOf([file]))).toEqual(["a before"])
        file.write(bytesOf(10, 2))
        expect(yield* backUp(streamOf([file]))).toEqual(["a now"])
      }).pipe(provided()))

    it.effect("aborts the upload of a file that is now empty", () =>
      Effect.gen(function*() {
        const { file, run } = yield* halfDone
        file.write(new Uint8Array())
        expect(yield* run).toEqual(["film empty"])
        expect(yield* inside).toEqual({ archives: [], uploads: [] })
      }).pipe(provided()))
  })

  it.effect("aborts the upload of a file that the Stream does not have any more, and reports one that was completed", () =>
    Effect.gen(function*() {
      yield* halfDone
      yield* Effect.exit(losingCompletion(backUp(streamOf([makeFile("a", bytesOf(10, 1))]))))
      expect(yield* backUp(streamOf([makeFile("b", bytesOf(10, 2))]))).toEqual(["a before", "b now"])
      expect((yield* inside).uploads).toEqual([])
      expect((yield* inside).archives.length).toBe(2)
    }).pipe(provided()))

  it.effect("resumes with another description, part size or writer by starting the upload again", () =>
    Effect.gen(function*() {
      const { file } = yield* halfDone
      const options = { upload: { partSize: 2 * mebibyte }, writer: ArchiveName.mt2 }
      expect(yield* backUp(streamOf([file]), options)).toEqual(["film now"])
      const { archives, uploads } = yield* inside
      expect(archives.map(({ description }) => description.slice(0, 4))).toEqual(["mt2 "])
      expect(uploads).toEqual([])
    }).pipe(provided()))

  describe("with the archives that the vault has", () => {
    it.effect("skips files with the same path, size and tree hash, and stores all others", () =>
      Effect.gen(function*() {
        const vault = yield* Vault.Vault
        const [a, b, c, d] = ["a", "b", "c", "d"].map((path, index) => makeFile(path, bytesOf(10, index)))
        if (a === undefined || b === undefined || c === undefined || d === undefined) return
        // `a` was stored by another program, `b` with another size, `c` with other bytes, and the bytes of `d` as `e`.
        for (
          const [path, bytes] of [["a", bytesOf(10, 0)], ["b", bytesOf(9, 1)], ["c", bytesOf(10, 9)], [
            "e",
            bytesOf(10, 3)
          ]] as const
        ) {
          const description = yield* ArchiveName.write({ path, modified: yield* DateTime.now }, ArchiveName.mt2)
          yield* vault.upload(Source.bytes(bytes), { description })
        }
        const entries = yield* listed
        const run = backUp(streamOf([a, b, c, d]), { listed: Stream.fromIterable(entries) })
        expect(yield* run).toEqual(["a before", "b now", "c now", "d now"])
        for (const { state } of [a, b, c, d]) state.reads = 0
        // The checkpoint has recorded them all.
        expect(yield* backUp(streamOf([a, b, c, d]))).toEqual(["a before", "b before", "c before", "d before"])
        expect([a, b, c, d].map(({ state }) => state.reads)).toEqual([0, 0, 0, 0])
      }).pipe(provided()))

    it.effect("stores a file again whose archive was deleted, and only that", () =>
      Effect.gen(function*() {
        const vault = yield* Vault.Vault
        const files = smallFiles(3)
        yield* backUp(streamOf(files))
        const [gone] = (yield* inside).archives
        if (gone === undefined) throw new Error("there is no archive")
        yield* vault.deleteArchive(gone.archiveId)
        const options = { isDeleted: (archiveId: string) => archiveId === gone.archiveId }
        const { path } = Option.getOrThrow(ArchiveName.read(gone.description))
        expect(yield* backUp(streamOf(files), options)).toEqual(
          files.map((file) => `${file.path} ${file.path === path ? "now" : "before"}`)
        )
        expect(yield* backUp(streamOf(files), options)).toEqual(files.map(({ path }) => `${path} before`))
        expect((yield* inside).archives.length).toBe(3)
      }).pipe(provided()))

    it.effect("stores nothing again after the checkpoint was lost", () =>
      Effect.gen(function*() {
        const files = smallFiles(5)
        yield* backUp(streamOf(files))
        const entries = yield* listed
        yield* Checkpoint.clear("home")
        const outcomes = yield* backUp(streamOf(files), { listed: Stream.fromIterable(entries) })
        expect(outcomes).toEqual(files.map(({ path }) => `${path} before`))
        expect((yield* inside).archives.length).toBe(5)
      }).pipe(provided()))
  })

  it.effect("stores at most the given number of files at once", () =>
    Effect.gen(function*() {
      const count = gauge()
      const watched = withClient((glacier) => ({
        uploadMultipartPart: (input) =>
          count.during(Effect.zipRight(Effect.yieldNow(), glacier.uploadMultipartPart(input)))
      }))
      yield* watched(backUp(streamOf(smallFiles(12)), { concurrency: 3 }))
      expect(count).toMatchObject({ total: 12, peak: 3 })
    }).pipe(provided()))

  it.effect("reports the bytes of all files as progress, also those of files that are stored", () =>
    Effect.gen(function*() {
      const files = smallFiles(6)
      const size = files.reduce((sum, { state }) => sum + state.bytes.length, 0)
      for (const tag of ["Sent", "Kept"] as const) {
        const events: Array<Event> = []
        yield* backUp(streamOf(files), { onProgress: (event) => Effect.sync(() => void events.push(event)) })
        const done = events.filter(({ _tag }) => _tag === tag)
        expect(done.length).toBe(6)
        expect(done.at(-1)).toMatchObject({ bytes: size, total: Option.none() })
      }
    }).pipe(provided()))

  it.effect("reads a source without a version in each run, and stores it once", () =>
    Effect.gen(function*() {
      const file = { path: "numbers", source: Source.bytes(bytesOf(10, 1)), modified: DateTime.unsafeMake(0) }
      expect(yield* backUp(of(file))).toEqual(["numbers now"])
      expect(yield* backUp(of(file))).toEqual(["numbers before"])
      expect(yield* backUp(of({ ...file, source: Source.bytes(bytesOf(10, 2)) }))).toEqual(["numbers now"])
    }).pipe(provided()))

  it.effect("fails when the checkpoint is in use, belongs to other work or to another vault", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      yield* glacier.createVault({ vaultName: "music" })
      const files = streamOf(smallFiles(1))
      const { open } = yield* Checkpoint.Checkpoint
      yield* Effect.scoped(Effect.gen(function*() {
        const { append } = yield* open("other")
        yield* append("{}")
        expect(yield* Effect.flip(backUp(files, {}, "other"))).toMatchObject({ _tag: "CheckpointInUse" })
      }))
      expect(yield* Effect.flip(backUp(files, {}, "other"))).toMatchObject({ problem: "belongs to other work" })
      yield* backUp(files)
      const error = yield* Effect.flip(Effect.provide(backUp(files), Vault.layer("music")))
      expect(error.message).toBe(
        `Checkpoint "home": belongs to a backup to vault "photos"; choose another name for vault "music"`
      )
    }).pipe(provided()))

  it.effect("fails when the checkpoint cannot be written, and resumes when it can", () =>
    Effect.gen(function*() {
      const { open } = yield* Checkpoint.Checkpoint
      for (let writes = 0; writes < 30; writes++) {
        let left = writes
        const full: Checkpoint.Service = {
          open: (name) =>
            Effect.map(open(name), (log) => ({
              ...log,
              append: (entry) =>
                Effect.suspend(() =>
                  left-- > 0
                    ? log.append(entry)
                    : Effect.fail(new Checkpoint.CheckpointError({ name, problem: "no space left" }))
                )
            }))
        }
        yield* Effect.exit(Effect.provideService(backUp(streamOf(smallFiles(4))), Checkpoint.Checkpoint, full))
      }
      yield* backUp(streamOf(smallFiles(4)))
      expect((yield* storedFiles).length).toBe(4)
      expect((yield* inside).uploads.filter(({ parts }) => parts.length > 0)).toEqual([])
    }).pipe(provided()))

  it.effect("fails with the error of the Stream of files", () =>
    Effect.gen(function*() {
      const files = Stream.concat(streamOf(smallFiles(1)), Stream.fail("disk" as const))
      expect(yield* Effect.flip(backUp(files))).toBe("disk")
    }).pipe(provided()))

  it.effect.each([{ concurrency: 0 }, { upload: { partSize: 3 } }])("rejects %j before anything is sent", (options) => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      expect(yield* Effect.flip(backUp(streamOf(smallFiles(1)), options))).toMatchObject({ _tag: "InvalidInput" })
      expect(sent).toEqual([])
    }).pipe(provided(change))
  })
})

describe("BackupPlan.files", () => {
  const inFolder = <A, E>(
    test: (
      folder: string,
      fs: FileSystem.FileSystem
    ) => Effect.Effect<A, E, Effect.Effect.Context<typeof temporaryFolder> | FileSystem.FileSystem>
  ) =>
    Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.flatMap(temporaryFolder, (folder) => test(folder, fs))).pipe(
      Effect.provide(NodeContext.layer)
    )

  const pathsIn = (folder: string, options?: BackupPlan.FilesOptions) =>
    Effect.map(
      Stream.runCollect(BackupPlan.files(folder, options)),
      (items) =>
        Chunk.toReadonlyArray(items).map((item) => "error" in item ? `${item.path} ${item.error._tag}` : item.path)
    )

  it.scoped("emits the files of all folders in an order that depends only on their names", () =>
    inFolder((folder, fs) =>
      Effect.gen(function*() {
        for (const path of ["b/2", "b/10", "a", "c", "B/x/y", "é"]) {
          yield* fs.makeDirectory(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true })
          yield* fs.writeFileString(`${folder}/${path}`, path)
        }
        const paths = ["B/x/y", "a", "b/10", "b/2", "c", "é"]
        expect(yield* pathsIn(folder)).toEqual(paths)
        expect(yield* pathsIn(`${folder}/`)).toEqual(paths)
        expect(yield* pathsIn(folder, { exclude: (path) => path === "b" || path === "c" })).toEqual(["B/x/y", "a", "é"])
      })
    ))

  it.scoped("has the bytes and the modification time of each file", () =>
    inFolder((folder, fs) =>
      Effect.gen(function*() {
        yield* fs.writeFileString(`${folder}/a`, "hello")
        yield* fs.utimes(`${folder}/a`, 1_000, 1_000)
        const [file] = yield* Stream.runCollect(BackupPlan.files(folder))
        if (file === undefined || "error" in file) throw new Error("no file")
        expect(file.modified).toEqual(DateTime.unsafeMake(1_000_000))
        expect(new TextDecoder().decode(yield* Effect.scoped(file.source.read({ start: 1, end: 3 })))).toBe("ell")
      })
    ))

  it.scoped("reports links, pipes and unreadable things by their paths, and follows no link", () =>
    inFolder((folder, fs) =>
      Effect.gen(function*() {
        const outside = yield* temporaryFolder
        yield* fs.writeFileString(`${outside}/secret`, "secret")
        yield* fs.writeFileString(`${folder}/a`, "a")
        yield* fs.symlink(outside, `${folder}/out`)
        yield* fs.symlink(`${folder}/a`, `${folder}/in`)
        yield* fs.symlink(folder, `${folder}/loop`)
        yield* fs.symlink("nothing", `${folder}/broken`)
        execFileSync("mkfifo", [`${folder}/pipe`])
        expect(yield* pathsIn(folder)).toEqual([
          "a",
          "broken NotAFile",
          "in NotAFile",
          "loop NotAFile",
          "out NotAFile",
          "pipe NotAFile"
        ])
        const items = Chunk.toReadonlyArray(yield* Stream.runCollect(BackupPlan.files(folder)))
        expect(items.flatMap((item) => "error" in item && item.path !== "in" ? [item.error.message] : [])).toEqual([
          `The path "broken" is a symbolic link, not a file`,
          `The path "loop" is a symbolic link, not a file`,
          `The path "out" is a symbolic link, not a file`,
          `The path "pipe" is a pipe, not a file`
        ])
      })
    ))

  it.scoped("reports a folder that cannot be read, and continues with the others", () =>
    inFolder((folder, fs) =>
      Effect.gen(function*() {
        for (const path of ["a", "b", "c"]) {
          yield* fs.makeDirectory(`${folder}/${path}`)
          yield* fs.writeFileString(`${folder}/${path}/x`, path)
        }
        const failing: FileSystem.FileSystem = {
          ...fs,
          readDirectory: (path) => path.endsWith("/b") ? fs.readDirectory(`${path}/missing`) : fs.readDirectory(path)
        }
        expect(yield* Effect.provideService(pathsIn(folder), FileSystem.FileSystem, failing)).toEqual([
          "a/x",
          "b SystemError",
          "c/x"
        ])
      })
    ))

  it.scoped("fails when the folder itself cannot be read", () =>
    inFolder((folder) =>
      Effect.map(
        Effect.flip(pathsIn(`${folder}/missing`)),
        (error) => expect(error).toMatchObject({ reason: "NotFound" })
      )
    ))

  it.scoped("are stored by a backup, which reports the others by their paths", () =>
    inFolder((folder, fs) =>
      Effect.gen(function*() {
        yield* fs.makeDirectory(`${folder}/sub`)
        yield* fs.writeFileString(`${folder}/sub/a`, "hello")
        yield* fs.writeFileString(`${folder}/empty`, "")
        yield* fs.symlink(`${folder}/sub/a`, `${folder}/link`)
        const run = Effect.map(
          Stream.runCollect(BackupPlan.run("home", BackupPlan.files(folder))),
          (outcomes) => Chunk.toReadonlyArray(outcomes).map(Backups.textOf).sort()
        )
        expect(yield* run).toEqual(["empty empty", "link NotAFile", "sub/a now"])
        expect(yield* storedFiles).toEqual([expected("sub/a", new TextEncoder().encode("hello"))])
        expect(yield* run).toEqual(["empty empty", "link NotAFile", "sub/a before"])
      }).pipe(provided())
    ))
})
