/**
 * Runs simulations: `npm run simulate -- --seeds 2000 --from 1 [--json]`. A seed that fails is printed with the smallest
 * scenario near it that still fails, which `--scenario` replays, and the exit code is 1. With `--first` the program ends at
 * the first failure and does not shrink it. `--workers` processes share the work, by default one for each core.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as Scenario from "./scenario.ts"
import * as Tally from "./tally.ts"

/** Loads the simulation only in the processes that run it. */
const trials = () => import("./trial.ts")

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    from: { type: "string", default: "1" },
    step: { type: "string", default: "1" },
    workers: { type: "string", default: String(availableParallelism()) },
    first: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    scenario: { type: "string" }
  }
})
const [seeds, from, step, workers] = [values.seeds, values.from, values.step, values.workers].map(Number) as [
  number,
  number,
  number,
  number
]

/** Runs every `step`th seed. */
const alone = async (): Promise<Tally.Tally> => {
  const { run } = await trials()
  let tally = Tally.none
  for (let seed = from; seed < from + seeds; seed += step) {
    tally = Tally.add(tally, await run(Scenario.make(seed)))
    if (values.first && tally.failures.length > 0) break
  }
  return tally
}

/** Runs the share of one process. */
const share = async (index: number): Promise<Tally.Tally> => {
  const numbers = { seeds: seeds - index, from: from + index, step: workers }
  const child = fork(
    fileURLToPath(import.meta.url),
    Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)]),
    // Parts are short-lived: a larger young generation is collected less often.
    { execArgv: [...process.execArgv, "--max-semi-space-size=128"] }
  )
  const ended = once(child, "exit").then(([code, signal]): never => {
    throw new Error(`Worker ${index} ended with ${String(signal ?? code)} before it sent its results`)
  })
  const [tally] = await Promise.race([once(child, "message"), ended]) as [Tally.Tally]
  child.disconnect()
  return tally
}

const all = async (): Promise<Tally.Tally> => {
  if (values.scenario !== undefined) return (await trials()).run(JSON.parse(values.scenario) as Scenario.Scenario)
  if (workers === 1 || seeds === 1 || values.first) return alone()
  return (await Promise.all(Array.from({ length: workers }, (_, index) => share(index)))).reduce(Tally.add, Tally.none)
}

const started = performance.now()
if (process.send !== undefined) {
  process.send(await alone())
} else {
  const tally = await all()
  for (const { problems, scenario } of tally.failures) {
    console.log(`seed ${scenario.seed}: ${problems.join("; ")}`)
  }
  for (const { scenario } of values.first ? [] : tally.failures.slice(0, 3)) {
    console.log(
      `smallest for seed ${scenario.seed}: --scenario '${JSON.stringify(await (await trials()).shrunk(scenario))}'`
    )
  }
  const { bytes, failures, faults, ...figures } = tally
  const kinds = Object.entries(faults).sort(([, one], [, other]) => other - one)
  const summary = {
    ...figures,
    faults: kinds.reduce((sum, [, count]) => sum + count, 0),
    kinds: kinds.length,
    mebibytes: Math.round(bytes / 2 ** 20),
    failures: failures.length,
    seconds: Math.round((performance.now() - started) / 100) / 10
  }
  if (!values.json) { for (const [kind, count] of kinds) console.log(`${String(count).padStart(7)} ${kind}`) }
  console.log(values.json ? JSON.stringify(summary) : summary)
  process.exitCode = failures.length > 0 ? 1 : 0
}
