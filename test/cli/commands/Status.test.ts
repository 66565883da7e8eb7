/** The command `status` as a process, after commands that were killed: what it prints resumes them, wherever it is typed. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as NodeEmulator from "../../../src/node/NodeEmulator.ts"
import { program, runProgramIn } from "../../support/processes.ts"
import { archivesOf, emulator, jsonLines, makePrograms, until } from "./programs.ts"

/** The variables that would reach the vault without options. */
const none = {
  AWS_ENDPOINT_URL_GLACIER: "",
  AWS_REGION: "",
  AWS_ACCESS_KEY_ID: "",
  AWS_SECRET_ACCESS_KEY: "",
  EFFECT_GLACIER_STATE: "",
  EFFECT_GLACIER_VAULT: ""
}

/** Runs a command of the program in a shell, in another folder, until it ends. */
const shell = (env: NodeJS.ProcessEnv, cwd: string, command: string) =>
  Effect.promise(async () => {
    const line = command.replace("effect-glacier", `"${process.execPath}" "${await program()}"`)
    const child = spawn("sh", ["-c", line], { cwd, env: { ...process.env, ...env }, stdio: "ignore" })
    const [code] = await once(child, "close")
    return code
  })

describe("effect-glacier status", () => {
  it.scopedLive(
    "prints commands that resume an upload and empty after a kill, with the options that were given",
    () =>
      Effect.gen(function*() {
        const { env, folder, vault } = yield* makePrograms("photos")
        const credentials = join(folder, "credentials")
        const { AWS_ACCESS_KEY_ID: id, AWS_ENDPOINT_URL_GLACIER: url, AWS_SECRET_ACCESS_KEY: secret } = env
        writeFileSync(credentials, `[old]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`)
        const source = join(folder, "the source")
        mkdirSync(source)
        for (let index = 0; index < 60; index++) writeFileSync(join(source, `${index}.txt`), `${index}`)
        const keys = { ...none, AWS_SHARED_CREDENTIALS_FILE: credentials, AWS_CONFIG_FILE: join(folder, "none") }
        const state = ["--state", join(folder, "the state")]
        const options = [
          ...["--vault", "photos", "--region", NodeEmulator.region, "--endpoint", url, "--profile", "old"],
          ...state
        ]
        const killAt = (condition: (archives: number) => boolean, ...args: ReadonlyArray<string>) =>
          Effect.scoped(Effect.gen(function*() {
            const { exit, kill } = yield* runProgramIn(keys, [...args, ...options])
            yield* until(vault, condition)
            yield* kill("SIGKILL")
            expect((yield* exit).signal).toBe("SIGKILL")
          }))
        const left = Effect.map(
          Effect.scoped(Effect.flatMap(runProgramIn(keys, ["status", "--json", ...state]), ({ exit }) => exit)),
          ({ stdout }) => jsonLines(stdout)
        )

        yield* killAt((archives) => archives >= 7, "upload", source, "--exclude", "1?.txt")
        const [upload] = yield* left
        expect(upload).toMatchObject({ type: "plan", kind: "upload" })
        expect(yield* shell(keys, "/", String(upload?.["command"]))).toBe(0)
        expect(yield* archivesOf(vault)).toHaveLength(50)
        expect(yield* left).toEqual([])

        const args = ["empty", "--delete-young", "--without-copies", "--yes"]
        yield* killAt((archives) => archives <= 40, ...args)
        const [empty] = yield* left
        expect(empty).toMatchObject({ type: "plan", kind: "empty" })
        expect(yield* shell(keys, "/", `${String(empty?.["command"])} --yes`)).toBe(0)
        expect(yield* archivesOf(vault)).toEqual([])
        expect(yield* left).toEqual([])
      }).pipe(Effect.provide(emulator)),
    60_000
  )
})
