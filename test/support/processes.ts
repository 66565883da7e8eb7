/** Programs that tests run in processes of their own, to send them signals or to kill them. */
import * as Effect from "effect/Effect"
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { basename } from "node:path"
import { createInterface } from "node:readline"
import { text as textOf } from "node:stream/consumers"
import { bundleProgram } from "../../scripts/bundle-program.ts"
import { bundlePrefix, nodeModules } from "./bundles.ts"

/**
 * Bundles scripts with everything that they import. A bundle starts about ten times as fast as a script that tsx compiles, and
 * some tests start dozens of processes.
 */
export const bundleAll = (entryPoints: Readonly<Record<string, string>>, outdir: string) =>
  build({
    entryPoints: { ...entryPoints },
    outdir,
    bundle: true,
    // Keeps dynamic imports, so that a program loads only what it needs.
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    // For the packages that are written in CommonJS.
    banner: { js: `import * as _module from "node:module"; const require = _module.createRequire(import.meta.url)` },
    // They fail in a bundle.
    external: ["@peculiar/x509", "reflect-metadata", "@aws-sdk/client-s3", "@aws-sdk/client-sqs"],
    logLevel: "error"
  })

/** The paths of the bundles of this worker by their name. */
const bundles = new Map<string, Promise<string>>()

/** Makes a bundle unless this worker has it already, and returns its path. `write` writes it to a folder. */
const bundleOnce = (name: string, write: (folder: string) => Promise<string>): Promise<string> => {
  // Each worker has its own, and `test/globalSetup.ts` removes them all.
  const bundle = bundles.get(name) ??
    write(`${nodeModules}/${bundlePrefix(process.ppid)}${process.pid}-${basename(name)}`)
  bundles.set(name, bundle)
  return bundle
}

/** Bundles a script, and returns the path of the bundle. */
export const bundle = (script: string): Promise<string> =>
  bundleOnce(script, (folder) => bundleAll({ program: script }, folder).then(() => `${folder}/program.js`))

/** Runs a bundle until it ends. When the scope closes, the process is killed. */
const runBundle = (bundle: () => Promise<string>, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}) =>
  Effect.flatMap(Effect.promise(bundle), (path) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(process.execPath, [path, ...args], {
          stdio: ["ignore", "pipe", "pipe"],
          env: { ...process.env, ...env }
        })
        const lines: Array<string> = []
        const firstLine = new Promise<string>((resolve) => {
          const reader = createInterface(child.stdout)
          reader.on("line", (line) => {
            lines.push(line)
            resolve(line)
          })
          reader.on("close", () => resolve(""))
        })
        const stderr = textOf(child.stderr)
        const exit = once(child, "close").then(async ([code, signal]: Array<unknown>) => ({
          code: code as number | null,
          signal: signal as string | null,
          stdout: lines.join("\n"),
          stderr: await stderr
        }))
        return {
          /** The first line that the program prints; empty if it prints none. */
          firstLine: Effect.promise(() => firstLine),
          /** The lines that the program has printed so far. */
          lines: Effect.sync(() => [...lines]),
          exit: Effect.promise(() => exit),
          kill: (signal: NodeJS.Signals) => Effect.sync(() => child.kill(signal))
        }
      }),
      ({ exit, kill }) => Effect.zipRight(kill("SIGKILL"), exit)
    ))

/** Runs a TypeScript program until it ends. When the scope closes, the process is killed. */
export const runScript = (script: string, args: ReadonlyArray<string>, env?: NodeJS.ProcessEnv) =>
  runBundle(() => bundle(script), args, env)

/** Bundles the `effect-glacier` program as its package has it, and returns the path of the bundle. */
export const program = (): Promise<string> =>
  bundleOnce("effect-glacier", async (folder) => {
    const path = `${folder}/effect-glacier.mjs`
    await bundleProgram(path)
    return path
  })

/** Runs the `effect-glacier` program. */
export const runProgram = (...args: ReadonlyArray<string>) => runBundle(program, args)

/** Runs the `effect-glacier` program with variables of the environment. */
export const runProgramIn = (env: NodeJS.ProcessEnv, args: ReadonlyArray<string>) => runBundle(program, args, env)

/** Runs an emulator on a free port and waits until it listens. */
export const runEmulator = (...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const running = yield* runProgram("emulator", "--port", "0", ...args)
    const line = yield* running.firstLine
    const [, url, port] = /^Glacier emulator listening on (https?:\/\/127\.0\.0\.1:(\d+))$/.exec(line) ?? []
    if (url === undefined) {
      const { stderr, stdout } = yield* Effect.zipRight(running.kill("SIGKILL"), running.exit)
      return yield* Effect.dieMessage(`The emulator did not start:\n${stdout}\n${stderr}`)
    }
    return { ...running, url, port: Number(port) }
  })
