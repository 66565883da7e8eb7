/**
 * The program on the command line: how long it takes to start, and `get` of 1 GiB beside the same download by the library.
 *
 *     npm run bench:commands -- [MIB]
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Data, Effect } from "effect"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import { bundleProgram } from "../scripts/bundle-program.ts"
import * as Files from "./files.ts"
import { emulator } from "./support.ts"
import { bundle, stopBundler } from "./tools.ts"

const mebibytes = Number(process.argv[2] ?? 1_024)

/** The number of starts of which the median counts. */
const starts = 20

/** The number of downloads by each program, in turn, of which the median counts. */
const rounds = 3

const program = "bench/dist/effect-glacier.mjs"

class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

const env = { AWS_ACCESS_KEY_ID: "bench", AWS_SECRET_ACCESS_KEY: "bench", AWS_REGION: "us-east-1" }

/** Runs a program until it ends. Returns the seconds that this takes. */
const seconds = (args: ReadonlyArray<string>, more: NodeJS.ProcessEnv = {}) =>
  Effect.async<number, Failed>((resume) => {
    const start = performance.now()
    const child = spawn(process.execPath, args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, ...env, ...more }
    })
    child.once("close", (code) =>
      resume(
        code === 0
          ? Effect.succeed((performance.now() - start) / 1_000)
          : new Failed({ message: `${args.join(" ")} ended with ${code}` })
      ))
  })

const median = (values: ReadonlyArray<number>): number =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN

const repeated = <E, R>(effect: Effect.Effect<number, E, R>, times: number) =>
  Effect.map(Effect.replicateEffect(effect, times), median)

/** The milliseconds from the start of `effect-glacier vaults` until its first request arrives. */
const firstRequest = Effect.async<number, Failed>((resume) => {
  let start = 0
  const server = createServer((_request, response) => {
    resume(Effect.succeed(performance.now() - start))
    response.writeHead(403, { "content-type": "application/json" })
    response.end(JSON.stringify({ code: "AccessDeniedException", message: "no", type: "Client" }))
  }).listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" ? address?.port : undefined
    start = performance.now()
    const child = spawn(process.execPath, [program, "vaults"], {
      stdio: "ignore",
      env: { ...process.env, ...env, AWS_ENDPOINT_URL_GLACIER: `http://127.0.0.1:${port}` }
    })
    child.once("close", () => {
      server.close()
      resume(new Failed({ message: "effect-glacier vaults sent no request" }))
    })
  })
})

const startUp = Effect.gen(function*() {
  const help = yield* repeated(seconds([program, "--help"]), starts)
  yield* Console.log(`--help          ${Math.round(help * 1_000)} ms (goal 250)`)
  const request = yield* repeated(firstRequest, starts)
  yield* Console.log(`first request   ${Math.round(request)} ms (goal 400)`)
})

const download = Effect.gen(function*() {
  const folder = yield* Files.folder
  const { url } = yield* emulator(`${folder}/emulator`)
  const file = yield* Files.random(`${folder}/archive`, mebibytes * Files.mebibyte)
  const at = { AWS_ENDPOINT_URL_GLACIER: url, EFFECT_GLACIER_STATE: `${folder}/state`, EFFECT_GLACIER_VAULT: "bench" }
  const command = (...args: ReadonlyArray<string>) => seconds([program, ...args], at)
  const prepared = yield* seconds(["bench/dist/bundled/commandTasks.js", "store", file.path], at)
  yield* Console.log(`stored ${mebibytes} MiB in ${prepared.toFixed(1)} s`)
  yield* command("inventory", "--wait")
  /** A download to a new folder, which makes a new plan. */
  const inNewFolder = (run: (target: string) => Effect.Effect<number, Failed>) =>
    Effect.acquireUseRelease(
      Effect.sync(() => mkdtempSync(`${folder}/target-`)),
      run,
      (target) => Effect.sync(() => rmSync(target, { recursive: true, force: true }))
    )
  const pairs = yield* Effect.replicateEffect(
    Effect.all([
      inNewFolder((target) => command("get", target, "--yes")),
      inNewFolder((target) => seconds(["bench/dist/bundled/commandTasks.js", "download", `${target}/file`], at))
    ]),
    rounds
  )
  const ours = median(pairs.map(([get]) => get))
  const theirs = median(pairs.map(([, library]) => library))
  yield* Console.log(`get             ${ours.toFixed(2)} s`)
  yield* Console.log(`library         ${theirs.toFixed(2)} s`)
  yield* Console.log(`get / library   ${(ours / theirs).toFixed(2)}`)
})

const main = Effect.gen(function*() {
  yield* Effect.promise(() => bundleProgram(program))
  yield* bundle(".", ["bench/commandTasks.ts"], "bundled")
  yield* stopBundler
  yield* startUp
  if (mebibytes > 0) yield* download
})

NodeRuntime.runMain(Effect.scoped(main))
