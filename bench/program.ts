/** A program as a whole process: timed from outside, from its start to its end. */
import { Data, Effect, Schema } from "effect"
import { spawn } from "node:child_process"

export interface Program {
  readonly command: string
  readonly args: ReadonlyArray<string | number>
  /** Changes to the environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
}

/** The last line that a program prints. */
const Printed = Schema.Struct({
  treeHash: Schema.optional(Schema.String),
  /** The archives that were found, and their bytes. */
  count: Schema.optional(Schema.Number),
  bytes: Schema.optional(Schema.Number),
  /** The peak of its memory. */
  rssMB: Schema.Number,
  /** Seconds of the processor. */
  processor: Schema.Number,
  loopDelayP99Ms: Schema.optional(Schema.Number)
})

/** A run of a program. */
export type Run = typeof Printed.Type & { readonly seconds: number }

class ProgramFailed extends Data.TaggedError("ProgramFailed")<{ readonly message: string }> {}

/** Runs a program. Fails when it does. */
export const run = ({ args, command, env }: Program) =>
  Effect.async<Run, ProgramFailed>((resume) => {
    const start = process.hrtime.bigint()
    const child = spawn(command, args.map(String), { env: { ...process.env, ...env } })
    let seconds = 0
    let output = ""
    let problem = ""
    child.stdout.on("data", (text) => output += text)
    child.stderr.on("data", (text) => problem += text)
    child.once("error", (error) => problem += error.message)
    child.once("exit", () => seconds = Number(process.hrtime.bigint() - start) / 1e9)
    child.once("close", (code) => {
      const fail = (cause: unknown) =>
        new ProgramFailed({ message: `${command} ${args.join(" ")}: ${cause}\n${output}${problem}` })
      resume(
        code === 0
          ? Schema.decode(Schema.parseJson(Printed))(output.trim().split("\n").at(-1) ?? "").pipe(
            Effect.mapBoth({ onFailure: fail, onSuccess: (figures) => ({ ...figures, seconds }) })
          )
          : fail(`exit code ${code}`)
      )
    })
    return Effect.sync(() => child.kill())
  })
