/**
 * Runs decommissions: `node --import tsx test/simulation/runDecommission.ts --seeds 2000 --from 1 [--first]`. Prints each seed
 * that finds a problem, and then the figures. With `--first` the program ends at the first such seed.
 */
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import { run } from "./decommission.ts"
import { make } from "./decommissionScenario.ts"

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    from: { type: "string", default: "1" },
    first: { type: "boolean", default: false }
  }
})

const from = Number(values.from)
const figures = { seeds: 0, failures: 0, deaths: 0, stops: 0, rounds: 0, faulty: 0 }

for (let seed = from; seed < from + Number(values.seeds); seed++) {
  const scenario = make(seed)
  const { deaths, problems, rounds, stops } = await Effect.runPromise(run(scenario))
  figures.seeds += 1
  figures.deaths += deaths
  figures.stops += stops.length
  figures.rounds += rounds
  figures.faulty += scenario.faults > 0 ? 1 : 0
  if (problems.length === 0) continue
  figures.failures += 1
  console.log(`seed ${seed}: ${problems.join("; ")}`)
  if (values.first) break
}
console.log(JSON.stringify(figures))
process.exit(figures.failures > 0 ? 1 : 0)
