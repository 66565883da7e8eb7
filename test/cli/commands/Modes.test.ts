/** Each command in three ways: on a terminal, without one, and with `--json`. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { commands } from "../../../src/cli/Commands.ts"
import { runOnTerminal } from "../../support/terminal.ts"
import { emulator, fakeS3, makeVault } from "./vaults.ts"

/** The commands on a vault of 3 archives, in an order in which each has something to do. */
const linesOf = (folder: string, bucket: ReadonlyArray<string>): ReadonlyArray<readonly [string, ...Array<string>]> => [
  ["vaults"],
  ["doctor"],
  ["inventory", "--wait"],
  ["ls"],
  ["find", "--larger-than", "1"],
  ["du"],
  ["quote"],
  ["retrieve", "--yes"],
  ["jobs"],
  ["get", join(folder, "copies"), "--yes"],
  ["move", "s3://bucket/copies", "--yes", ...bucket],
  ["verify", join(folder, "copies")],
  ["status"],
  ["tags", "--set", "owner=ada"],
  ["policy"],
  ["notifications"],
  ["lock"],
  ["uploads"],
  ["upload", join(folder, "new.txt")],
  ["delete", "a.txt", "--yes"],
  ["empty", "--dry-run"]
]

const makeLines = Effect.gen(function*() {
  const { env, folder, run } = yield* makeVault("photos", [["a.txt"], ["b.txt"], ["c.txt"]])
  writeFileSync(join(folder, "new.txt"), "new")
  const { options } = yield* fakeS3
  return { env, run, lines: linesOf(folder, options) }
})

describe.concurrent("each command", () => {
  it("is run here", () => {
    const others = ["tree-hash", "emulator"]
    expect([...linesOf("", []).map(([name]) => name), ...others].sort()).toEqual(
      commands.map(({ name }) => name).sort()
    )
  })

  it.scopedLive("prints text without control characters without a terminal", () =>
    Effect.gen(function*() {
      const { lines, run } = yield* makeLines
      for (const line of lines) {
        const { code, stderr, stdout } = yield* run(...line)
        expect({ line, code, stderr }).toEqual({ line, code: 0, stderr })
        expect(stdout + stderr).toMatch(/\S/)
        expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]/u)
      }
    }).pipe(Effect.provide(emulator())), 300_000)

  it.scopedLive("prints JSON objects with --json, one in each line", () =>
    Effect.gen(function*() {
      const { lines, run } = yield* makeLines
      for (const line of lines) {
        const { code, stderr, stdout } = yield* run(...line, "--json")
        expect({ line, code, stderr }).toEqual({ line, code: 0, stderr })
        const objects = stdout.split("\n").filter((text) => text !== "").map((text): unknown => JSON.parse(text))
        expect(objects.every((object) => typeof object === "object" && object !== null), stdout).toBe(true)
        if (line[0] !== "status" && line[0] !== "uploads") expect(objects.length, line[0]).toBeGreaterThan(0)
      }
    }).pipe(Effect.provide(emulator())), 300_000)

  it.scopedLive("moves the cursor on a terminal only to redraw the last line", () =>
    Effect.gen(function*() {
      const { env, lines } = yield* makeLines
      for (const line of lines) {
        const { code, lines: shown, received } = yield* Effect.scoped(
          Effect.flatMap(runOnTerminal(line, { env }), ({ exit }) => exit)
        )
        expect({ line, code, shown }).toEqual({ line, code: 0, shown })
        expect(received.replaceAll("\r\u001b[K", "")).not.toContain("\u001b")
        expect(shown.join("")).toMatch(/\S/)
      }
    }).pipe(Effect.provide(emulator())), 300_000)
})
