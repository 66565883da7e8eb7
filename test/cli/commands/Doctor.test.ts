import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { Emulator } from "../../../src/emulator/index.ts"
import { GlacierClient } from "../../../src/index.ts"
import { NodeEmulator } from "../../../src/node/index.ts"
import { message, type Response, serve } from "../../socket/scriptedServer.ts"
import { temporaryFolder } from "../../support/folders.ts"
import { runProgramIn } from "../../support/processes.ts"
import { environment } from "../emulator.ts"

const vaultName = "photos"

interface Line {
  readonly subject: string
  readonly verdict: string
  readonly found: string
  readonly next?: string
}

const linesOf = (stdout: string): Readonly<Record<string, Line>> =>
  Object.fromEntries(
    stdout.split("\n").map((text): Line => JSON.parse(text)).map((line) => [line.subject, line])
  )

const doctor = (env: NodeJS.ProcessEnv, ...args: ReadonlyArray<string>) =>
  Effect.scoped(Effect.flatMap(runProgramIn(env, ["doctor", ...args]), ({ exit }) => exit))

const findings = (env: NodeJS.ProcessEnv, ...args: ReadonlyArray<string>) =>
  Effect.map(doctor(env, "--json", ...args), ({ code, stdout }) => ({ code, found: linesOf(stdout) }))

