/**
 * A plan of very many archives: made, printed, run, killed and run again, each step in a process of its own. Prints the time
 * and the peak memory of each, and fails beyond the bounds.
 *
 *     npm run bench:plan -- [ARCHIVES]
 */
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Data, Effect } from "effect"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { bundle, stopBundler } from "./tools.ts"

const count = Number(process.argv[2] ?? 7_000_000)

/** The bounds of each process in MiB, and of the time until a run that was killed continues. */
const bounds = { mebibytes: 400, seconds: 60 }

/** The number of archives after which a run is killed: it writes a file for each. */
const killedAfter = 1_000

/** The number of archives in work at once: those whose jobs may be started again when the run is killed. */
const inWork = 100

class OutOfBounds extends Data.TaggedError("OutOfBounds")<{ readonly message: string }> {}

interface Report {
  readonly text: string
  readonly seconds: number
  readonly mebibytes: number
}

/** Runs a step until it ends, or until `isEnough` of its reports, when it is killed. */
const run = (step: string, folder: string, isEnough: (report: Report) => boolean = () => false) =>
  Effect.async<ReadonlyArray<Report>, OutOfBounds>((resume) => {
    const reports: Array<Report> = []
    const child = spawn(process.execPath, ["bench/dist/bundled/planTasks.js", step, String(count), folder], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    createInterface(child.stdout).on("line", (line) => {
      const [text, seconds, mebibytes] = line.split("\t")
      if (text === undefined || seconds === undefined) return console.log(line)
      const report = { text, seconds: Number(seconds), mebibytes: Number(mebibytes) }
      reports.push(report)
      if (isEnough(report)) child.kill("SIGKILL")
    })
    child.once("close", (code, signal) =>
      resume(
        code === 0 || signal === "SIGKILL"
          ? Effect.succeed(reports)
          : new OutOfBounds({ message: `The step ${step} failed` })
      ))
  })

const show = (step: string, { mebibytes, seconds, text }: Report) =>
  Effect.gen(function*() {
    yield* Console.log(`${step.padEnd(14)} ${seconds.toFixed(1).padStart(7)} s ${mebibytes} MiB  ${text}`)
    if (mebibytes > bounds.mebibytes) {
      return yield* new OutOfBounds({ message: `${step}: ${mebibytes} MiB, at most ${bounds.mebibytes} are allowed` })
    }
  })

const retrieved = ({ text }: Report) => Number(text.split(" ")[0])

const program = Effect.gen(function*() {
  yield* bundle(".", ["bench/planTasks.ts"], "bundled")
  yield* stopBundler
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "plan-" })
  for (const step of ["make", "print"]) {
    const [report] = yield* run(step, folder)
    if (report === undefined) return yield* new OutOfBounds({ message: `The step ${step} reported nothing` })
    yield* show(step, report)
  }
  for (const step of ["run", "run again"]) {
    const reports = yield* run("run", folder, (report) => retrieved(report) >= killedAfter)
    const [first, last] = [reports[0], reports.at(-1)]
    if (first === undefined || last === undefined) {
      return yield* new OutOfBounds({ message: `The step ${step} retrieved nothing` })
    }
    yield* show(step, first)
    yield* show(step, last)
    if (first.seconds > bounds.seconds) {
      const message = `${step}: the first archive after ${first.seconds} s, at most ${bounds.seconds} are allowed`
      return yield* new OutOfBounds({ message })
    }
  }
  const started = (yield* fs.readFileString(`${folder}/started`)).trimEnd().split("\n")
  const again = started.length - new Set(started).size
  yield* Console.log(`${started.length} jobs started, ${again} of them again after the kill`)
  if (again > inWork) return yield* new OutOfBounds({ message: `${again} jobs were started twice` })
}).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

NodeRuntime.runMain(program)
