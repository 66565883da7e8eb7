/** The command `upload` as a process: what it stores, once, and after a kill. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { GlacierClient } from "../../../src/client/GlacierClient.ts"
import * as NodeEmulator from "../../../src/node/NodeEmulator.ts"
import { archivesOf, emulator, jsonLines, makePrograms, pathsOf, storeAll, until } from "./programs.ts"

/** Writes files, whose content is their path. */
const writeFiles = (folder: string, paths: ReadonlyArray<string>) => {
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), path)
  }
}

const paths = ["a.txt", "photos/2014/b.txt", "photos/c.txt"]

describe.concurrent("effect-glacier upload", () => {
  it.scopedLive("stores the files of a folder once, and records them", () =>
    Effect.gen(function*() {
      const { folder, run, vault } = yield* makePrograms("photos")
      const source = join(folder, "source")
      writeFiles(source, [...paths, "photos/thumbs.tmp"])
      const args = ["upload", source, "--exclude", "*.tmp"]
      expect(yield* run(...args, "--dry-run")).toMatchObject({
        code: 0,
        stdout: "This would upload up to 3 files, 34 bytes, except those that are stored already"
      })
      expect(yield* pathsOf(vault)).toEqual([])
      const first = yield* run(...args, "--json")
      expect(first.code, first.stderr).toBe(0)
      expect(yield* pathsOf(vault)).toEqual(paths)
      const lines = jsonLines(first.stdout)
      expect(lines.filter(({ type }) => type === "uploaded").map(({ before, path }) => [path, before]).sort()).toEqual(
        paths.map((path) => [path, false])
      )
      expect(lines.at(-1)).toMatchObject({ type: "summary", stored: 3, bytes: 34, before: 0, failed: 0 })
      writeFiles(source, ["d.txt"])
      const second = yield* run(...args)
      expect(second).toMatchObject({ code: 0, stdout: "1 file uploaded, 5 bytes, 3 stored before" })
      expect(yield* pathsOf(vault)).toEqual(["a.txt", "d.txt", ...paths.slice(1)])
      const records = join(folder, "state", "123456789012", NodeEmulator.region, "photos", "records")
      const [file = "", ...others] = readdirSync(records)
      expect(others).toEqual([])
      expect(
        jsonLines(readFileSync(join(records, file), "utf8")).map(({ archiveId, state }) => [archiveId, state]).sort()
      ).toEqual((yield* archivesOf(vault)).map(({ archiveId }) => [archiveId, "uploaded"]).sort())
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive("stores single files by their names, and no two with the same name", () =>
    Effect.gen(function*() {
      const { folder, run, vault } = yield* makePrograms("photos")
      writeFiles(folder, ["one/a.txt", "two/a.txt", "two/b.txt"])
      const files = ["one/a.txt", "two/a.txt", "two/b.txt"].map((path) => join(folder, path))
      const { code, stderr, stdout } = yield* run("upload", ...files)
      expect(code).toBe(3)
      expect(stdout).toBe("2 files uploaded, 18 bytes, 1 not stored")
      expect(stderr).toMatch(/^a\.txt: The path "a\.txt" occurs twice/m)
      expect(yield* pathsOf(vault)).toEqual(["a.txt", "b.txt"])
      expect(yield* run("upload", join(folder, "one"), files[2] ?? "")).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^Upload the folder .*one by itself/)
      })
      expect((yield* run("upload", join(folder, "missing"))).code).toBe(2)
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive(
    "does not store what it has stored with other arguments, without an inventory",
    () =>
      Effect.gen(function*() {
        const { folder, run, vault } = yield* makePrograms("photos")
        writeFiles(folder, ["a.txt", "b.txt"])
        const files = [join(folder, "a.txt"), join(folder, "b.txt")] as const
        expect((yield* run("upload", files[0])).code).toBe(0)
        expect(yield* run("upload", ...files)).toMatchObject({
          code: 0,
          stdout: "1 file uploaded, 5 bytes, 1 stored before"
        })
        expect(yield* pathsOf(vault)).toEqual(["a.txt", "b.txt"])
      }).pipe(Effect.provide(emulator)),
    120_000
  )

  it.scopedLive("prints what it cannot store, and stores the rest", () =>
    Effect.gen(function*() {
      const { folder, run, vault } = yield* makePrograms("photos")
      const source = join(folder, "source")
      writeFiles(source, paths)
      symlinkSync("a.txt", join(source, "link"))
      const { code, stdout } = yield* run("upload", source, "--json")
      expect(code).toBe(3)
      expect(jsonLines(stdout)).toContainEqual(expect.objectContaining({ type: "rejected", path: "link" }))
      expect(yield* pathsOf(vault)).toEqual(paths)
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive("skips empty files, and says so", () =>
    Effect.gen(function*() {
      const { folder, run, vault } = yield* makePrograms("photos")
      const source = join(folder, "source")
      writeFiles(source, paths)
      writeFileSync(join(source, "empty"), "")
      expect(yield* run("upload", source, "--dry-run")).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^This would upload up to 3 files, .*, 1 empty file skipped$/)
      })
      expect(yield* run("upload", source)).toMatchObject({
        code: 0,
        stdout: "3 files uploaded, 34 bytes, 1 empty file skipped",
        stderr: expect.stringMatching(/^empty: is empty and is skipped/m)
      })
      const { code, stdout } = yield* run("upload", source, "--json")
      expect(code).toBe(0)
      expect(jsonLines(stdout)).toContainEqual(expect.objectContaining({ type: "empty", path: "empty" }))
      expect(yield* pathsOf(vault)).toEqual(paths)
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive("stores nothing when the inventory cannot be read, and says what to do", () =>
    Effect.gen(function*() {
      const { folder, run, vault } = yield* makePrograms("photos")
      yield* storeAll(vault, paths)
      expect((yield* run("inventory", "--wait")).code).toBe(0)
      const inventories = join(folder, "state", "123456789012", NodeEmulator.region, "photos", "inventories")
      const [name = ""] = readdirSync(inventories)
      const source = join(folder, "source")
      writeFiles(source, paths)
      writeFileSync(join(inventories, name), "not compressed")
      expect(yield* run("upload", source)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/\.json\.gz.*remove it, and run effect-glacier inventory --vault photos/)
      })
      rmSync(inventories, { recursive: true })
      writeFileSync(inventories, "no folder")
      expect(yield* run("upload", source)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^The folder .*inventories cannot be read/m)
      })
      expect(yield* pathsOf(vault)).toEqual(paths)
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive("does not store what the inventory lists", () =>
    Effect.gen(function*() {
      const { folder, run, vault } = yield* makePrograms("photos")
      const source = join(folder, "source")
      writeFiles(source, paths)
      expect((yield* run("upload", source)).code).toBe(0)
      expect((yield* run("inventory", "--wait")).code).toBe(0)
      // Another folder has another checkpoint.
      const copy = join(folder, "copy")
      writeFiles(copy, [...paths, "d.txt"])
      expect(yield* run("upload", copy)).toMatchObject({
        code: 0,
        stdout: "1 file uploaded, 5 bytes, 3 stored before"
      })
      expect(yield* pathsOf(vault)).toEqual(["a.txt", "d.txt", ...paths.slice(1)])
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive("stores each file exactly once when it is killed and started again", () =>
    Effect.gen(function*() {
      const { folder, run, start, vault } = yield* makePrograms("photos")
      const source = join(folder, "source")
      const many = Array.from({ length: 60 }, (_, index) => `${index % 7}/${index}.txt`)
      writeFiles(source, many)
      for (const count of [7, 20, 41]) {
        yield* Effect.scoped(Effect.gen(function*() {
          const { exit, kill } = yield* start("upload", source)
          yield* until(vault, (archives) => archives >= count)
          yield* kill("SIGKILL")
          expect((yield* exit).signal).toBe("SIGKILL")
        }))
      }
      expect((yield* archivesOf(vault)).length).toBeLessThan(60)
      const { code, stdout } = yield* run("upload", source, "--json")
      expect(code).toBe(0)
      expect(yield* pathsOf(vault)).toEqual([...many].sort())
      const summary = jsonLines(stdout).at(-1)
      expect(Number(summary?.["stored"]) + Number(summary?.["before"])).toBe(60)
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive(
    "fails with code 11 while another process uploads the same files, as uploads --abort does",
    () =>
      Effect.gen(function*() {
        const { folder, run, start, vault } = yield* makePrograms("photos")
        const source = join(folder, "source")
        const many = Array.from({ length: 60 }, (_, index) => `${index}.txt`)
        writeFiles(source, many)
        const { exit, kill } = yield* start("upload", source)
        yield* until(vault, (archives) => archives >= 1)
        yield* kill("SIGSTOP")
        expect(yield* run("upload", source)).toMatchObject({ code: 11, stderr: expect.stringMatching(/is in use by/) })
        const glacier = yield* GlacierClient
        const { uploadId } = yield* glacier.initiateMultipartUpload({ vaultName: "photos", partSize: 2 ** 20 })
        expect(yield* run("uploads", "--abort", "--yes")).toMatchObject({
          code: 11,
          stderr: expect.stringMatching(/^The process \d+ stores files in the vault photos, .* Ctrl-C$/m)
        })
        const open = yield* Stream.runCollect(vault.uploads)
        expect(Array.from(open, (upload) => upload.uploadId)).toContain(uploadId)
        yield* kill("SIGCONT")
        expect((yield* exit).code).toBe(0)
        expect(yield* pathsOf(vault)).toEqual([...many].sort())
      }).pipe(Effect.provide(emulator)),
    120_000
  )

  it.scopedLive("says how to resume when it is interrupted", () =>
    Effect.gen(function*() {
      const { folder, start, vault } = yield* makePrograms("photos")
      const source = join(folder, "source")
      writeFiles(source, Array.from({ length: 60 }, (_, index) => `${index}.txt`))
      const { exit, kill } = yield* start("upload", source)
      yield* until(vault, (archives) => archives >= 5)
      yield* kill("SIGINT")
      const { code, stderr } = yield* exit
      expect(code).toBe(130)
      expect(stderr).toMatch(/Interrupted\. Run the same command again to resume/)
    }).pipe(Effect.provide(emulator)), 120_000)
})
