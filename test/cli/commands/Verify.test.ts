/** The command `verify` as a process. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { jsonLines } from "./programs.ts"
import { emulator, fakeS3, films, makeVault } from "./vaults.ts"

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
      expect(yield* run("verify", "s3://bucket", "--no-read", ...options)).toMatchObject({ code: 0 })
      objects.delete("films/0.avi")
      expect((yield* run("verify", "s3://bucket", "--no-read", ...options)).stderr).toContain(
        "s3://bucket/films/0.avi does not exist"
      )
      expect(yield* jobs).toBe(before)
    }).pipe(Effect.provide(emulator())), 90_000)
})
