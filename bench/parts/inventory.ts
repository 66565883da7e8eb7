/** The inventory of a million archives: ours against a streaming parser from npm and the schema, and CSV against JSON. */
import { Effect } from "effect"
import { type Contest, hold } from "../contest.ts"
import { write } from "../inventoryDocuments.ts"
import type { Way } from "../inventoryReport.ts"
import type { Setting } from "./setting.ts"

export const inventory = Effect.fnUntraced(function*({ folder, rounds, scaled, tools }: Setting) {
  const count = scaled(1_000_000)
  const [json, csv] = [`${folder}/inventory.json`, `${folder}/inventory.csv`]
  const expected = write(count, json, csv)
  const read = (way: Way, file: string) => tools.bundled("inventoryWays", way, file)
  const contest = (name: string, format: string, programs: Contest["programs"]): Contest => ({
    name,
    what: `${format} inventory of ${count.toLocaleString("en")} archives`,
    programs,
    problem: (run) =>
      run.count === expected.count && run.bytes === expected.bytes
        ? undefined
        : `${run.count} archives of ${run.bytes} bytes were found, not ${expected.count} of ${expected.bytes}`
  })
  const contests = [
    contest("inventoryJson", "JSON", {
      ours: read("ours, JSON", json),
      streamparser: read("@streamparser/json, then the schema", json)
    }),
    contest("inventoryCsv", "CSV", { ours: read("ours, CSV", csv), json: read("ours, JSON", json) })
  ]
  return yield* Effect.forEach(contests, (contest) => hold(contest, rounds))
}, Effect.scoped)
