/** Tests that `npm run lint:language` reports worn-out phrases, and only in text that people read. */
import { describe, expect, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const script = resolve(import.meta.dirname, "../../scripts/check-language.mjs")

/** Runs the check on a file. Returns its exit code, and the line and phrase of each problem. */
const check = (name: string, text: string) => {
  const folder = mkdtempSync(join(tmpdir(), "effect-glacier-"))
  writeFileSync(join(folder, name), text)
  const { status, stdout } = spawnSync(process.execPath, [script, join(folder, name)], { encoding: "utf8" })
  rmSync(folder, { recursive: true })
  return {
    status,
    problems: Array.from(stdout.matchAll(/:(\d+): "([^"]*)" ->/g), ([, line, phrase]) => [line, phrase])
  }
}

describe("lint:language", () => {
  it("reports phrases in comments and test names with their lines", () => {
    const { problems, status } = check(
      "bad.ts",
      [
        "/**",
        " * The upload goes",
        " * on, and the caller is told.",
        " */",
        "// Who answers early is let",
        "// in. Of several nobody knows which.",
        "it.effect(\"begins anew\", () => {})",
        "describe(`${name} is refused`, () => {})"
      ].join("\n")
    )
    expect(status).toBe(1)
    expect(problems).toEqual([
      ["2", "goes on"],
      ["3", "is told"],
      ["5", "is let"],
      ["5", "answers"],
      ["5", "Who"],
      ["6", "nobody knows"],
      ["6", "Of"],
      ["7", "begins anew"],
      ["8", "refused"]
    ])
  })

  it("reports phrases in Markdown, also in the comments of its programs", () => {
    const text = "What is lost is gone.\n\n- Who asks gets it.\n\n```ts\nconst answer = 1 // without a word\n```\n"
    expect(check("bad.md", text).problems).toEqual([["1", "What"], ["3", "Who"], ["6", "without a word"]])
  })

  it("accepts plain sentences, questions, code and quoted text", () => {
    const program = [
      "/**",
      " * Resumes the upload. Fails with `Refused` when the service responds \"the request was refused\".",
      " *",
      " * @example",
      " * const answer = yield* tell(\"go on\")",
      " */",
      "const answer = \"Rate exceeded: who goes on is told\" // The connection was refused.",
      "it(\"aborts the upload when a part fails permanently\", () => {})"
    ]
    expect(check("good.ts", program.join("\n"))).toEqual({ status: 0, problems: [] })
    const page =
      "# What goes on\n\nWhat is a vault? Only the text tells them apart: `answer`.\n\n```ts\nanswer()\n```\n"
    expect(check("good.md", page)).toEqual({ status: 0, problems: [] })
  })
})
