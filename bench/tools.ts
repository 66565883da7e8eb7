/** What the benchmarks run: built and compiled once at the start, and what of it this machine has. */
import { Effect } from "effect"
import { buildSync } from "esbuild"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import type { Program } from "./program.ts"

const there = (command: string, ...args: ReadonlyArray<string>) => spawnSync(command, args).status === 0

export interface Tools {
  readonly server: Program
  /** A program of the limit in C; nothing without a compiler, or without the headers of OpenSSL. */
  readonly limit: (name: string, ...args: Program["args"]) => Program | undefined
  /** A compiled program on Node.js. */
  readonly node: (name: string, ...args: Program["args"]) => Program
  /** The same in one file with all that it imports. */
  readonly bundled: (name: string, ...args: Program["args"]) => Program
  /** A program of boto3's; nothing without it. */
  readonly boto3: (name: string, ...args: Program["args"]) => Program | undefined
  /** nginx and openssl. */
  readonly tls: boolean
}

/** The package is built, and the programs on Node.js are compiled and bundled as users' are. */
const build = () => {
  execFileSync("npm", ["run", "build"], { stdio: ["ignore", "ignore", "inherit"] })
  execFileSync("node_modules/.bin/tsc", ["-p", "tsconfig.bench.json"], { stdio: "inherit" })
  buildSync({
    entryPoints: ["bench/dist/ours/*.js", "bench/dist/peers/js/*.js"],
    outbase: "bench/dist",
    outdir: "bench/dist/bundled",
    bundle: true,
    platform: "node",
    format: "esm",
    // Some packages are CommonJS.
    banner: { js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url)` },
    logLevel: "error"
  })
}

/** Whether a program in C could be compiled. */
const compiled = (folder: string, source: string, ...libraries: ReadonlyArray<string>) =>
  there("cc", "-O2", "-pthread", `bench/${source}.c`, "-o", `${folder}/${source}`, ...libraries)

export const prepare = (folder: string) =>
  Effect.sync((): Tools => {
    build()
    for (const room of ["server", "limit"]) mkdirSync(`${folder}/${room}`)
    const server = compiled(folder, "server/server")
    const limit = ["upload", "download", "hash"].every((name) => compiled(folder, `limit/${name}`, "-lcrypto"))
    // Debian's first.
    const python = ["/usr/bin/python3", "python3"].find((command) => there(command, "-c", "import boto3"))
    const node = (name: string, ...args: Program["args"]) => ({
      command: process.execPath,
      args: [`bench/dist/${name}.js`, ...args]
    })
    const bundled: typeof node = (name, ...args) => node(`bundled/${name}`, ...args)
    return {
      server: server ? { command: `${folder}/server/server`, args: [] } : node("server/server"),
      limit: (name, ...args) => limit ? { command: `${folder}/limit/${name}`, args } : undefined,
      node,
      bundled,
      boto3: (name, ...args) =>
        python === undefined ? undefined : { command: python, args: [`bench/peers/boto3/${name}.py`, ...args] },
      tls: there("nginx", "-v") && there("openssl", "version")
    }
  })
