/** The command `delete` as a process: which archives it deletes, and after a kill. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { enter } from "../../support/terminal.ts"
import { emulator, jsonLines, makePrograms, pathsOf, storeAll, until } from "./programs.ts"

const names = ["2014/a.jpg", "2014/b.jpg", "2015/c.jpg"]

const question = "Type the name of the vault"

/** Makes a vault of archives with an inventory. */
const makeVault = (descriptions: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const programs = yield* makePrograms("photos")
    yield* storeAll(programs.vault, descriptions)
    expect((yield* programs.run("inventory", "--wait")).code).toBe(0)
    return programs
  })

describe.concurrent("effect-glacier delete", () => {
  it.scopedLive("deletes nothing that has no copy", () =>
    Effect.gen(function*() {
      const { run, vault } = yield* makeVault(names)
      const { code, stderr, stdout } = yield* run("delete", "*", "--yes", "--json")
      expect(code).toBe(3)
      expect(stderr).toMatch(/3 archives not deleted/)
      const lines = jsonLines(stdout)
      expect(lines.filter(({ type }) => type === "unproven").map(({ name }) => name).sort()).toEqual(names)
      expect(lines.at(-1)).toMatchObject({ type: "summary", archives: 0, unproven: 3, failed: 0 })
      expect(yield* pathsOf(vault)).toEqual(names)
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive("deletes the archives whose copies are still there, and no others", () =>
    Effect.gen(function*() {
      const { folder, run, vault } = yield* makeVault(names)
      const copies = join(folder, "copies")
      expect((yield* run("get", copies, "--yes", "--quiet")).code).toBe(0)
      rmSync(join(copies, "2014/b.jpg"))
      writeFileSync(join(copies, "2015/c.jpg"), "other by")
      const dry = yield* run("delete", "*", "--dry-run")
      expect(dry.stdout).toMatch(
        /^This would delete 3 archives \(30 bytes\) of the vault photos\. 3 of them are younger .*\. 2 would be kept, because/
      )
      expect(yield* run("delete", "*", "--yes")).toMatchObject({
        code: 3,
        stdout: "1 archive deleted, 10 bytes, 2 kept without a verified copy"
      })
      expect(yield* pathsOf(vault)).toEqual(["2014/b.jpg", "2015/c.jpg"])
      const states = jsonLines((yield* run("ls", "--json")).stdout)
      expect(states.find(({ name }) => name === "2014/a.jpg")).toMatchObject({ state: "deleted" })
      // The next run makes a plan of what is left.
      expect((yield* run("delete", "2014/", "--yes")).code).toBe(3)
      expect(yield* run("delete", "2014/b.jpg", "--yes", "--without-copies")).toMatchObject({
        code: 0,
        stdout: "1 archive deleted, 10 bytes"
      })
      expect(yield* run("delete", "2014/", "--yes")).toMatchObject({
        code: 0,
        stderr: "All archives that the patterns select are deleted already\n"
      })
      expect(yield* pathsOf(vault)).toEqual(["2015/c.jpg"])
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive("deletes nothing before the name of the vault is typed", () =>
    Effect.gen(function*() {
      const { run, type, vault } = yield* makeVault(names)
      const args = ["delete", "2014/**", "--without-copies"] as const
      expect(yield* run(...args)).toMatchObject({
        code: 1,
        stdout: "",
        stderr: expect.stringMatching(
          /^This deletes 2 archives \(20 bytes\) of the vault photos\. 2 of .* are lost\. There is no terminal .* --yes/s
        )
      })
      expect((yield* type([[question, `photo${enter}`]], ...args)).code).toBe(1)
      expect(yield* pathsOf(vault)).toEqual(names)
      const { code, lines, untyped } = yield* type([[question, `photos${enter}`]], ...args)
      expect({ code, untyped }).toEqual({ code: 0, untyped: [] })
      expect(lines.join("\n")).toMatch(/2 archives deleted, 20 bytes/)
      expect(yield* pathsOf(vault)).toEqual(["2015/c.jpg"])
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive("needs a pattern that selects an archive", () =>
    Effect.gen(function*() {
      const { run, vault } = yield* makeVault(names)
      expect((yield* run("delete", "--yes", "--without-copies")).code).toBe(2)
      expect(yield* run("delete", "2016/", "--yes", "--without-copies")).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^The patterns select no archive/)
      })
      expect(yield* run("delete", "*", "--yes", "--without-copy")).toMatchObject({ code: 2 })
      expect(yield* pathsOf(vault)).toEqual(names)
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive("continues after a kill, and records each deleted archive", () =>
    Effect.gen(function*() {
      const many = Array.from({ length: 120 }, (_, index) => `${index % 3}/${index}.txt`).sort()
      const { run, start, vault } = yield* makeVault(many)
      const args = ["delete", "0/", "1/", "--yes", "--without-copies"]
      for (const left of [110, 80]) {
        yield* Effect.scoped(Effect.gen(function*() {
          const { exit, kill } = yield* start(...args)
          yield* until(vault, (archives) => archives <= left)
          yield* kill("SIGKILL")
          expect((yield* exit).signal).toBe("SIGKILL")
        }))
      }
      const { code, stderr } = yield* run(...args)
      expect(code).toBe(0)
      expect(stderr).toMatch(/^Continues the deletion of /)
      expect(yield* pathsOf(vault)).toEqual(many.filter((name) => name.startsWith("2/")))
      const listed = jsonLines((yield* run("ls", "--json")).stdout).filter(({ type }) => type === "archive")
      expect(listed.filter(({ state }) => state === "deleted").map(({ name }) => name).sort()).toEqual(
        many.filter((name) => !name.startsWith("2/"))
      )
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive("makes upload store a file again whose archive it has deleted", () =>
    Effect.gen(function*() {
      const { folder, run, vault } = yield* makePrograms("photos")
      const source = join(folder, "source")
      mkdirSync(source)
      for (const name of ["a", "b"]) writeFileSync(join(source, name), name)
      expect((yield* run("upload", source)).code).toBe(0)
      expect((yield* run("inventory", "--wait")).code).toBe(0)
      expect((yield* run("delete", "a", "--yes", "--without-copies")).code).toBe(0)
      expect(yield* pathsOf(vault)).toEqual(["b"])
      expect((yield* run("upload", source)).stdout).toBe("1 file uploaded, 1 byte, 1 stored before")
      expect(yield* pathsOf(vault)).toEqual(["a", "b"])
    }).pipe(Effect.provide(emulator)), 120_000)
})
