/** Where the time of a program's main thread goes, by what a profile of V8 says. */
import { Schema } from "effect"
import { readdirSync, readFileSync } from "node:fs"

const Node = Schema.Struct({
  id: Schema.Number,
  callFrame: Schema.Struct({ functionName: Schema.String, url: Schema.String, lineNumber: Schema.Number }),
  children: Schema.optionalWith(Schema.Array(Schema.Number), { default: () => [] })
})

const Profile = Schema.parseJson(Schema.Struct({
  nodes: Schema.Array(Node),
  samples: Schema.Array(Schema.Number),
  timeDeltas: Schema.Array(Schema.Number)
}))

/** In the order of the table. */
export const areas = [
  "starting",
  "effect-glacier",
  "Effect",
  "signature",
  "undici",
  "Node.js",
  "collector",
  "waiting",
  "outside"
] as const

export type Area = typeof areas[number]

/** Seconds by area. */
export type Profiled = Readonly<Record<Area, number>>

const special = new Map<string, Area>([["(idle)", "waiting"], ["(garbage collector)", "collector"]])

const packages: ReadonlyArray<readonly [pattern: RegExp, area: Area]> = [
  [/node_modules\/(effect|@effect)\//, "Effect"],
  [/node_modules\/@smithy\//, "signature"],
  [/node_modules\/undici\/|^wasm:/, "undici"],
  [/^(file:.*\/dist|src)\//, "effect-glacier"]
]

/** The file that each line of a bundle comes from: the bundler says it in a comment before the first. */
const origins = (bundle: string): ReadonlyArray<string> => {
  let file = ""
  return readFileSync(new URL(bundle), "utf8").split("\n").map((line) => {
    file = /^\/\/ ((?:node_modules|src|bench)\/.*)$/.exec(line)?.[1] ?? file
    return file
  })
}

/** Options of Node.js to write a profile to a folder. */
export const options = (folder: string): ReadonlyArray<string> => ["--cpu-prof", `--cpu-prof-dir=${folder}`]

/**
 * Reads the profile of a run that took `wall` seconds. Loading modules, and the code that they run while they are loaded,
 * counts as starting. The start and the end of the process, which the profile does not cover, are outside.
 */
export const read = (folder: string, wall: number): Profiled => {
  const [name = ""] = readdirSync(folder)
  const profile = Schema.decodeSync(Profile)(readFileSync(`${folder}/${name}`, "utf8"))
  const byId = new Map(profile.nodes.map((node) => [node.id, node]))
  const own = new Map<number, number>()
  profile.samples.forEach((id, index) => own.set(id, (own.get(id) ?? 0) + (profile.timeDeltas[index] ?? 0) / 1e6))
  const bundles = new Map<string, ReadonlyArray<string>>()
  const fileOf = (url: string, line: number) => {
    if (!url.includes("/bundled/")) return url
    const files = bundles.get(url) ?? origins(url)
    bundles.set(url, files)
    return files[line] ?? url
  }
  const seconds = new Map<Area, number>()
  const walk = (id: number, isLoading: boolean) => {
    const node = byId.get(id)
    if (node === undefined) return
    const { functionName, lineNumber, url } = node.callFrame
    const file = fileOf(url, lineNumber)
    const loads = isLoading || /^node:internal\/(modules|bootstrap|process\/pre_execution)/.test(url)
    const area = special.get(functionName) ??
      (loads ? "starting" : packages.find(([pattern]) => pattern.test(file))?.[1] ?? "Node.js")
    seconds.set(area, (seconds.get(area) ?? 0) + (own.get(id) ?? 0))
    node.children.forEach((child) => walk(child, loads))
  }
  const [root] = profile.nodes
  if (root !== undefined) walk(root.id, false)
  const of = (area: Area) => seconds.get(area) ?? 0
  const covered = Array.from(seconds.values()).reduce((sum, area) => sum + area, 0)
  return {
    starting: of("starting"),
    "effect-glacier": of("effect-glacier"),
    Effect: of("Effect"),
    signature: of("signature"),
    undici: of("undici"),
    "Node.js": of("Node.js"),
    collector: of("collector"),
    waiting: of("waiting"),
    outside: wall - covered
  }
}
