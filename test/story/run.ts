/** Runs the story: a shell in a folder of its own, with an emulator and an object store. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { startFauxqs } from "fauxqs"
import { spawn } from "node:child_process"
import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import * as Support from "../socket/support.ts"
import { temporaryFolder } from "../support/folders.ts"
import { program } from "../support/processes.ts"
import { chapters } from "./inheritedVault.ts"
import { fill } from "./nas.ts"

/** A line of the shell, the text that it has printed on both outputs, and its exit code. */
export interface Printed {
  readonly line: string
  readonly code: number
  readonly text: string
}

const s3 = Effect.acquireRelease(
  Effect.promise(async () => {
    const server = await startFauxqs({ port: 0, logger: false })
    await server.createBucket("archive")
    return server
  }),
  (server) => Effect.promise(() => server.stop())
)

/** Marks the end of what a line has printed. */
const mark = "::exit "

/** Makes a shell in a folder, which keeps its variables from line to line. */
const makeShell = (folder: string, env: NodeJS.ProcessEnv) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => spawn("sh", { cwd: folder, env, stdio: ["pipe", "pipe", "inherit"] })),
      (shell) => Effect.sync(() => shell.kill("SIGKILL"))
    ),
    (shell) => {
      let received = ""
      let notify = () => {}
      shell.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        received += chunk
        notify()
      })
      return (line: string) =>
        Effect.async<Printed>((resume) => {
          received = ""
          notify = () => {
            const [, text = "", code] = new RegExp(`^([^]*)${mark}(\\d+)\\n$`).exec(received) ?? []
            if (code !== undefined) resume(Effect.succeed({ line, text, code: Number(code) }))
          }
          shell.stdin.write(`{ ${line}; } 2>&1; echo "${mark}$?"\n`)
        })
    }
  )

/** Runs all lines of the story with a vault of this many archives. Returns what they print, and the files of the vault. */
export const run = (count: number) =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const bin = join(folder, ".bin")
    mkdirSync(bin)
    writeFileSync(
      join(bin, "effect-glacier"),
      `#!/bin/sh\nexec "${process.execPath}" "${yield* Effect.promise(program)}" "$@"\n`
    )
    chmodSync(join(bin, "effect-glacier"), 0o755)
    const { url } = yield* NodeEmulator.Address
    const { accessKeyId, secretAccessKey } = Emulator.defaultKey
    const { port } = yield* s3
    const files = yield* Effect.provide(fill(count), Support.client(url))
    const shell = yield* makeShell(folder, {
      HOME: folder,
      PATH: `${bin}:${process.env["PATH"]}`,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: Redacted.value(secretAccessKey),
      AWS_REGION: NodeEmulator.region,
      AWS_ENDPOINT_URL_GLACIER: url,
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
      XDG_STATE_HOME: join(folder, ".state")
    })
    const printed: Array<Printed> = []
    for (const { steps } of chapters) {
      for (const { line } of steps) printed.push(yield* shell(line))
    }
    return { files, folder, printed, objects: `http://127.0.0.1:${port}` }
  }).pipe(
    Effect.provide([NodeEmulator.layerServer({ port: 0, jobDelay: "3 seconds", inventoryDelay: 0 }), NodeContext.layer])
  )
