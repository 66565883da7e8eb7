/** The results as the tables of docs/benchmarks.md, and as one JSON object. */
import { availableParallelism, cpus } from "node:os"
import type { Peer, Result } from "./contest.ts"
import { figures, ratio, ratios } from "./goals.ts"
import { areas } from "./profile.ts"

const names: Readonly<Record<Peer | "ours", string>> = {
  ours: "effect-glacier",
  limit: "the limit in C",
  limitNode: "the limit on Node.js",
  boto3: "boto3",
  js: "@aws-sdk/client-glacier",
  jsVerified: "@aws-sdk/client-glacier, verified",
  botocore: "botocore",
  file: "the same from the file",
  streamparser: "@streamparser/json and the schema",
  json: "the same as JSON",
  effect: "bare imports and a bare request",
  bundled: "the same in one file",
  platform: "the platform's undici client",
  download: "our download to a file",
  before: "the other checkout"
}

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>) =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")

/** Whether a goal is met, and else by how much it is missed. */
const verdict = (value: number, most: number | undefined, by: string) =>
  most === undefined ? "" : value <= most ? "met" : `**missed** by ${by}`

const seconds = (value: number) => `${value.toFixed(2)} s`

const isName = (who: string): who is keyof typeof names => who in names

const comparisons = (results: ReadonlyArray<Result>) =>
  ratios(results).flatMap(({ key, most }) => {
    const value = ratio(results, key)
    const [name, peer = ""] = key.split(".")
    const result = results.find((result) => result.name === name)
    if (result === undefined || !isName(peer)) return []
    const goal = most === undefined ? "" : `≤ ${most}`
    const { ours, [peer]: theirs } = result.of
    return value === undefined || ours === undefined || theirs === undefined
      ? [[result.what, "", names[peer], "not there", "", goal, ""]]
      : [[
        result.what,
        seconds(ours.seconds),
        names[peer],
        seconds(theirs.seconds),
        value.toFixed(2),
        goal,
        verdict(value, most, seconds(ours.seconds - (most ?? 0) * theirs.seconds))
      ]]
  })

const others = (results: ReadonlyArray<Result>) =>
  figures(results).flatMap(({ most, unit, value, what }) => {
    const shown = (value: number) => `${value.toFixed(unit === " MB" ? 0 : unit === " ms" ? 1 : 2)}${unit}`
    return value === undefined ? [] : [[
      what,
      shown(value),
      most === undefined ? "" : `≤ ${most}${unit}`,
      verdict(value, most, shown(value - (most ?? 0)))
    ]]
  })

const costs = (results: ReadonlyArray<Result>) =>
  results.flatMap(({ of, what }) =>
    Object.entries(of).flatMap(([who, run]) =>
      isName(who)
        ? [[what, names[who], seconds(run.seconds), seconds(run.processor), seconds(run.server), `${run.rssMB} MB`]]
        : []
    )
  )

const profiles = (results: ReadonlyArray<Result>) =>
  results.map(({ profile, what }) => {
    const wall = areas.reduce((sum, area) => sum + profile[area], 0)
    return [what, seconds(wall), ...areas.map((area) => seconds(profile[area]))]
  })

/** Our own figures, without those that only compare HTTP layers. */
const own = (results: ReadonlyArray<Result>) =>
  results.flatMap(({ name, of: { ours }, what }) =>
    ours === undefined || name.startsWith("http") ? [] : [[what, seconds(ours.seconds), `${ours.rssMB} MB`]]
  )

/** The tables. */
export const markdown = (results: ReadonlyArray<Result>, rounds: number): string => {
  const [figuresOf, comparisonsOf] = [others(results), comparisons(results)]
  return [
    "### How fast, and how much memory",
    `On ${availableParallelism()} cores (${
      cpus()[0]?.model.trim()
    }) with Node.js ${process.versions.node}, against a server ` +
    `on the same machine: medians of ${rounds} ${rounds === 1 ? "round" : "rounds"}. Starting the process is included.`,
    table(["what", "time", "peak memory"], own(results)),
    ...(comparisonsOf.length === 0 ? [] : [
      "### Compared with others",
      table(["what", "ours", "against", "theirs", "ours / theirs", "goal", ""], comparisonsOf)
    ]),
    ...(figuresOf.length === 0 ? [] : [table(["what", "ours", "goal", ""], figuresOf)]),
    "### Processor and memory of each client",
    "The wall clock, the processor of the client, the processor of the server, and the client's peak of memory.",
    table(["what", "client", "wall", "client", "server", "memory"], costs(results)),
    "### Profile of our main thread",
    "One more run with the profiler of Node.js. The columns after the first add up to it.",
    table(["what", "wall", ...areas], profiles(results))
  ].join("\n\n")
}

const rounded = (value: number | undefined) => value === undefined ? null : Math.round(value * 1000) / 1000

/** A key for each figure; null for what is not there or was not measured. */
export const json = (results: ReadonlyArray<Result>): string =>
  JSON.stringify(Object.fromEntries([
    ...ratios(results).map(({ key }) => [key, rounded(ratio(results, key))]),
    ...figures(results).map(({ key, value }) => [key, rounded(value)])
  ]))

/** The page with the tables between its markers. */
export const intoPage = (page: string, tables: string): string =>
  page.replace(
    /(<!-- begin: npm run bench -->\n)[^]*?(?=<!-- end: npm run bench -->)/,
    (_, begin) => `${begin}\n${tables}\n\n`
  )
