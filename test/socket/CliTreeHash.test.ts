import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { program, runProgram } from "../support/processes.ts"
import { mebibyte, ramp, treeHash } from "./support.ts"

describe.concurrent("effect-glacier tree-hash", () => {
  it.scopedLive("prints the tree hash and the name of each file", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const files = { empty: ramp(0), small: ramp(5, 3), "of several MiB": ramp(9 * mebibyte + 1, 7) }
      for (const [name, bytes] of Object.entries(files)) yield* fs.writeFile(`${folder}/${name}`, bytes)
      const { exit } = yield* runProgram("tree-hash", ...Object.keys(files).map((name) => `${folder}/${name}`))
      expect(yield* exit).toEqual({
        code: 0,
        signal: null,
        stdout: Object.entries(files).map(([name, bytes]) => `${treeHash(bytes)}  ${folder}/${name}`).join("\n"),
        stderr: ""
      })
    }).pipe(Effect.provide(NodeContext.layer)), 60_000)

  it.scopedLive(
    "continues after a file that it cannot read, prints the reason, and ends with exit code 3",
    () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        yield* fs.writeFile(`${folder}/there`, ramp(5))
        const { exit } = yield* runProgram("tree-hash", `${folder}/missing`, folder, `${folder}/there`)
        const { code, stderr, stdout } = yield* exit
        expect(code).toBe(3)
        expect(stdout).toBe(`${treeHash(ramp(5))}  ${folder}/there`)
        expect(stderr.trim().split("\n")).toEqual([
          `${folder}/missing: ENOENT: no such file or directory, open '${folder}/missing'`,
          `${folder}: is a folder, not a file`,
          "2 of 3 files could not be read"
        ])
      }).pipe(Effect.provide(NodeContext.layer)),
    60_000
  )

  it("reads standard input for -", async () => {
    const input = ramp(2 * mebibyte + 1)
    const args = [await program(), "tree-hash", "-"]
    const { status, stdout } = spawnSync(process.execPath, args, { input, encoding: "utf8" })
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${treeHash(input)}  -\n` })
  }, 60_000)

  it.scopedLive("fails without a file", () =>
    Effect.gen(function*() {
      const { exit } = yield* runProgram("tree-hash")
      const { code, stderr } = yield* exit
      expect(code).toBe(2)
      expect(stderr).toContain("The argument <file> is missing")
    }), 60_000)
})
