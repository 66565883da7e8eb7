/** Tests that the commands of the README and the guides install the versions of package.json. */
import { describe, expect, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "../..")
const read = (path: string) => readFileSync(join(root, path), "utf8")
const { devDependencies, peerDependencies }: Record<string, Readonly<Record<string, string>>> = JSON.parse(
  read("package.json")
)
const ranges = new Map(Object.entries({ ...devDependencies, ...peerDependencies }))

const guides = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)

/** The packages of each `npm install` command of a page, with their ranges. */
const installed = (path: string) =>
  Array.from(read(path).matchAll(/^npm (?:install|i)\b(.*)$/gm), ([, packages = ""]) => packages.split(" "))
    .flat()
    .filter((name) => /^@?\w/.test(name))

describe.each(["README.md", ...guides].filter((path) => installed(path).length > 0))("%s", (path) => {
  it("installs packages in the version ranges of package.json", () => {
    const wrong = installed(path).flatMap((text) => {
      const [, name = "", range = ""] = /^(.+?)(?:@([^@]+))?$/.exec(text) ?? []
      const expected = ranges.get(name)
      // A page may shorten a range: ^3.22 for ^3.22.4. Packages that package.json does not name have no range.
      return expected === undefined || (range.length > 1 && `${expected}.`.startsWith(`${range}.`))
        ? []
        : [{ text, expected }]
    })
    expect(wrong).toEqual([])
  })
})
