/**
 * Reads the inventory of so many archives: ours, `JSON.parse` of the whole and a streaming parser from npm, each in a
 * process of its own. Prints seconds, seconds of the processor, speed and peak memory; start-up counts in the last only.
 * Fails when one finds other archives than there are, or when ours takes more memory than it should.
 *
 *     npm run bench:inventory -- [ARCHIVES]
 */
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Data, Effect, Schema } from "effect"
import { spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { closeSync, openSync, statSync, writeSync } from "node:fs"
import { add, type Found, none, Report, Way } from "./inventoryReport.ts"

const allowed = 250

class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

/** Writes both documents: random ids and hashes, descriptions as of photos. */
const write = (count: number, json: string, csv: string): Found => {
  const files = [json, csv].map((file) => openSync(file, "w"))
  const texts = [
    "{\"VaultARN\":\"arn:aws:glacier:us-east-1:123456789012:vaults/big\",\"InventoryDate\":\"2015-04-07T00:26:18Z\",\"ArchiveList\":[",
    "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash\n"
  ]
  let found = none
  const flush = () =>
    files.forEach((file, index) => {
      writeSync(file, texts[index] ?? "")
      texts[index] = ""
    })
  for (let n = 0; n < count; n++) {
    const archive = {
      ArchiveId: randomBytes(104).toString("base64url").slice(0, 138),
      ArchiveDescription: `photos/2015/"${n}", by Ö\\${n % 7}.jpeg`,
      CreationDate: "2015-04-06T22:24:34Z",
      Size: 4_194_304 + n,
      SHA256TreeHash: randomBytes(32).toString("hex")
    }
    found = add(found, { size: archive.Size })
    texts[0] += (n === 0 ? "" : ",") + JSON.stringify(archive)
    const description = `"${archive.ArchiveDescription.replaceAll("\"", "\\\"")}"`
    texts[1] += Object.values({ ...archive, ArchiveDescription: description }).join(",") + "\n"
    if (n % 1_000 === 0) flush()
  }
  texts[0] += "]}"
  flush()
  files.forEach(closeSync)
  return found
}

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
      const { bytes, count, peak, processor, seconds } = report.value
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
          `peak ${peak} MiB`
        ].join("  ")
      )
      if (way.startsWith("ours") && peak > allowed) {
        return yield* new Failed({ message: `${way} took ${peak} MiB of memory, allowed are ${allowed}` })
      }
    }
  })

const program = compare(Number(process.argv[2] ?? 500_000))

NodeRuntime.runMain(program.pipe(Effect.scoped, Effect.provide(NodeContext.layer)))
