/**
 * Ours and other clients of Glacier at the same tasks, in turn, against a cheap server: how long they take, and what of
 * memory. See docs/benchmarks.md, whose tables a run of all parts writes.
 *
 *     npm run bench -- [PART...] [--mib MIB] [--rounds ROUNDS] [--against DIR] [--json]
 *
 * PART is one of upload, download, move, hash, small, delete, inventory, http, memory and import. MIB replaces the size of 4 GiB; all
 * other sizes shrink with it, and nothing is rehearsed. DIR is another checkout of this project, whose programs take part as well.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import type { Result } from "./contest.ts"
import * as Files from "./files.ts"
import { deletion } from "./parts/delete.ts"
import { download } from "./parts/download.ts"
import { hash } from "./parts/hash.ts"
import { http } from "./parts/http.ts"
import { imports } from "./parts/import.ts"
import { inventory } from "./parts/inventory.ts"
import { memory } from "./parts/memory.ts"
import { move } from "./parts/move.ts"
import { small } from "./parts/small.ts"
import { upload } from "./parts/upload.ts"
import * as Report from "./report.ts"
import { prepare } from "./tools.ts"

const parts = { upload, download, move, hash, small, delete: deletion, inventory, http, memory, import: imports }

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    mib: { type: "string", default: "4096" },
    rounds: { type: "string", default: "3" },
    against: { type: "string" },
    json: { type: "boolean", default: false }
  }
})
const full = 4_096
const [mib, rounds] = [Number(values.mib), Number(values.rounds)]
const unknown = positionals.filter((name) => !(name in parts))
const page = "docs/benchmarks.md"

const program = Effect.gen(function*() {
  if (unknown.length > 0) return yield* Effect.dieMessage(`There is no part ${unknown.join(", ")}`)
  const folder = yield* Files.folder
  const tools = yield* prepare(folder, values.against)
  const scaled = (amount: number) => Math.ceil(amount * mib / full)
  const setting = { tools, folder, rounds, rehearses: mib === full, scaled }
  const results: Array<Result> = []
  for (const [name, part] of Object.entries(parts)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue
    for (const result of yield* part(setting)) results.push(result)
  }
  const tables = Report.markdown(results, rounds)
  yield* Console.log(tables)
  if (positionals.length === 0 && mib === full && values.against === undefined) {
    writeFileSync(page, Report.intoPage(readFileSync(page, "utf8"), tables))
  }
  if (values.json) yield* Console.log(Report.json(results))
})

NodeRuntime.runMain(Effect.scoped(program))
