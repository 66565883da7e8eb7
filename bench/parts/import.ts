/**
 * The cost of starting: imports and a first request, against the same imports of Effect's modules and a bare request, and
 * against the same program in one file.
 */
import { Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { hold } from "../contest.ts"
import { start } from "../server/start.ts"
import type { Setting } from "./setting.ts"
import { digest, problemOf, size } from "./small.ts"

/** The modules of Effect that a compiled module imports, by itself or by others of ours. */
const modulesOf = (path: string, seen = new Set<string>()): ReadonlyArray<string> => {
  if (seen.has(path)) return []
  seen.add(path)
  const imports = readFileSync(path, "utf8").matchAll(/^(?:import|export) (?:[\w$*{},\s]+ from )?"([^"]+)"/gm)
  return Array.from(imports, ([, name = ""]) => name).flatMap((name) => {
    if (name.startsWith(".")) return modulesOf(join(dirname(path), name), seen)
    if (name === "effect-glacier") return modulesOf("dist/index.js", seen)
    if (name.startsWith("effect-glacier/")) return modulesOf(`dist/${name.slice(15)}/index.js`, seen)
    return /^(@effect\/|effect\b)/.test(name) ? [name] : []
  })
}

const bare = (modules: ReadonlyArray<string>) => `
${modules.map((name) => `import "${name}"`).join("\n")}
import { request } from "node:http"
import { finish } from "./finish.js"
const [digest, size] = process.argv.slice(2)
const headers = { "x-amz-content-sha256": digest, "x-amz-sha256-tree-hash": digest, "content-length": size }
const url = process.env.AWS_ENDPOINT_URL + "/-/vaults/bench/archives"
request(url, { method: "POST", headers }, (response) => response.resume().once("end", () => finish({})))
  .end(Buffer.alloc(Number(size), "glacier"))
`

export const imports = Effect.fnUntraced(function*({ rounds, tools }: Setting) {
  const server = yield* start(tools)
  const modules = new Set(modulesOf("bench/dist/ours/small.js"))
  writeFileSync("bench/dist/bare.js", bare([...modules]))
  const result = yield* hold({
    name: "import",
    what: "import and a first request",
    server,
    programs: {
      ours: tools.node("ours/small", 1, size),
      effect: tools.node("bare", digest, size),
      bundled: tools.bundled("ours/small", 1, size)
    },
    problem: (_run, received) => problemOf(received, 1)
  }, 3 * rounds)
  return [result]
}, Effect.scoped)
