/** Ours and others at the same task, in turn: first once, to see that they do it right, and then in rounds. */
import { Console, Data, Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Profile from "./profile.ts"
import { type Program, type Run, run } from "./program.ts"
import type { Received, Server } from "./server/start.ts"

/** The peers of the measurement. */
export type Peer =
  | "limit"
  | "limitNode"
  | "boto3"
  | "js"
  | "jsVerified"
  | "botocore"
  | "file"
  | "streamparser"
  | "json"
  | "effect"
  | "bundled"
  | "platform"
  | "download"
  | "before"

export interface Contest {
  /** As in the keys of the figures. */
  readonly name: string
  readonly what: string
  /** The programs that take part. A program that this machine lacks is absent. */
  readonly programs: Readonly<{ ours: Program } & Partial<Record<Peer, Program | undefined>>>
  /** The server; nothing when the task needs none. */
  readonly server?: Server | undefined
  /** Prepares each run. */
  readonly before?: (() => void) | undefined
  /** Returns the problem of a run in a sentence, if there is one. */
  readonly problem: (run: Run, received: ReadonlyArray<Received>) => string | undefined
}

/** A run, and the seconds of the processor that the server took for it. */
export type Measured = Run & { readonly server: number }

export interface Result {
  readonly name: string
  readonly what: string
  /** Medians. */
  readonly of: Readonly<Partial<Record<Peer | "ours", Measured>>>
  /** The figures of one more run of our program. */
  readonly profile: Profile.Profiled
}

class Wrong extends Data.TaggedError("Wrong")<{ readonly message: string }> {}

const environment = (server: Server | undefined) => ({
  AWS_ACCESS_KEY_ID: "bench",
  AWS_SECRET_ACCESS_KEY: "bench",
  AWS_REGION: "us-east-1",
  AWS_DEFAULT_REGION: "us-east-1",
  // Some clients honour proxies, and the server is on this machine.
  NO_PROXY: "*",
  no_proxy: "*",
  ...(server !== undefined && { AWS_ENDPOINT_URL: server.url }),
  // Without TLS no client loads authorities, whatever the environment of this machine says.
  NODE_EXTRA_CA_CERTS: server?.authority,
  AWS_CA_BUNDLE: server?.authority
})

const once = Effect.fnUntraced(function*({ before, name, problem, server }: Contest, who: string, program: Program) {
  before?.()
  if (server !== undefined) yield* server.received
  const used = server?.processor() ?? 0
  const measured = yield* run({ ...program, env: { ...environment(server), ...program.env } })
  const result: Measured = { ...measured, server: (server?.processor() ?? 0) - used }
  const wrong = problem(measured, server === undefined ? [] : yield* server.received)
  if (wrong !== undefined) return yield* new Wrong({ message: `${name}, ${who}: ${wrong}` })
  return result
})

const participants = ({ programs }: Contest) =>
  Object.entries(programs).flatMap(([who, program]) => program === undefined ? [] : [{ who, program }])

/** Runs each once, to see that all do right. Fails when one does not. */
export const rehearse = (contest: Contest) =>
  Effect.forEach(participants(contest), ({ program, who }) => once(contest, who, program), { discard: true })

const median = (numbers: ReadonlyArray<number>) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN

/** The median of each figure. */
const medians = (runs: ReadonlyArray<Measured>): Measured => {
  const of = (figure: (run: Measured) => number) => median(runs.map(figure))
  return {
    seconds: of((run) => run.seconds),
    rssMB: of((run) => run.rssMB),
    processor: of((run) => run.processor),
    server: of((run) => run.server),
    ...(runs[0]?.loopDelayP99Ms !== undefined && { loopDelayP99Ms: of((run) => run.loopDelayP99Ms ?? 0) })
  }
}

/** Ours once more, to see where its time goes. */
const profiled = (contest: Contest) =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "profile-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
    const { ours } = contest.programs
    const { seconds } = yield* once(contest, "ours", { ...ours, args: [...Profile.options(folder), ...ours.args] })
    return Profile.read(folder, seconds)
  }).pipe(Effect.scoped)

/** Runs all in turn, and starts each round with another: A B C, B C A, C A B. Reports the medians. */
export const hold = Effect.fnUntraced(function*(contest: Contest, rounds: number) {
  const all = participants(contest)
  const runs = new Map(all.map(({ who }) => [who, new Array<Measured>()]))
  for (let round = 1; round <= rounds; round++) {
    const first = (round - 1) % all.length
    for (const { program, who } of [...all.slice(first), ...all.slice(0, first)]) {
      const measured = yield* once(contest, who, program)
      runs.get(who)?.push(measured)
      yield* Console.error(`${contest.name} ${round}/${rounds}  ${who.padEnd(10)} ${measured.seconds.toFixed(2)} s`)
    }
  }
  const of = Object.fromEntries(Array.from(runs, ([who, runs]) => [who, medians(runs)]))
  return { name: contest.name, what: contest.what, of, profile: yield* profiled(contest) } satisfies Result
})
