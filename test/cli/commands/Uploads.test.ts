/** The command `uploads` as a process, for the uploads that a killed `move` leaves in a bucket. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import * as Source from "../../../src/transfer/Source.ts"
import { jsonLines, makePrograms } from "./programs.ts"
import { emulator, fakeS3 } from "./vaults.ts"

describe("effect-glacier uploads", () => {
  it.scopedLive(
    "aborts the uploads that a killed move has left in a bucket, but none of other programs or of a running move",
    () =>
      Effect.gen(function*() {
        const { run, start, vault } = yield* makePrograms("films")
        // The objects are sent in parts of 64 MiB.
        yield* vault.upload(Source.bytes(new Uint8Array(65 * 2 ** 20)), { description: "a.avi" })
        expect((yield* run("inventory", "--wait")).code).toBe(0)
        const { options, uploads } = yield* fakeS3
        const initiated = new Date().toISOString()
        const other = { metadata: {}, storageClass: "STANDARD", hasChecksums: false, initiated, parts: new Map() }
        uploads.set("of another program", { ...other, key: "old/b.avi" })
        const { exit, kill } = yield* start("move", "s3://bucket/old", "--yes", ...options)
        const keys = () => Array.from(uploads.values(), ({ key }) => key).sort()
        yield* Effect.repeat(Effect.sync(keys), {
          until: (keys) => keys.includes("old/a.avi"),
          schedule: Schedule.spaced("2 millis")
        })
        yield* kill("SIGSTOP")
        const abort = ["uploads", "s3://bucket/old", "--abort", ...options] as const
        expect(yield* run(...abort, "--yes")).toMatchObject({
          code: 0,
          stderr: expect.stringMatching(/^Aborted 0 uploads\. The others belong to a running command/m)
        })
        expect(keys()).toEqual(["old/a.avi", "old/b.avi"])
        yield* kill("SIGKILL")
        yield* exit

        const listed = jsonLines((yield* run("uploads", "s3://bucket/old", "--json", ...options)).stdout)
        expect(listed.map(({ name }) => name).sort()).toEqual(["old/a.avi", "old/b.avi"])
        expect(yield* run(...abort)).toMatchObject({ code: 1, stderr: expect.stringMatching(/use --yes/) })
        expect(yield* run(...abort, "--dry-run")).toMatchObject({
          code: 0,
          stderr: "This would abort the uploads in s3://bucket/old/ that effect-glacier move has left open\n"
        })
        expect(keys()).toEqual(["old/a.avi", "old/b.avi"])
        // The first request of a move checks whether it may open uploads.
        uploads.set("of a killed check", { ...other, key: "old/.effect-glacier" })
        expect(yield* run(...abort, "--yes")).toMatchObject({
          code: 0,
          stderr: expect.stringMatching(/^Aborted 2 uploads\. The others belong/m)
        })
        expect(Array.from(uploads.keys())).toEqual(["of another program"])
        expect(yield* run("uploads", "s3://bucket/new", ...options)).toMatchObject({
          code: 0,
          stdout: "",
          stderr: "There are no open uploads\n"
        })
      }).pipe(Effect.provide(emulator())),
    60_000
  )
})
