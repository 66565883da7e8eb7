import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { text } from "node:stream/consumers"
import { program, runProgram } from "../../support/processes.ts"
import { archive, asOf, make, record, upload } from "./vaultFolders.ts"

const archives = [
  archive("a", "photos/2014/a.jpg", 1_500),
  archive("b", "photos/2014/b/c.jpg", 3_000_000),
  archive("c", "photos-old/x.jpg", 100, "2013-01-01T00:00:00Z"),
  archive("d", "C:\\docs\\a.txt", 7),
  archive("e", "top.txt", 8),
  archive("f", "", 9),
  archive("g", "two\nlines\u001b[31m", 10)
]

const records = [
  record("a", "retrieved", "2020-02-01T00:00:00.000Z", "/home/a.jpg"),
  record("b", "retrieved", "2020-02-03T00:00:00.000Z", "/home/c.jpg"),
  record("b", "deleted", "2020-02-02T00:00:00.000Z"),
  upload("x", "photos/new.jpg", 5, "2020-02-01T00:00:00.000Z"),
  upload("x", "photos/new.jpg", 5, "2020-02-01T00:00:00.000Z"),
  upload("y", "undone.jpg", 5, "2020-02-01T00:00:00.000Z"),
  record("y", "deleted", "2020-02-01T01:00:00.000Z"),
  upload("z", "deleted by another program.jpg", 5, "2019-02-01T00:00:00.000Z"),
  upload("e", "top.txt", 8, "2019-12-31T00:00:00.000Z")
]

/** Runs a command on the vault `photos` until it ends. */
const run = (...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const state = yield* make("photos", archives, records)
    return yield* (yield* runProgram(...args, "--state", state)).exit
  }).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

const lines = (...args: ReadonlyArray<string>) =>
  Effect.map(run(...args, "--quiet"), ({ stdout }) => stdout === "" ? [] : stdout.split("\n"))

const json = (...args: ReadonlyArray<string>) =>
  Effect.map(
    lines(...args, "--json"),
    Arr.map((line): unknown => JSON.parse(line))
  )

describe.concurrent("effect-glacier ls", () => {
  it.live(
    "prints the state, size, date and name of each archive, in the order of the inventory, then those uploaded since",
    () =>
      Effect.gen(function*() {
        const { code, stderr, stdout } = yield* run("ls")
        expect(code).toBe(0)
        expect(stdout.split("\n")).toEqual([
          "STATE            SIZE  UPLOADED    NAME",
          "retrieved     1.5 KiB  2014-03-01  photos/2014/a.jpg",
          "deleted       2.9 MiB  2014-03-01  photos/2014/b/c.jpg",
          "-           100 bytes  2013-01-01  photos-old/x.jpg",
          "-             7 bytes  2014-03-01  C:\\docs\\a.txt",
          "uploaded      8 bytes  2014-03-01  top.txt",
          `-             9 bytes  2014-03-01  ${"f".repeat(138)}`,
          "-            10 bytes  2014-03-01  two\\nlines\\u001b[31m",
          "uploaded      5 bytes  2020-02-01  photos/new.jpg"
        ])
        expect(stderr).toMatch(
          /^8 archives, 2\.9 MiB, 1 retrieved, 1 deleted, 2 uploaded\. The vault photos \(us-east-1\) as of 2020-01-01T00:00:00\.000Z, kept at 20\S+Z\n$/
        )
      }),
    60_000
  )

  it.live("prints a JSON object for each archive, and a summary at the end", () =>
    Effect.gen(function*() {
      const { stderr, stdout } = yield* run("ls", "--json", "2014", "f".repeat(138))
      const [first, second, third, summary] = stdout.split("\n").map((line): unknown => JSON.parse(line))
      expect(first).toEqual({
        type: "archive",
        archiveId: "a".repeat(138),
        name: "photos/2014/a.jpg",
        bytes: 1_500,
        created: "2014-03-01T10:00:00.000Z",
        modified: null,
        state: "retrieved",
        location: "/home/a.jpg",
        treeHash: "a".repeat(64),
        description: "photos/2014/a.jpg"
      })
      expect(second).toMatchObject({ name: "photos/2014/b/c.jpg", state: "deleted", location: null })
      expect(third).toMatchObject({ name: null, state: null, location: null, description: "" })
      expect(summary).toMatchObject({
        type: "summary",
        vault: "photos",
        region: "us-east-1",
        archives: 3,
        bytes: 3_001_509,
        states: { retrieved: 1, deleted: 1 },
        asOf: asOf.replace("Z", ".000Z")
      })
      expect(stderr).toBe("")
    }), 60_000)

  it.live("ends quietly when its reader does", () =>
    Effect.gen(function*() {
      const many = Arr.makeBy(30_000, (n) => ({ ...archive("a", `${n}.jpg`, n), ArchiveId: `${n}`.padStart(138, "a") }))
      const state = yield* make("photos", many)
      const path = yield* Effect.promise(program)
      for (const command of ["ls", "find"]) {
        const child = spawn(process.execPath, [path, command, "--state", state], { stdio: ["ignore", "pipe", "pipe"] })
        const stderr = text(child.stderr)
        createInterface(child.stdout).once("line", () => child.stdout.destroy())
        yield* Effect.promise(() => once(child, "close"))
        expect(yield* Effect.promise(() => stderr)).toBe("")
      }
    }).pipe(Effect.scoped, Effect.provide(NodeContext.layer)), 60_000)

  it.live("fails when the state folder has no such vault, or a pattern cannot be used", () =>
    Effect.gen(function*() {
      const unknown = yield* run("ls", "--vault", "videos")
      expect([unknown.code, unknown.stdout]).toEqual([1, ""])
      expect(unknown.stderr).toContain("knows no vault videos yet. Run effect-glacier inventory --vault NAME")
      const empty = yield* run("ls", "")
      expect([empty.code, empty.stderr]).toEqual([
        2,
        "The argument <glob> is empty. effect-glacier ls --help describes it\n"
      ])
    }), 60_000)
})

