/**
 * Runs simulations of backups: `node --import tsx test/simulation/backups.ts --seeds 2000 --from 1`. Prints each seed that
 * fails, and then the exit code is 1. With `--first` the program ends at the first failure.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { parseArgs } from "node:util"
import * as Backup from "./backup.ts"

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    first: { type: "boolean", default: false }
  }
})

const sum = { seeds: 0, archives: 0, versions: 0, requests: 0, crashes: 0, failures: 0 }
for (let seed = Number(values.from); seed < Number(values.from) + Number(values.seeds); seed++) {
  const exit = await Effect.runPromiseExit(Backup.run(Backup.make(seed)))
  const problems = Exit.isSuccess(exit) ? exit.value.problems : [`the simulation died: ${String(exit.cause)}`]
  sum.seeds++
  if (Exit.isSuccess(exit)) {
    for (const key of ["archives", "versions", "requests", "crashes"] as const) sum[key] += exit.value[key]
  }
  if (problems.length === 0) continue
  sum.failures++
  console.log(`seed ${seed}: ${problems.join("; ")}`)
  if (values.first) break
}
console.log(sum)
process.exitCode = sum.failures > 0 ? 1 : 0
