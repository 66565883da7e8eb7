/**
 * Runs simulations of moves: `node --import tsx test/simulation/runMoves.ts --seeds 2000 --from 1`. Prints each seed that fails,
 * and then the exit code is 1. With `--first` the program ends at the first failure.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { parseArgs } from "node:util"
import * as Move from "./move.ts"
import { make } from "./moveScenario.ts"

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    first: { type: "boolean", default: false }
  }
})

const sum = { seeds: 0, archives: 0, jobs: 0, requests: 0, calls: 0, faults: 0, created: 0, crashes: 0, failures: 0 }
for (let seed = Number(values.from); seed < Number(values.from) + Number(values.seeds); seed++) {
  const exit = await Effect.runPromiseExit(Move.run(make(seed)))
  const problems = Exit.isSuccess(exit) ? exit.value.problems : [`the simulation died: ${String(exit.cause)}`]
  sum.seeds++
  if (Exit.isSuccess(exit)) {
    for (const key of ["archives", "jobs", "requests", "calls", "faults", "created", "crashes"] as const) {
      sum[key] += exit.value[key]
    }
  }
  if (problems.length === 0) continue
  sum.failures++
  console.log(`seed ${seed}: ${problems.join("; ")}`)
  if (values.first) break
}
console.log({ ...sum, seconds: process.cpuUsage().user / 1e6 })
process.exitCode = sum.failures > 0 ? 1 : 0
