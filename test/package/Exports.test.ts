/** `exports` of package.json has a path for each public module, and none for anything else. */
import { describe, expect, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "../..")
const manifest: { readonly exports: Readonly<Record<string, string | { readonly default: string }>> } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8")
)

const entries = {
  "": "index.ts",
  "/emulator": "emulator/index.ts",
  "/node": "node/index.ts",
  "/protocol": "protocol/index.ts",
  "/s3": "s3/index.ts",
  "/testing": "testing/index.ts"
}

/** The modules of an entry point by the path that they are imported by. */
const modulesOf = ([entry, index]: [entry: string, index: string]) =>
  Array.from(
    readFileSync(join(root, "src", index), "utf8").matchAll(/^export \* as (\w+) from "(.+)\.ts"$/gm),
    ([, name = "", file = ""]) => {
      const path = join(dirname(index), file)
      return [`.${entry}/${name}`, `./dist/${path}.js`]
    }
  )

describe("package.json", () => {
  it("exports each module of each entry point by its own path, and nothing else", () => {
    const paths = Object.entries(manifest.exports).filter(([, target]) => typeof target === "string")
    const modules = Object.entries(entries).flatMap(modulesOf)
    expect(modules.length).toBeGreaterThan(70)
    expect(Object.fromEntries(paths)).toEqual(
      Object.fromEntries([...modules, ["./package.json", "./package.json"]])
    )
  })

  it("exports the entry points, and opens no other file of the package", () => {
    const others = Object.keys(manifest.exports).filter((path) => typeof manifest.exports[path] === "object")
    expect(others).toEqual([".", "./emulator", "./node", "./protocol", "./s3", "./testing"])
    expect(Object.keys(manifest.exports).filter((path) => /\*|internal/.test(path))).toEqual([])
  })
})
