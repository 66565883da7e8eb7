/** Tests that the code of the README, the guides and the docstrings compiles, and that the programs of the guides run. */
import * as HttpServer from "@effect/platform/HttpServer"
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { execFile } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import { bundleAll } from "../support/processes.ts"

const root = resolve(import.meta.dirname, "../..")
const folder = join(root, ".examples")
/** The folder of the compiled programs, with the package.json that their imports resolve to. */
const compiled = join(folder, "compiled")
/** The folder of the programs with everything that they import. They read `../../package.json`. */
const bundled = join(folder, "bundled")

const filesIn = (path: string, ending: string) =>
  readdirSync(join(root, path), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(path, name))

// The reference repeats the docstrings, which are compiled below.
const guides = filesIn("docs", ".md").filter((path) => !path.startsWith("docs/reference/"))

const programs = ["README.md", ...guides].flatMap((path) =>
  Array.from(readFileSync(join(root, path), "utf8").matchAll(/```ts\n([^]*?)```/g), ([, code = ""], index) => ({
    name: `${path.replace(/\W+/g, "-")}-${index + 1}`,
    code
  }))
)

const docstrings = filesIn("src", ".ts").flatMap((path) =>
  Array.from(
    readFileSync(join(root, path), "utf8").matchAll(/^ \* @example\n((?: \*.*\n)*?)(?= \* @| \*\/)/gm),
    ([, lines = ""], index) => ({
      name: `${path.replace(/\W+/g, "-")}-${index + 1}`,
      code: lines.replace(/^ \* ?/gm, "")
    })
  )
)

/** Runs Node.js. Returns its exit code and its output. */
const node = (args: ReadonlyArray<string>, options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv }) =>
  Effect.async<{ readonly code: number; readonly text: string }>((resume) => {
    const child = execFile(process.execPath, args, { cwd: root, ...options }, (_error, stdout, stderr) => {
      resume(Effect.succeed({ code: child.exitCode ?? 1, text: stdout + stderr }))
    })
  })

const emulator = NodeEmulator.layerServer({ jobDelay: "300 millis", inventoryDelay: 0 })

layer(emulator, { excludeTestServices: true })("examples", (it) => {
  it.effect("compile", () =>
    Effect.gen(function*() {
      expect(programs.length).toBeGreaterThan(5)
      expect(docstrings.length).toBeGreaterThan(5)
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(folder)
      const compilerOptions = { noUnusedLocals: false, noEmit: false, rootDir: "..", outDir: compiled }
      const config = { extends: "../tsconfig.json", compilerOptions, include: ["*.ts", "../src"] }
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config))
      for (const { code, name } of [...programs, ...docstrings]) writeFileSync(join(folder, `${name}.ts`), code)
      expect(yield* node(["node_modules/typescript/bin/tsc", "-p", folder], {})).toEqual({ code: 0, text: "" })
      const manifest = readFileSync(join(root, "package.json"), "utf8").replaceAll("./dist/", "./src/")
      writeFileSync(join(compiled, "package.json"), manifest)
      const scripts = programs.map(({ name }) => [name, join(compiled, ".examples", `${name}.js`)] as const)
      yield* Effect.promise(() => bundleAll(Object.fromEntries(scripts), bundled))
    }), 300_000)

  it.effect.each(programs)("run: $name", ({ name }) =>
    Effect.gen(function*() {
      const url = yield* HttpServer.addressFormattedWith(Effect.succeed)
      const cwd = mkdtempSync(join(tmpdir(), "effect-glacier-"))
      symlinkSync(join(root, "node_modules"), join(cwd, "node_modules"))
      cpSync(join(root, "package.json"), join(cwd, "package.json"))
      const { accessKeyId, secretAccessKey } = Emulator.defaultKey
      const ended = yield* node([join(bundled, `${name}.js`)], {
        cwd,
        env: {
          ...process.env,
          AWS_ACCESS_KEY_ID: accessKeyId,
          AWS_SECRET_ACCESS_KEY: Redacted.value(secretAccessKey),
          AWS_REGION: NodeEmulator.region,
          AWS_ENDPOINT_URL_GLACIER: url
        }
      })
      rmSync(cwd, { recursive: true })
      expect(ended.code, ended.text).toBe(0)
    }), 180_000)
})
