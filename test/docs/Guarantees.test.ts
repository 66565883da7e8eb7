/** Tests that docs/design/guarantees.md lists the guarantees that tests show, and names the files of these tests. */
import { describe, expect, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "../..")
const guide = readFileSync(join(root, "docs/design/guarantees.md"), "utf8")

/** The text of each guarantee by its code. */
const guarantees = new Map(
  guide.split(/^#{2,3} /m).flatMap((section) => {
    const [, code] = /^([A-Z]\d+): /.exec(section) ?? []
    return code === undefined ? [] : [[code, section] as const]
  })
)

/** Returns the codes in brackets at the end of names: "... [R3]", "... [C1, R8]". */
const codesIn = (source: string): ReadonlyArray<string> =>
  Array.from(
    source.matchAll(/(?:\[([A-Z]\d+(?:, [A-Z]\d+)*)\] ?)+(?=["'`])/g),
    ([text]) => text.match(/[A-Z]\d+/g) ?? []
  ).flat()

const testFiles = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && name !== "docs/Guarantees.test.ts")
  .map((name) => `test/${name}`)

/** The files whose tests show each guarantee. */
const filesOf = new Map<string, ReadonlyArray<string>>()
for (const path of testFiles) {
  for (const code of new Set(codesIn(readFileSync(join(root, path), "utf8")))) {
    filesOf.set(code, [...filesOf.get(code) ?? [], path])
  }
}

describe("docs/design/guarantees.md", () => {
  it("lists every code at the end of a test name", () => {
    expect([...filesOf.keys()].filter((code) => !guarantees.has(code))).toEqual([])
  })

  it("lists only codes that a test name ends with", () => {
    expect(guarantees.size).toBeGreaterThan(15)
    expect([...guarantees.keys()].filter((code) => !filesOf.has(code))).toEqual([])
  })

  it("names under each code the test files that show it", () => {
    const missing = [...filesOf].flatMap(([code, files]) =>
      files.filter((path) => path.endsWith(".test.ts") && guarantees.get(code)?.includes(`\`${path}\``) === false)
        .map((path) => `${code}: ${path}`)
    )
    expect(missing).toEqual([])
  })

  it("names only files that exist", () => {
    const named = Array.from(guide.matchAll(/`(test\/[^`]+)`/g), ([, path = ""]) => path)
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })
})

describe("codes of guarantees", () => {
  it("are found at the end of a name only", () => {
    const source = `it("keeps [A1] a limit [R3]"); it(\`ends [C1, R8]\`); it('stops [I1] [I2]'); it("R4 spreads"); [S5]`
    expect(codesIn(source)).toEqual(["R3", "C1", "R8", "I1", "I2"])
  })
})