describe.concurrent("effect-glacier find", () => {
  const found = (...args: ReadonlyArray<string>) =>
    Effect.map(json("find", ...args), Arr.map((found) => Object(found).archiveId[0]))

  it.live("prints only names, as they are, and the id of an archive that has none", () =>
    Effect.gen(function*() {
      expect(yield* lines("find", "--smaller-than", "10")).toEqual([
        "C:\\docs\\a.txt",
        "top.txt",
        "f".repeat(138),
        "photos/new.jpg"
      ])
      expect(yield* lines("find", "two*")).toEqual(["two", "lines\u001b[31m"])
      expect(yield* lines("find", "two*", "--ids")).toEqual(["g".repeat(138)])
    }), 60_000)

  it.live("ends each name with a NUL for xargs -0", () =>
    Effect.gen(function*() {
      const { stdout } = yield* run("find", "-0", "two*", "top.txt")
      expect(stdout).toBe("top.txt\0two\nlines\u001b[31m\0")
    }), 60_000)

  it.live("selects archives by size, date, state and the lack of a name", () =>
    Effect.gen(function*() {
      expect(yield* found("--larger-than", "1.4KiB")).toEqual(["a", "b"])
      expect(yield* found("--larger-than", "8", "--smaller-than", "1.5kB")).toEqual(["c", "f", "g"])
      expect(yield* found("--before", "2014-03-01")).toEqual(["c"])
      expect(yield* found("--after", "2014-03-02")).toEqual(["x"])
      expect(yield* found("--in-state", "retrieved")).toEqual(["a"])
      expect(yield* found("--in-state", "none", "--after", "2014-03-01T10:00:00Z")).toEqual(["d", "f", "g"])
      expect(yield* found("--unnamed")).toEqual(["f"])
    }), 60_000)

  it.live("rejects a size or a date that it cannot read", () =>
    Effect.gen(function*() {
      const size = yield* run("find", "--larger-than", "big")
      expect([size.code, size.stderr.trim()]).toEqual([
        2,
        "The value \"big\" of --larger-than is not a size: write bytes, or such as 500M, 1.5GiB, 2GB"
      ])
      const date = yield* run("find", "--before", "2014-02-30")
      expect([date.code, date.stderr.trim()]).toEqual([
        2,
        "The value \"2014-02-30\" of --before is not a date: write such as 2014-12-31 or 2014-12-31T23:59:59Z"
      ])
    }), 60_000)
})

describe.concurrent("effect-glacier du", () => {
  it.live("adds up the archives in each folder, without those that are deleted since", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* run("du")
      expect(code).toBe(0)
      expect(stdout.split("\n")).toEqual([
        "     SIZE     BILLED  ARCHIVES  FOLDER",
        "  7 bytes   32.0 KiB         1  C",
        "  1.5 KiB   65.5 KiB         2  photos",
        "100 bytes   32.1 KiB         1  photos-old",
        " 18 bytes   64.0 KiB         2  (in no folder)",
        "  9 bytes   32.0 KiB         1  (without a name)",
        "  1.6 KiB  225.6 KiB         7  total"
      ])
      expect(stderr).toContain("AWS bills 32 KiB more for each archive")
      expect(stderr).toContain("7 archives, 1.6 KiB")
    }), 60_000)

  it.live("counts an archive in each of its folders down to --depth", () =>
    Effect.gen(function*() {
      expect(yield* json("du", "--depth", "3", "photos/**", "photos-old")).toMatchObject([
        { type: "folder", folder: "photos", archives: 2, bytes: 1_505, billedBytes: 1_505 + 2 * 32_768 },
        { type: "folder", folder: "photos/2014", archives: 1 },
        { type: "folder", folder: "photos-old", archives: 1 },
        { type: "total", folder: null, archives: 3, bytes: 1_605 }
      ])
      expect(yield* json("du", "--depth", "0")).toMatchObject([{ type: "total", archives: 7 }])
      expect((yield* run("du", "--depth", "-1")).code).toBe(2)
    }), 60_000)
})
