/** Runs the programs of the README and the guides. `npm run check` compiles them, and the examples of the docstrings. */
import * as HttpServer from "@effect/platform/HttpServer"
import { beforeAll, expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { startFauxqs } from "fauxqs"
import { execFile } from "node:child_process"
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import { isFull } from "../support/full.ts"
import { bundleAll } from "../support/processes.ts"
import { docstrings, folder, programs, root, write } from "./codeBlocks.ts"

/** The folder of the programs with everything that they import. They read `../../package.json`. */
const bundled = join(folder, "bundled")

/** Runs Node.js. Returns its exit code and its output. */
const node = (args: ReadonlyArray<string>, options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv }) =>
  Effect.async<{ readonly code: number; readonly text: string }>((resume) => {
    const child = execFile(process.execPath, args, { cwd: root, ...options }, (_error, stdout, stderr) => {
      resume(Effect.succeed({ code: child.exitCode ?? 1, text: stdout + stderr }))
    })
  })

const chosen = isFull ? programs : programs.filter(({ name }) => /^README|^docs-getting-started/.test(name))

const emulator = NodeEmulator.layerServer({ jobDelay: "300 millis", inventoryDelay: 0 })

/** A third-party S3 with the bucket of the guides. */
const s3 = Effect.acquireRelease(
  Effect.promise(() => startFauxqs({ port: 0, host: "127.0.0.1", logger: false })),
  (server) => Effect.promise(() => server.stop())
).pipe(
  Effect.tap((server) => Effect.sync(() => server.createBucket("my-archives"))),
  Effect.map(({ port }) => `http://127.0.0.1:${port}`)
)

layer(emulator, { excludeTestServices: true })("examples", (it) => {
  beforeAll(() => {
    write()
    return bundleAll(Object.fromEntries(chosen.map(({ name }) => [name, join(folder, `${name}.ts`)])), bundled)
  })

  it("are found", () => {
    expect(programs.length).toBeGreaterThan(50)
    expect(docstrings.length).toBeGreaterThan(50)
  })

  it.scoped.each(chosen)("run: $name", ({ name }) =>
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
          AWS_ENDPOINT_URL_GLACIER: url,
          AWS_ENDPOINT_URL_S3: yield* s3
        }
      })
      rmSync(cwd, { recursive: true })
      expect(ended.code, ended.text).toBe(0)
    }), 180_000)
})
