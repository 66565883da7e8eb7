/** The code of the README, the guides and the docstrings, as files that the compiler and the tests read. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"

export const root = resolve(import.meta.dirname, "../..")

/** The folder of the files. */
export const folder = join(root, ".examples")

const filesIn = (path: string, ending: string) =>
  readdirSync(join(root, path), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(path, name))

// The reference repeats the docstrings.
const guides = filesIn("docs", ".md").filter((path) => !path.startsWith("docs/reference/"))

const nameOf = (path: string, index: number) => `${path.replace(/\W+/g, "-")}-${index + 1}`

/** The programs of the README and the guides. */
export const programs = ["README.md", ...guides].flatMap((path) =>
  Array.from(
    readFileSync(join(root, path), "utf8").matchAll(/```ts\n([^]*?)```/g),
    ([, code = ""], index) => ({ name: nameOf(path, index), code })
  )
)

/** The examples of the docstrings. */
export const docstrings = filesIn("src", ".ts").flatMap((path) =>
  Array.from(
    readFileSync(join(root, path), "utf8").matchAll(/^ \* @example\n((?: \*.*\n)*?)(?= \* @| \*\/)/gm),
    ([, lines = ""], index) => ({ name: nameOf(path, index), code: lines.replace(/^ \* ?/gm, "") })
  )
)

/** Writes the files anew. */
export const write = () => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const { code, name } of [...programs, ...docstrings]) writeFileSync(join(folder, `${name}.ts`), code)
}
