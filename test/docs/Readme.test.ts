/** Tests that the README agrees with the package, and that the README and the site list every guide. */
import { describe, expect, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "../..")
const read = (path: string) => readFileSync(join(root, path), "utf8")
const readme = read("README.md")
const guides = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md") && name !== "index.md")
const { dependencies }: { readonly dependencies: object } = JSON.parse(read("package.json"))

describe("README.md", () => {
  it("shows a complete program in 25 lines", () => {
    const [, program = ""] = readme.match(/```ts\n([^]*?)```/) ?? []
    expect(program.trimEnd().split("\n").length).toBeLessThanOrEqual(25)
  })

  it("counts and names the runtime dependencies", () => {
    const [line = ""] = readme.match(/^It has .* runtime dependencies:[^.]*\./m) ?? []
    const names = Object.keys(dependencies)
    expect(line).toContain(`It has ${["no", "one", "two", "three", "four"][names.length]} runtime dependencies`)
    expect(Array.from(line.matchAll(/`([^`]+)`/g), ([, name]) => name)).toEqual(names)
  })

  it("links to every guide, and has no broken link", () => {
    const links = Array.from(readme.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g), ([, link = ""]) => link)
    expect(links.filter((link) => !link.startsWith("https:") && !existsSync(join(root, link)))).toEqual([])
    expect(guides.filter((name) => !links.includes(`docs/${name}`))).toEqual([])
  })
})

describe("docs/.vitepress/config.ts", () => {
  it("lists every guide in the menu", () => {
    const menu = read("docs/.vitepress/config.ts")
    expect(guides.filter((name) => !menu.includes(`link: "/${name.replace(".md", "")}"`))).toEqual([])
  })
})

describe("docs/index.md", () => {
  it("shows the program of the README", () => {
    const region = /<!-- #region program -->\n([^]*?)<!-- #endregion program -->/.exec(readme)?.[1]
    expect(region).toMatch(/^```ts\n[^]*```\n$/)
    expect(read("docs/index.md")).toContain("<!--@include: ../README.md#program-->")
  })
})
