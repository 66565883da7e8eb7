/**
 * Lists a vault of so many archives by the program as it is published: `ls`, `find` and `du`, each in a process of its own,
 * without records and with a record of each archive. Prints seconds with start-up, seconds of the processor and peak memory.
 * Fails when a command lists other archives than there are, or takes more memory than it should.
 *
 *     npm run bench:list -- [ARCHIVES]
 */
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Data, Effect, Schema } from "effect"
import { spawnSync } from "node:child_process"
import { closeSync, createReadStream, mkdirSync, openSync, writeSync } from "node:fs"
import { createInterface } from "node:readline"
import { bundleProgram } from "../scripts/bundle-program.ts"
import { write } from "./inventoryDocuments.ts"

/** In MiB. A million records take about 35 MiB, and their locations 100 MiB. */
const allowed = { none: 250, records: 285, locations: 385 }

class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

/** Prints the peak memory and the time of the processor as the last line on stderr. */
const figures = "data:text/javascript," + [
  `process.on("exit", () => {`,
  `const { maxRSS, systemCPUTime, userCPUTime } = process.resourceUsage();`,
  `console.error(JSON.stringify({ rssMB: maxRSS / 1024, processor: (systemCPUTime + userCPUTime) / 1e6 }))`,
  `})`
].join("")

const Figures = Schema.parseJson(Schema.Struct({ rssMB: Schema.Number, processor: Schema.Number }))

/** Runs the program. Returns the figures, and the note that it prints unless there is `--json`. */
const run = (program: string, args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const start = process.hrtime.bigint()
    const { status, stderr } = spawnSync(process.execPath, ["--import", figures, program, ...args], {
      encoding: "utf8",
      maxBuffer: Infinity,
      // The output of a million archives would be a string of a GiB here.
      stdio: ["ignore", openSync("/dev/null", "w"), "pipe"]
    })
    const seconds = Number(process.hrtime.bigint() - start) / 1e9
    if (status !== 0) return yield* new Failed({ message: `${args.join(" ")}: ${stderr}` })
    const lines = stderr.trim().split("\n")
    return { ...(yield* Schema.decode(Figures)(lines.at(-1) ?? "")), seconds, note: lines.at(-2) ?? "" }
  })

/** Writes a record for each archive of a CSV document. */
const writeRecords = async (csv: string, folder: string) => {
  mkdirSync(folder, { recursive: true })
  const file = openSync(`${folder}/plan.jsonl`, "w")
  let lines: Array<string> = []
  for await (const line of createInterface(createReadStream(csv))) {
    const [archiveId = ""] = line.split(",")
    if (archiveId === "ArchiveId") continue
    const location = `/home/user/restored/photos/2015/${lines.length}, by Oe.jpeg`
    lines.push(JSON.stringify({ archiveId, state: "retrieved", date: "2026-01-01T00:00:00.000Z", location }))
    if (lines.length % 1_000 > 0) continue
    writeSync(file, `${lines.join("\n")}\n`)
    lines = []
  }
  if (lines.length > 0) writeSync(file, `${lines.join("\n")}\n`)
  closeSync(file)
}

const commands = [["ls"], ["ls", "--json"], ["find"], ["find", "*.jpeg"], ["find", "--larger-than", "1GiB"], ["du"]]

const list = (count: number) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const program = `${folder}/effect-glacier.mjs`
    yield* Effect.promise(() => bundleProgram(program))
    const [json, csv, state] = [`${folder}/inventory.json`, `${folder}/inventory.csv`, `${folder}/state`]
    write(count, json, csv)
    yield* run(program, ["inventory", "--import", json, "--state", state])
    const measure = (args: ReadonlyArray<string>, records: boolean) =>
      Effect.gen(function*() {
        const { note, processor, rssMB, seconds } = yield* run(program, [...args, "--state", state])
        const what = `${args.join(" ")}${records ? ", with records" : ""}`
        const expected = args.includes("1GiB") ? "0 archives" : `${count.toLocaleString("en-US")} archives`
        if (!args.includes("--json") && !note.startsWith(expected)) {
          return yield* new Failed({ message: `${what} must find ${expected}, but printed: ${note}` })
        }
        yield* Console.log(
          `${what.padEnd(38)}${seconds.toFixed(1)} s  processor ${processor.toFixed(1)} s  peak ${rssMB.toFixed(0)} MiB`
        )
        const limit = allowed[records ? args.includes("--json") ? "locations" : "records" : "none"]
        if (rssMB > limit) {
          return yield* new Failed({ message: `${what} took ${rssMB.toFixed(0)} MiB of memory, allowed are ${limit}` })
        }
      })
    for (const args of commands) yield* measure(args, false)
    yield* Effect.promise(() => writeRecords(csv, `${state}/123456789012/us-east-1/big/records`))
    for (const args of commands) yield* measure(args, true)
  })

const program = list(Number(process.argv[2] ?? 1_000_000))

NodeRuntime.runMain(program.pipe(Effect.scoped, Effect.provide(NodeContext.layer)))
