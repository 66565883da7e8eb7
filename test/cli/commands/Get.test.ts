import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { bytesOf, emulator, filesIn, hasBytes, jsonLines, makeVault } from "./vaults.ts"

const names = Array.from({ length: 30 }, (_, index) => `photos/${2_010 + index % 4}/${index}.jpg`)

const archives = names.map((name, index) => [name, 500 + index * 1_000] as const)

describe("effect-glacier get", () => {
  it.scopedLive("retrieves 30 archives, and prints a JSON line for each", () =>
    Effect.gen(function*() {
      const { folder, jobs, run } = yield* makeVault("photos", archives)
      const target = join(folder, "restored")
      const { code, stderr, stdout } = yield* run("get", target, "--yes", "--json")
      expect(stderr).toBe("")
      expect(code).toBe(0)
      expect(filesIn(target)).toEqual([...names].sort())
      for (const [name, size] of archives) expect(hasBytes(join(target, name), bytesOf(name, size)), name).toBe(true)
      const lines = jsonLines(stdout)
      expect(lines.filter(({ type }) => type === "retrieved")).toHaveLength(30)
      expect(lines.at(-1)).toMatchObject({ type: "summary", archives: 30, failed: 0, rejected: 0 })
      expect(yield* jobs).toBe(30)
    }).pipe(Effect.provide(emulator())), 60_000)
})
