/** The command `inventory` as a process: its wait, and the date of a file that it imports. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as NodeEmulator from "../../../src/node/NodeEmulator.ts"
import { emulator, jsonLines, makePrograms, storeAll } from "./programs.ts"
import { upload } from "./vaultFolders.ts"

/** Writes an inventory as CSV, with an archive for each date. */
const writeCsv = (folder: string, dates: ReadonlyArray<string>) => {
  const file = join(folder, "inventory.csv")
  const lines = dates.map((date, index) => `${String(index).repeat(138)},${index}.jpg,${date},7,${"a".repeat(64)}`)
  writeFileSync(file, ["ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash", ...lines, ""].join("\n"))
  return file
}

describe.concurrent("effect-glacier inventory", () => {
  it.scopedLive(
    "dates a CSV file by its newest archive, however new the file is, so that later uploads are listed",
    () =>
      Effect.gen(function*() {
        const { folder, run } = yield* makePrograms("photos")
        const file = writeCsv(folder, ["2014-03-01T10:00:00Z", "2016-05-01T10:00:00Z", "2015-01-01T00:00:00Z"])
        const imported = yield* run("inventory", "--import", file, "--json")
        expect(imported.stderr).toMatch(/^2016-05-01T10:00:00.000Z is the date of its newest archive/m)
        expect(imported.code).toBe(0)
        expect(jsonLines(imported.stdout)).toMatchObject([{ archives: 3, asOf: "2016-05-01T10:00:00.000Z" }])
        const records = join(folder, "state", "123456789012", NodeEmulator.region, "photos", "records")
        mkdirSync(records)
        writeFileSync(
          join(records, "upload.jsonl"),
          `${JSON.stringify(upload("x", "new.jpg", 5, "2020-01-01T00:00:00.000Z"))}\n`
        )
        expect(yield* run("find")).toMatchObject({ code: 0, stdout: "0.jpg\n1.jpg\n2.jpg\nnew.jpg" })
        const older = yield* run("inventory", "--import", writeCsv(folder, ["2015-01-01T00:00:00Z"]))
        expect(older).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(
            /of 2015-01-01T00:00:00.000Z \(the date of its newest archive, .*\), older than that of 2016/
          )
        })
      }).pipe(Effect.provide(emulator)),
    60_000
  )

  it.scopedLive("imports no CSV file without archives, because nothing shows its date", () =>
    Effect.gen(function*() {
      const { folder, run } = yield* makePrograms("photos")
      expect(yield* run("inventory", "--import", writeCsv(folder, []))).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^The inventory lists no archive/)
      })
      expect(readdirSync(join(folder, "state", "123456789012", NodeEmulator.region, "photos", "inventories"))).toEqual(
        []
      )
    }).pipe(Effect.provide(emulator)), 60_000)

  it.scopedLive(
    "shows its wait in the status, and says how to resume when it is interrupted",
    () =>
      Effect.gen(function*() {
        const { run, start, vault } = yield* makePrograms("photos")
        yield* storeAll(vault, ["a.jpg"])
        const { exit, kill } = yield* start("inventory", "--wait")
        const status = Effect.map(run("status", "--json"), ({ stdout }) => jsonLines(stdout))
        yield* Effect.repeat(status, {
          until: (lines) => JSON.stringify(lines).includes(`"jobs":1`),
          schedule: Schedule.spaced("20 millis")
        })
        expect(yield* status).toMatchObject([{ type: "running", vault: "photos", command: "inventory --wait" }])
        yield* kill("SIGINT")
        const { code, stderr } = yield* exit
        expect(stderr).toMatch(/^Interrupted\. Run the same command again to resume$/m)
        expect(code).toBe(130)
      }).pipe(Effect.provide(NodeEmulator.layer({ jobDelay: "1 hour", inventoryDelay: 0 }))),
    60_000
  )
})
