/** The programs that the benchmarks run, built once at the start, and the tools that this machine has. */
import { Data, Effect } from "effect"
import * as Esbuild from "esbuild"
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs"
import { resolve } from "node:path"
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
  /** A program of `bench/ours`, bundled; `before` is that of the other checkout, when there is one. */
  readonly ours: (name: string, ...args: Program["args"]) => {
    readonly ours: Program
    readonly before: Program | undefined
  }
  /** A program of `bench/ours` over the platform's own HTTP client, bundled. */
  readonly platform: (name: string, ...args: Program["args"]) => Program
  /** A program of boto3's; nothing without it. */
  readonly boto3: (name: string, ...args: Program["args"]) => Program | undefined
  /** nginx and openssl. */
  readonly tls: boolean
}

class NoCheckout extends Data.TaggedError("NoCheckout")<{ readonly message: string }> {}

/** Fails when a folder is not a checkout of this project that is ready to run. */
const requireCheckout = (folder: string) =>
  existsSync(`${folder}/bench/ours`) && existsSync(`${folder}/node_modules`)
    ? Effect.void
    : new NoCheckout({
      message: `The folder "${folder}" in --against has no bench/ours or no node_modules: ` +
        "name a checkout of this project, and run npm ci there"
    })

/**
 * Bundles the programs that match `entryPoints`, as users bundle theirs. The paths in the checkout's tsconfig.json lead
 * `effect-glacier` to the `src` of the same checkout, and packages come from its `node_modules`.
 */
export const bundle = (
  checkout: string,
  entryPoints: Array<string>,
  to: string,
  plugins: Array<Esbuild.Plugin> = []
) =>
  Effect.promise(() =>
    Esbuild.build({
      absWorkingDir: resolve(checkout),
      entryPoints,
      outbase: "bench",
      outdir: resolve(`bench/dist/${to}`),
      bundle: true,
      platform: "node",
      format: "esm",
      // Some packages are CommonJS.
      banner: { js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url)` },
      logLevel: "error",
      plugins
    })
  )

/** Stops the process of the bundler, which would otherwise keep running beside the benchmarks. */
export const stopBundler = Effect.promise(() => Esbuild.stop())

const programs = "bench/ours/*.ts"

/** Replaces the main of our programs, which provides their layers. */
const overPlatform: Esbuild.Plugin = {
  name: "over the platform's HTTP client",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\/main\.ts$/ }, () => ({ path: resolve("bench/peers/platform/main.ts") }))
}

/** Whether a file of the source is newer than the build of the package, or there is no build. */
const isStale = () => {
  const built = statSync("dist/index.js", { throwIfNoEntry: false })?.mtimeMs ?? 0
  return readdirSync("src", { encoding: "utf8", recursive: true }).some((path) =>
    statSync(`src/${path}`).mtimeMs > built
  )
}

/** Builds the package if its build is stale, and compiles and bundles the programs on Node.js. */
const build = Effect.fnUntraced(function*(against: string | undefined) {
  if (against !== undefined) yield* requireCheckout(against)
  yield* Effect.sync(() => {
    if (isStale()) execFileSync("npm", ["run", "build"], { stdio: ["ignore", "ignore", "inherit"] })
    execFileSync("node_modules/.bin/tsc", ["-p", "tsconfig.bench.json"], { stdio: "inherit" })
  })
  yield* bundle(".", [programs, "bench/peers/js/*.ts", "bench/inventoryWays.ts"], "bundled")
  yield* bundle(".", [programs], "platform", [overPlatform])
  if (against !== undefined) yield* bundle(against, [programs], "before")
  yield* stopBundler
})

/** Whether a program in C could be compiled. */
const compiled = (folder: string, source: string, ...libraries: ReadonlyArray<string>) =>
  there("cc", "-O2", "-pthread", `bench/${source}.c`, "-o", `${folder}/${source}`, ...libraries)

/** Prepares what the benchmarks run; `against` is the folder of another checkout to compare with. */
export const prepare = (folder: string, against: string | undefined) =>
  Effect.map(build(against), (): Tools => {
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
      ours: (name, ...args) => ({
        ours: bundled(`ours/${name}`, ...args),
        before: against === undefined ? undefined : node(`before/ours/${name}`, ...args)
      }),
      platform: (name, ...args) => node(`platform/ours/${name}`, ...args),
      boto3: (name, ...args) =>
        python === undefined ? undefined : { command: python, args: [`bench/peers/boto3/${name}.py`, ...args] },
      tls: there("nginx", "-v") && there("openssl", "version")
    }
  })
