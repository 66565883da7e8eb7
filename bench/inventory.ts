/**
 * Reads the inventory of so many archives: ours, `JSON.parse` of the whole and a streaming parser from npm, each in a
 * process of its own. Prints seconds without start-up, seconds of the processor, speed and peak memory.
 * Fails when one finds other archives than there are, or when ours takes more memory than it should.
 *
 *     npm run bench:inventory -- [ARCHIVES]
 */
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Data, Effect, Schema } from "effect"
import { spawnSync } from "node:child_process"
import { statSync } from "node:fs"
import { write } from "./inventoryDocuments.ts"
import { Report, Way } from "./inventoryReport.ts"

const allowed = 250

class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

const compare = (count: number) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const files = { json: `${folder}/inventory.json`, csv: `${folder}/inventory.csv` }
    const expected = write(count, files.json, files.csv)
    for (const way of Way.literals) {
      const file = way === "ours, CSV" ? files.csv : files.json
      const size = statSync(file).size / 1_048_576
      const { stderr, stdout } = spawnSync(
        process.execPath,
        [...process.execArgv, "bench/inventoryWays.ts", way, file],
        {
          encoding: "utf8",
          maxBuffer: Infinity
        }
      )
      const report = yield* Effect.option(Schema.decode(Report)(stdout))
      if (report._tag === "None") {
        if (way.startsWith("ours")) return yield* new Failed({ message: stderr })
        yield* Console.log(`${way.padEnd(36)}cannot: ${/\w*Error.*|.*out of memory/.exec(stderr)?.[0] ?? stderr}`)
        continue
      }
      const { bytes, count, processor, rssMB, seconds } = report.value
      if (count !== expected.count || bytes !== expected.bytes) {
        return yield* new Failed({ message: `${way} found ${count} archives of ${bytes} bytes` })
      }
      const speed = (seconds: number) => `${(size / seconds).toFixed(1)} MiB/s`
      yield* Console.log(
        [
          way.padEnd(35),
          `${size.toFixed(0)} MiB`,
          `${seconds.toFixed(1)} s`,
          `processor ${processor.toFixed(1)} s`,
          speed(seconds),
          `peak ${rssMB} MiB`
        ].join("  ")
      )
      if (way.startsWith("ours") && rssMB > allowed) {
        return yield* new Failed({ message: `${way} took ${rssMB} MiB of memory, allowed are ${allowed}` })
      }
    }
  })

const program = compare(Number(process.argv[2] ?? 500_000))

NodeRuntime.runMain(program.pipe(Effect.scoped, Effect.provide(NodeContext.layer)))
