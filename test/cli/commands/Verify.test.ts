/** The command `verify` as a process. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { jsonLines } from "./programs.ts"
import { bytesOf, emulator, fakeS3, films, makeVault } from "./vaults.ts"

describe("effect-glacier verify", () => {
  it.scopedLive("finds copies that were changed or removed since, and starts no job", () =>
    Effect.gen(function*() {
      const few = films.slice(0, 3)
      const { folder, jobs, run } = yield* makeVault("films", few)
      const { objects, options } = yield* fakeS3
      const target = join(folder, "out")
      expect((yield* run("verify")).code).toBe(1)
      expect(yield* run("verify", folder, "--dry-run")).toMatchObject({
        code: 0,
        stdout: `This would look for the copies of 3 archives in ${folder}`
      })
      expect((yield* run("get", target, "--yes")).code).toBe(0)
      expect((yield* run("move", "s3://bucket", "--yes", ...options)).code).toBe(0)
      const before = yield* jobs
      expect(yield* run("verify")).toMatchObject({ code: 0, stdout: expect.stringContaining("6 copies verified") })
      expect(yield* run("verify", target)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("3 archives verified")
      })

      expect(yield* run("verify", "*.txt", `${target}-mistyped`)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/-mistyped is not a folder: .*\nNo copy .* is selected/s)
      })
      const changed = join(target, "films/1.avi")
      const bytes = readFileSync(changed)
      bytes[5] = (bytes[5] ?? 0) ^ 1
      writeFileSync(changed, bytes)
      truncateSync(join(target, "films/0.avi"), 3)
      const stored = objects.get("films/2.avi")
      if (stored === undefined) return yield* Effect.dieMessage("The object is missing")
      objects.set("films/2.avi", { ...stored, bytes: stored.bytes.map((byte, index) => index === 7 ? byte ^ 1 : byte) })

      const all = yield* run("verify", "--json")
      expect(all.code).toBe(3)
      const failed = jsonLines(all.stdout).filter(({ type }) => type === "failed")
      expect(failed.map(({ location }) => location).sort()).toEqual([
        join(target, "films/0.avi"),
        changed,
        "s3://bucket/films/2.avi"
      ])
      expect(yield* run("verify", "films/2.avi", target)).toMatchObject({ code: 0 })
      expect(yield* run("verify", target)).toMatchObject({ code: 3, stdout: expect.stringContaining("2 failed") })
      const bucket = yield* run("verify", "s3://bucket", ...options)
      expect(bucket).toMatchObject({ code: 3, stdout: expect.stringContaining("1 failed") })
      // An object that was found wrong remains so, whatever its metadata says.
      expect(yield* run("verify", "s3://bucket", "--no-read", ...options)).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/films\/2\.avi was wrong when it was read: verify it without --no-read\n/)
      })
      objects.delete("films/0.avi")
      expect((yield* run("verify", "s3://bucket", "--no-read", ...options)).stderr).toContain(
        "s3://bucket/films/0.avi does not exist"
      )
      expect(yield* run("verify", "s3://other", ...options)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^GetObject of s3:\/\/other\/\S+ failed with NoSuchBucket: .*\nCreate the bucket/)
      })
      expect(yield* jobs).toBe(before)
    }).pipe(Effect.provide(emulator())), 90_000)

  it.scopedLive(
    "makes a copy that it found wrong count again only when it was made again or is right",
    () =>
      Effect.gen(function*() {
        const few = films.slice(0, 3)
        const { folder, jobs, run } = yield* makeVault("films", few)
        const { objects, options } = yield* fakeS3
        const target = join(folder, "out")
        const flip = (bytes: Uint8Array) => bytes.map((byte, index) => index === 7 ? byte ^ 1 : byte)
        const damage = (key: string) => {
          const stored = objects.get(key)
          if (stored !== undefined) objects.set(key, { ...stored, bytes: flip(stored.bytes) })
        }
        const move = ["move", "s3://bucket", "--yes", ...options]
        const deleted = (name: string) => run("delete", name, "--yes")
        const kept = { code: 3, stdout: expect.stringContaining("1 kept without a verified copy") }
        expect((yield* run(...move)).code).toBe(0)
        for (const key of ["films/0.avi", "films/1.avi"]) damage(key)
        expect(yield* run("verify")).toMatchObject({
          code: 3,
          stderr: expect.stringMatching(
            /2 copies are missing or wrong\. The command that made them, .* with --overwrite$/m
          )
        })
        expect(yield* deleted("films/0.avi")).toMatchObject(kept)
        // Metadata is no proof, neither for the same plan nor for another one.
        expect(yield* run(...move)).toMatchObject({
          code: 3,
          stderr: expect.stringMatching(/was read back with tree hash/)
        })
        expect(yield* run("move", "films/0.avi", "s3://bucket", "--yes", ...options)).toMatchObject({ code: 3 })
        expect(yield* deleted("films/0.avi")).toMatchObject(kept)
        expect(yield* jobs).toBe(3)

        expect((yield* run(...move, "--overwrite")).code).toBe(0)
        expect(objects.get("films/0.avi")?.bytes).toEqual(Buffer.from(bytesOf("films/0.avi", 1_000)))
        expect(yield* deleted("films/0.avi")).toMatchObject({ code: 0 })
        expect(yield* run("verify", "films/1.avi")).toMatchObject({ code: 0 })

        expect((yield* run("get", "films/2.avi", target, "--yes")).code).toBe(0)
        damage("films/2.avi")
        const file = join(target, "films/2.avi")
        const bytes = readFileSync(file)
        writeFileSync(file, flip(bytes))
        expect(yield* run("verify", "films/2.avi")).toMatchObject({ code: 3 })
        expect(yield* deleted("films/2.avi")).toMatchObject(kept)
        writeFileSync(file, bytes)
        expect(yield* run("verify", "films/2.avi", target)).toMatchObject({ code: 0 })
        expect(yield* deleted("films/2.avi")).toMatchObject({ code: 0 })
      }).pipe(Effect.provide(emulator())),
    120_000
  )
})
