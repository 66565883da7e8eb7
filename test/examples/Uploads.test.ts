/** The examples of uploads, against an emulator behind a socket. */
import * as HttpServer from "@effect/platform/HttpServer"
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { execFile } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import { temporaryFolder } from "../support/folders.ts"
import { bundle } from "../support/processes.ts"
import * as Support from "../transfer/support.ts"

const sample = "node_modules/typescript/lib/typescript.js"

const run = Effect.fnUntraced(function*(example: string, args: ReadonlyArray<string>, input?: Buffer) {
  const url = yield* HttpServer.addressFormattedWith(Effect.succeed)
  const { accessKeyId, secretAccessKey } = Emulator.defaultKey
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: Redacted.value(secretAccessKey),
    AWS_REGION: NodeEmulator.region,
    AWS_ENDPOINT_URL_GLACIER: url
  }
  const program = yield* Effect.promise(() => bundle(`examples/${example}.ts`))
  return yield* Effect.async<{ readonly code: number | null; readonly text: string }>((resume) => {
    const child = execFile(
      process.execPath,
      [program, ...args],
      { env },
      (_error, stdout, stderr) => resume(Effect.succeed({ code: child.exitCode, text: stdout + stderr }))
    )
    child.stdin?.end(input)
  })
})

layer(NodeEmulator.layerServer(), { excludeTestServices: true })("examples/", (it) => {
  it.effect("upload-file.ts stores the given file", () =>
    Effect.gen(function*() {
      const { code, text } = yield* run("upload-file", [sample])
      expect(text).toContain(`tree hash ${Support.treeHash(readFileSync(sample))}\nKeep this: `)
      expect(code).toBe(0)
    }), 60_000)

  it.effect("upload-stream.ts stores standard input", () =>
    Effect.gen(function*() {
      const input = readFileSync(sample)
      const { code, text } = yield* run("upload-stream", [], input)
      expect(text).toContain(`${input.length} bytes in ${Math.ceil(input.length / Support.mebibyte)} parts`)
      expect(text).toContain(`tree hash ${Support.treeHash(input)}`)
      expect(code).toBe(0)
    }), 60_000)

  it.scoped(
    "backup-folder.ts stores the files of a folder, and only changed files in the next run",
    () =>
      Effect.gen(function*() {
        const folder = yield* temporaryFolder
        const checkpoints = yield* temporaryFolder
        for (const name of ["a", "b", "empty"]) writeFileSync(join(folder, name), name === "empty" ? "" : name)
        const back = Effect.map(run("backup-folder", [folder, checkpoints]), ({ code, text }) => {
          expect(code, text).toBe(0)
          return text.trimEnd().split("\n").map((line) => line.split(":")[0]).sort()
        })
        expect(yield* back).toEqual(["empty empty", "stored a", "stored b"])
        writeFileSync(join(folder, "b"), "changed")
        expect(yield* back).toEqual(["empty empty", "stored b", "unchanged a"])
      }),
    60_000
  )

  it.effect("resume.ts resumes an upload after a failure", () =>
    Effect.gen(function*() {
      const { code, text } = yield* run("resume", [])
      expect(text).toMatch(/Interrupted: \S+\nRead 5242880 bytes\n5242880 bytes in 5 parts/)
      expect(code).toBe(0)
    }), 60_000)
})
