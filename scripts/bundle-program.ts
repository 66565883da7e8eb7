// Bundles the program `effect-glacier` into one file that needs no packages: `dist/effect-glacier.mjs`. Writes the licences of
// the packages in it beside it.
//
//     node --import tsx scripts/bundle-program.ts
import { Array } from "effect"
import { build, type BuildOptions, type Metafile, type Plugin } from "esbuild"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { isBuiltin } from "node:module"
import { join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "..")
const read = (...path: ReadonlyArray<string>) => readFileSync(join(root, ...path), "utf8")

/** Puts package.json into the program, so that the file also runs outside its package. */
const embedManifest: Plugin = {
  name: "manifest",
  setup: ({ onLoad }) =>
    onLoad({ filter: /OptionalPackages\.ts$/ }, ({ path }) => {
      const { peerDependencies, version } = JSON.parse(read("package.json"))
      const reading = `readFileSync(new URL("../../package.json", import.meta.url), "utf8")`
      const [before, after, ...more] = readFileSync(path, "utf8").split(reading)
      if (after === undefined || more.length > 0) throw new Error(`${path} must have this expression once: ${reading}`)
      const text = JSON.stringify({ version, peerDependencies })
      return { contents: `${before}${JSON.stringify(text)}${after}`, loader: "ts" }
    })
}

/** Leaves out the parts of undici that the program does not use, such as `fetch`. They would delay each start by 15 ms. */
const trimUndici: Plugin = {
  name: "undici",
  setup: ({ onLoad }) =>
    onLoad({ filter: /node_modules\/undici\/index\.js$/ }, () => ({
      contents: `
        import api from "./lib/api/index.js"
        import Dispatcher from "./lib/dispatcher/dispatcher.js"
        Object.assign(Dispatcher.prototype, api)
        export default undefined
        export { default as Agent } from "./lib/dispatcher/agent.js"
        export { default as Client } from "./lib/dispatcher/client.js"
        export { default as EnvHttpProxyAgent } from "./lib/dispatcher/env-http-proxy-agent.js"
        export { default as Pool } from "./lib/dispatcher/pool.js"
        export { default as buildConnector } from "./lib/core/connect.js"
        export { getGlobalDispatcher } from "./lib/global.js"
      `
    }))
}

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20",
  // Several packages have ES modules only under "module". Their CommonJS would be bundled without tree shaking.
  mainFields: ["module", "main"],
  // Names stay, because some packages print the names of classes, and stack traces those of functions.
  minifyWhitespace: true,
  metafile: true,
  logLevel: "error"
} satisfies BuildOptions

/**
 * Puts each package that is loaded by `import()` into the program as text, which is compiled when it is used. Otherwise
 * Node.js would parse the code at each start. Calls `onPackage` with the description of its content.
 */
const deferPackages = (onPackage: (metafile: Metafile) => void): Plugin => ({
  name: "deferred",
  setup: ({ onLoad, onResolve }) => {
    onResolve(
      { filter: /^[^.]/ },
      ({ kind, path }) => kind === "dynamic-import" && !isBuiltin(path) ? { path, namespace: "deferred" } : undefined
    )
    onLoad({ filter: /.*/, namespace: "deferred" }, async ({ path }) => {
      const { metafile, outputFiles } = await build({
        ...common,
        stdin: { contents: `module.exports = require("${path}")`, resolveDir: root },
        outfile: `${path}.js`,
        format: "cjs",
        supported: { "dynamic-import": false },
        write: false
      })
      onPackage(metafile)
      const [text] = outputFiles.map(({ text }) => JSON.stringify(text))
      const options = JSON.stringify({ filename: path })
      return {
        contents: `
          const { compileFunction } = require("node:vm")
          compileFunction(${text}, ["exports", "module", "require"], ${options})(exports, module, require)`
      }
    })
  }
})

/** Bundles the program into a file, whose name must end in `.mjs`. Returns the description of its content. */
export const bundleProgram = async (outfile: string): Promise<Metafile> => {
  const outputs: Metafile["outputs"] = {}
  const { metafile } = await build({
    ...common,
    entryPoints: ["src/cli/main.ts"],
    outfile,
    format: "esm",
    plugins: [embedManifest, trimUndici, deferPackages((metafile) => Object.assign(outputs, metafile.outputs))],
    // Such as a part of undici that was left out.
    logOverride: { "import-is-undefined": "error" },
    // For the packages that are written in CommonJS.
    banner: {
      js:
        `import { createRequire as _createRequire } from "node:module"; const require = _createRequire(import.meta.url)`
    }
  })
  return { ...metafile, outputs: { ...outputs, ...metafile.outputs } }
}

interface Package {
  readonly folder: string
  readonly name: string
  readonly version: string
  readonly license: string
}

/** The packages whose code is in a bundle. */
const packagesOf = ({ outputs }: Metafile): ReadonlyArray<Package> => {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs))
  const folders = inputs.flatMap(([path, { bytesInOutput }]) =>
    bytesInOutput > 0 ? /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [] : []
  )
  return [...new Set(folders)].sort().map((folder) => {
    const { license, name, version } = JSON.parse(read(folder, "package.json"))
    return { folder, name, version, license }
  })
}

/** The licence and notices in the folder of a package. */
const ownTerms = ({ folder }: Package): string =>
  readdirSync(join(root, folder))
    .filter((name) => /^(?:licen[cs]e|copying|notice|copyright)/i.test(name))
    .map((name) => read(folder, name).trim().replaceAll("\r\n", "\n"))
    .join("\n\n")

const ownerOf = ({ name }: Package): string => name.split("/")[0] ?? name

/** The licences of all packages in a bundle, each text once. Fails if a package has none. */
export const licences = (metafile: Metafile): string => {
  const packages = packagesOf(metafile)
  const byTerms = Array.groupBy(packages, (one) => {
    // Some packages of AWS lack the file, but name the licence that the others have.
    const siblings = packages.filter((other) => ownerOf(other) === ownerOf(one) && other.license === one.license)
    const terms = [one, ...siblings].map(ownTerms).find((text) => text !== "")
    if (terms === undefined) throw new Error(`${one.folder} is in the program but has no licence text`)
    return terms
  })
  return [
    "effect-glacier.mjs contains these packages.",
    ...Object.entries(byTerms).map(([terms, packages]) =>
      `${packages.map(({ license, name, version }) => `${name} ${version} (${license})`).join("\n")}\n\n${terms}`
    )
  ].join(`\n\n${"-".repeat(80)}\n\n`) + "\n"
}

if (process.argv[1] === import.meta.filename) {
  const metafile = await bundleProgram(join(root, "dist/effect-glacier.mjs"))
  writeFileSync(join(root, "dist/effect-glacier.licences.txt"), licences(metafile))
}