describe.concurrent("effect-glacier doctor", () => {
  it.scopedLive("finds everything good with an emulator, and leaves out the checks of a vault without --vault", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient.GlacierClient
      yield* glacier.createVault({ vaultName })
      const env = yield* environment(yield* temporaryFolder)
      const { code, stderr, stdout } = yield* doctor(env)
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
      const rows = stdout.split("\n").map((line) => line.split(/ {2,}/))
      expect(rows.map(([verdict, subject]) => `${verdict} ${subject}`)).toEqual([
        "ok credentials",
        "ok clock",
        "ok region",
        "ok endpoint",
        "ok proxy",
        "ok reachability",
        "ok retrieval policy",
        "ok disk"
      ])
      expect(rows[0]?.[2]).toBe(`${Emulator.defaultKey.accessKeyId} of account 123456789012, which does not expire`)
      expect(stdout).not.toContain(env.AWS_SECRET_ACCESS_KEY)
    }).pipe(Effect.provide(NodeEmulator.layer())))

  it.scopedLive("notes the lock, the open uploads and the retrieval policy of a vault", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient.GlacierClient
      yield* glacier.createVault({ vaultName })
      yield* glacier.initiateMultipartUpload({ vaultName, partSize: 1_048_576 })
      yield* glacier.setDataRetrievalPolicy({ policy: { rules: [{ strategy: "FreeTier" }] } })
      const Statement = { Effect: "Deny", Principal: "*", Action: "glacier:DeleteArchive", Resource: "*" }
      yield* glacier.initiateVaultLock({ vaultName, policy: JSON.stringify({ Statement }) })
      const env = yield* environment(yield* temporaryFolder)
      const present = yield* findings(env, "--vault", vaultName)
      expect(present.code).toBe(0)
      expect(present.found).toMatchObject({
        vault: { verdict: "ok", found: expect.stringContaining("0 archives, 0 bytes") },
        lock: { verdict: "note", found: "in progress" },
        "open uploads": { verdict: "note", found: expect.stringMatching(/^1, the oldest since 20/) },
        checkpoints: { verdict: "ok", found: "none" },
        "retrieval policy": { verdict: "note", found: expect.stringContaining("FreeTier") }
      })
      const missing = yield* findings(env, "--vault", "films")
      expect(missing.code).toBe(1)
      expect(missing.found).toMatchObject({ vault: { verdict: "bad" }, credentials: { verdict: "ok" } })
    }).pipe(Effect.provide(NodeEmulator.layer())))

  it.scopedLive("counts the checkpoints and the unfinished plans, and says how to see them", () =>
    Effect.gen(function*() {
      const state = yield* temporaryFolder
      const folder = `${state}/123456789012/us-east-1/${vaultName}`
      mkdirSync(`${folder}/checkpoints`, { recursive: true })
      mkdirSync(`${folder}/plans`)
      const env = yield* environment(state)
      for (const name of ["get", "get-0"]) {
        writeFileSync(`${folder}/checkpoints/${name}-${"0123456789abcdef".repeat(2)}.checkpoint`, "12345")
      }
      const date = "2020-01-01T00:00:00.000Z"
      const plan = { name: "get", kind: "get", arguments: ["/restored"], inventory: date, made: date, started: date }
      writeFileSync(`${folder}/plans/get.json`, JSON.stringify({ ...plan, finished: date }))
      const done = yield* findings(env, "--vault", vaultName)
      expect(done.found["checkpoints"]).toMatchObject({ verdict: "ok", found: "2 files, 10 bytes" })
      writeFileSync(`${folder}/plans/get.json`, JSON.stringify(plan))
      const left = yield* findings(env, "--vault", vaultName)
      expect(left.found["checkpoints"]).toMatchObject({
        verdict: "note",
        found: "2 files, 10 bytes, 1 plan not finished",
        next: "effect-glacier status shows how to continue"
      })
    }).pipe(Effect.provide(NodeEmulator.layer())))

  it.scopedLive("rejects a wrong secret without showing it, and still checks the rest", () =>
    Effect.gen(function*() {
      const env = yield* environment(yield* temporaryFolder)
      const { code, stderr, stdout } = yield* doctor(
        { ...env, AWS_SECRET_ACCESS_KEY: "not-the-secret" },
        "--json"
      )
      expect(code).toBe(1)
      expect(linesOf(stdout)).toMatchObject({
        credentials: { verdict: "bad" },
        clock: { verdict: "ok" },
        reachability: { verdict: "ok" },
        "retrieval policy": { verdict: "note", found: "unknown" },
        disk: { verdict: "ok" }
      })
      expect(stdout + stderr).not.toMatch(/not-the-secret|canonical/i)
    }).pipe(Effect.provide(NodeEmulator.layer())))

  it.scopedLive("reports a refused connection once", () =>
    Effect.gen(function*() {
      const env = yield* environment(yield* temporaryFolder)
      const refused = { ...env, AWS_ENDPOINT_URL_GLACIER: "http://127.0.0.1:9" }
      const { code, found } = yield* findings(refused, "--vault", vaultName)
      expect(Object.values(found).filter(({ verdict }) => verdict === "bad")).toEqual([
        {
          subject: "reachability",
          verdict: "bad",
          found: expect.stringContaining("ECONNREFUSED"),
          next: expect.stringContaining("--endpoint")
        }
      ])
      expect(code).toBe(1)
    }).pipe(Effect.provide(NodeEmulator.layer())))

  it.scopedLive("shows by how much the clock is wrong", () =>
    Effect.gen(function*() {
      const env = yield* environment(yield* temporaryFolder)
      const inTenMinutes: Response = {
        after: "body",
        run: (socket) => void socket.write(message(403, { date: new Date(Date.now() + 600_000).toUTCString() }, "{}"))
      }
      const { origin } = yield* serve(Array.from({ length: 9 }, () => ["any", inTenMinutes]), false)
      const { found } = yield* findings({ ...env, AWS_ENDPOINT_URL_GLACIER: origin })
      expect(found["clock"]).toMatchObject({
        verdict: "bad",
        found: expect.stringMatching(/^(59\d|600) seconds behind that of the service$/),
        next: expect.stringContaining("NTP")
      })
    }).pipe(Effect.provide(NodeEmulator.layer())))

  it.scopedLive("shows a proxy without its password, and rejects an invalid one", () =>
    Effect.gen(function*() {
      const env = yield* environment(yield* temporaryFolder)
      const proxy = { HTTPS_PROXY: "http://user:pass%40word@proxy.example.com:3128" }
      const good = yield* doctor({ ...env, ...proxy }, "--json")
      expect(linesOf(good.stdout)["proxy"]?.found).toContain("HTTPS_PROXY=http://proxy.example.com:3128")
      expect(good.stdout).not.toMatch(/user|word/)
      const invalid = yield* doctor({ ...env, HTTPS_PROXY: "http://user:pa/word@proxy.example.com" }, "--json")
      expect(invalid.stdout + invalid.stderr).not.toContain("word@")
      expect(linesOf(invalid.stdout)["proxy"]).toMatchObject({ verdict: "bad" })
    }).pipe(Effect.provide(NodeEmulator.layer())))

  it.scopedLive("names what is missing without a region and without credentials", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const none = {
        ...{ AWS_REGION: "", AWS_DEFAULT_REGION: "", AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" },
        ...{ AWS_CONFIG_FILE: `${folder}/none`, AWS_SHARED_CREDENTIALS_FILE: `${folder}/none` },
        ...{ AWS_EC2_METADATA_DISABLED: "true", EFFECT_GLACIER_STATE: folder }
      }
      const { code, found } = yield* findings(none)
      expect(code).toBe(1)
      expect(found).toMatchObject({
        credentials: { verdict: "bad", found: expect.stringContaining("no credentials") },
        region: { verdict: "bad", found: expect.stringContaining("No region") },
        reachability: { verdict: "note" },
        disk: { verdict: "ok" }
      })
    }))
})
