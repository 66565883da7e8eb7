import { describe, expect, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { page, path } from "../../scripts/write-commands.ts"
import { commands } from "../../src/cli/Commands.ts"
import { exitCodeOf } from "../../src/cli/Failures.ts"

const guide = readFileSync("docs/command-line.md", "utf8")

describe("docs/commands.md", () => {
  it("is the help of all commands; `npm run docs:commands` writes it", async () => {
    const text = readFileSync(path, "utf8")
    expect(text).toBe(await page())
    for (const { name } of commands) expect(text).toContain(`\n## ${name}\n`)
  })
})

describe("docs/command-line.md", () => {
  it("lists the exit codes of the program", () => {
    const codes = Array.from(guide.matchAll(/^\| (\d+) \|/gm), ([, code]) => Number(code))
    const tags = ["Usage", "SomeFailed", "BudgetExceeded", "CheckpointInUse", "NotReady", "Other"]
    expect(codes).toEqual(expect.arrayContaining([0, ...tags.map((_tag) => exitCodeOf({ _tag })), 130, 141]))
    expect(codes).toHaveLength(tags.length + 3)
  })

  it("shows only commands that exist", () => {
    const lines = Array.from(guide.matchAll(/^ *(?:npx )?effect-glacier ([a-z][a-z-]*)/gm), ([, name]) => name)
    expect(lines.length).toBeGreaterThan(3)
    const names = commands.map(({ name }) => name)
    expect(lines.filter((name) => !names.includes(name ?? ""))).toEqual([])
  })
})
