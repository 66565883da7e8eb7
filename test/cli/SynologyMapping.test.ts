import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import * as SynologyMapping from "../../src/cli/SynologyMapping.ts"
import { runScript } from "../support/processes.ts"
import { databaseOf, row, table } from "./synologyMappings.ts"

const expected =
  "Give the archive of the vault NAME_mapping: a SQLite database with the columns archiveID, basePath, " +
  "shareName in the table file_info_tb."

/** The message of the error for a file, without the path of the file and what is expected. */
const problem = (file: string) =>
  Effect.map(Effect.flip(SynologyMapping.read(file)), ({ message }) => {
    expect(message).toContain(`Cannot read Synology's names from ${JSON.stringify(file)}: `)
    expect(message.endsWith(`. ${expected}`)).toBe(true)
    return message.slice(message.indexOf(": ") + 2, -expected.length - 2).replaceAll(file, "FILE")
  })

const written = (content: string | Uint8Array) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const file = `${yield* fs.makeTempDirectoryScoped()}/mapping`
    yield* fs.writeFile(file, typeof content === "string" ? new TextEncoder().encode(content) : content)
    return file
  })

layer(NodeContext.layer)("SynologyMapping", (it) => {
  it.scoped("joins the shared folder and the path of each archive by one slash", () =>
    Effect.gen(function*() {
      const file = yield* databaseOf(
        table,
        row("one", "photo", "2014/Ágúst/it's.jpg"),
        row("two", "photo", "/2014/b.jpg"),
        row("three", "", "/c.jpg"),
        row("four", null, "d.jpg")
      )
      expect(Array.from(yield* SynologyMapping.read(file))).toEqual([
        ["one", "photo/2014/Ágúst/it's.jpg"],
        ["two", "photo/2014/b.jpg"],
        ["three", "c.jpg"],
        ["four", "d.jpg"]
      ])
    }))

  it.scoped("leaves out rows without an archive or without a path", () =>
    Effect.gen(function*() {
      const file = yield* databaseOf(
        table,
        row(null, "photo", "a"),
        row("", "photo", "b"),
        row("x", "photo", null),
        row("y", "photo", ""),
        row("z", "photo", "c")
      )
      expect(Array.from(yield* SynologyMapping.read(file))).toEqual([["z", "photo/c"]])
    }))

  it.scoped("reads only the columns it needs, in any case", () =>
    Effect.gen(function*() {
      const file = yield* databaseOf(
        "CREATE TABLE file_info_tb (SHARENAME, basepath, archiveid)",
        row("x", "photo", "a")
      )
      expect(Array.from(yield* SynologyMapping.read(file))).toEqual([["x", "photo/a"]])
    }))

  it.scoped("reads an empty table", () =>
    Effect.gen(function*() {
      expect((yield* SynologyMapping.read(yield* databaseOf(table))).size).toBe(0)
    }))

  it.scoped("says how a file begins that is not a SQLite database", () =>
    Effect.gen(function*() {
      expect(yield* problem(yield* written("{\"ArchiveList\": []}"))).toBe(
        "it is not a SQLite database, it begins with \"{\\\"ArchiveList\\\": \""
      )
      expect(yield* problem(yield* written(""))).toBe("it is empty")
    }))

  it.scoped("says which tables a database has instead", () =>
    Effect.gen(function*() {
      expect(yield* problem(yield* databaseOf("CREATE TABLE b (x)", "CREATE TABLE a (x)"))).toBe(
        "it has no table file_info_tb, its tables are: a, b"
      )
      expect(yield* problem(yield* databaseOf("CREATE TABLE a (x)", "DROP TABLE a"))).toBe(
        "it has no table file_info_tb, its tables are: none"
      )
    }))

  it.scoped("says which columns the table has instead", () =>
    Effect.gen(function*() {
      expect(yield* problem(yield* databaseOf("CREATE TABLE file_info_tb (key, path, archiveID)"))).toBe(
        "its table file_info_tb has no basePath, shareName, its columns are: key, path, archiveID"
      )
    }))

  it.scoped("says what SQLite reports about a damaged database", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const whole = yield* fs.readFile(yield* databaseOf(table, row("x", "photo", "a".repeat(10_000))))
      expect(yield* problem(yield* written(whole.subarray(0, 8_192)))).toBe(
        "SQLite reports: database disk image is malformed"
      )
    }))

  it.scoped("says why a file cannot be read", () =>
    Effect.gen(function*() {
      expect(yield* problem("no/such/file")).toContain("ENOENT: no such file or directory")
    }))

  it.scoped("works in a bundle", () =>
    Effect.gen(function*() {
      const file = yield* databaseOf(table, row("one", "photo", "a.jpg"))
      const program = yield* runScript(fileURLToPath(new URL("printNames.ts", import.meta.url)), [file, "one", "two"])
      expect(yield* program.exit).toMatchObject({ code: 0, stdout: "photo/a.jpg\nnone", stderr: "" })
    }), 30_000)
})
