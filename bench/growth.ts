/**
 * How time and memory grow with the amount of work. Each size runs in a process of its own. Memory is what is in use right
 * after garbage collections; for the emulator it is the peak of its process. Prints the exponents: with 1, twice the work
 * takes twice the time or memory. Exponents of time are below 1 because Node.js compiles the code at first.
 *
 *     npm run bench:growth -- [--scale FRACTION]
 *
 * FRACTION scales all sizes, for a trial run.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Data, Effect, Schema } from "effect"
import { spawnSync } from "node:child_process"
import { parseArgs } from "node:util"
import { Measured, type Task } from "./growthReport.ts"

interface Kind {
  readonly task: Task
  readonly what: string
  readonly sizes: ReadonlyArray<number>
  /** The reasons for exponents that are not 1. */
  readonly because: string
}

const many = [1_000, 10_000, 100_000]

const kinds: ReadonlyArray<Kind> = [
  { task: "upload", what: "archives uploaded", sizes: many, because: "memory: only the archives in flight" },
  { task: "delete", what: "archives deleted by a plan", sizes: many, because: "memory: the segments in work" },
  { task: "list", what: "archives of an inventory read", sizes: many, because: "memory: only a slice of 256 KiB" },
  { task: "plan", what: "archives planned", sizes: many, because: "memory: 8 bytes for each archive and folder" },
  {
    task: "resume",
    what: "deleted archives skipped by the next run",
    sizes: many,
    because: "time and memory: a finished segment is not read"
  },
  {
    task: "parts",
    what: "parts of an upload resumed",
    sizes: [1, 10, 100, 1_000, 10_000],
    because: "memory: only the parts in flight"
  },
  {
    task: "jobs",
    what: "jobs waited for at once",
    sizes: [1, 10, 100, 1_000],
    because: "time: one list for all jobs, 50 a page; memory: that of the emulator in this process"
  },
  {
    task: "emulator",
    what: "archives at the start of an emulator",
    sizes: [10_000, 100_000, 1_000_000],
    because: "memory: the start of the process takes most of it at first"
  }
]

class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

const measure = (task: Task, size: number) => {
  const options = [...process.execArgv, "--expose-gc", "bench/growthTasks.ts", task, String(size)]
  const { stderr, stdout } = spawnSync(process.execPath, options, { encoding: "utf8" })
  return Effect.mapError(
    Schema.decode(Measured)(stdout.trim().split("\n").at(-1) ?? ""),
    () => new Failed({ message: `${task}: ${stdout}${stderr}` })
  )
}

/** The slope of the line through the logarithms, by least squares. */
const exponent = (points: ReadonlyArray<readonly [size: number, value: number]>) => {
  const logs = points.map(([size, value]) => [Math.log(size), Math.log(value)] as const)
  const mean = (of: (log: readonly [number, number]) => number) =>
    logs.reduce((sum, log) => sum + of(log), 0) / logs.length
  const [x, y] = [mean(([size]) => size), mean(([, value]) => value)]
  return mean(([size, value]) => (size - x) * (value - y)) / mean(([size]) => (size - x) ** 2)
}

const { scale } = parseArgs({ options: { scale: { type: "string", default: "1" } } }).values

const program = Effect.forEach(kinds, ({ because, sizes, task, what }) =>
  Effect.gen(function*() {
    const scaled = [...new Set(sizes.map((size) => Math.ceil(size * Number(scale))))]
    yield* Console.log(what)
    const all = yield* Effect.forEach(scaled, (size) =>
      Effect.gen(function*() {
        const { mebibytes, seconds } = yield* measure(task, size)
        yield* Console.log(
          `  ${size.toLocaleString("en").padStart(9)}  ${seconds.toFixed(3)} s  ${mebibytes.toFixed(1)} MiB`
        )
        return { size, mebibytes, seconds }
      }))
    const time = exponent(all.map(({ seconds, size }) => [size, seconds]))
    const memory = exponent(all.map(({ mebibytes, size }) => [size, mebibytes]))
    yield* Console.log(`  exponents: time ${time.toFixed(2)}, memory ${memory.toFixed(2)} (${because})`)
  }), { discard: true })

NodeRuntime.runMain(program)
