/**
 * The command `effect-glacier jobs`: lists the jobs of a vault, with the names of the archives that they retrieve.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as NodeGlacier from "../../node/NodeGlacier.ts"
import type { JobDescription } from "../../protocol/Jobs.ts"
import { lifetimeMillis } from "../../protocol/Limits.ts"
import * as JobWaiting from "../../services/JobWaiting.ts"
import * as Vault from "../../services/Vault.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Globals from "../Globals.ts"
import { Output } from "../Output.ts"
import { printable } from "../Printable.ts"
import * as Selection from "../Selection.ts"
import * as State from "../State.ts"
import * as Table from "../Table.ts"

/** The names of archives by their ids, as far as the last inventory and the records have them. */
const namesOf = Effect.fnUntraced(function*(state: State.VaultState, archiveIds: ReadonlyArray<string>) {
  // Without a pattern, everything would be selected.
  if (archiveIds.length === 0) return new Map<string, string>()
  const { detail } = yield* Output
  return yield* Effect.flatMap(
    Selection.make(state, archiveIds),
    ({ items }) =>
      Stream.runFold(
        items,
        new Map<string, string>(),
        (names, item) => names.set(item.entry.archiveId, Selection.shownName(item))
      )
  ).pipe(
    Effect.catchTag("StateError", ({ message }) => Effect.as(detail(message), new Map<string, string>()))
  )
})

/** The time of a job in a table, to the minute. */
const minute = (date: DateTime.Utc): string => DateTime.formatIso(date).slice(0, 16).replace("T", " ")

/** The time at which the job is expected to end, or until which its output can be read. */
const nextOf = (job: JobDescription, expires: Option.Option<DateTime.Utc>): string => {
  switch (job.statusCode) {
    case "Failed":
      return printable(Option.getOrElse(job.statusMessage, () => "no reason given"))
    case "InProgress":
      return `expected from ${minute(JobWaiting.usualEnd(job).from)}`
    case "Succeeded":
      return `readable until ${Option.match(expires, { onNone: () => "unknown", onSome: minute })}`
  }
}

const rowOf = (job: JobDescription, names: ReadonlyMap<string, string>) => {
  const archiveId = Option.getOrNull(job.archiveId)
  const name = archiveId === null ? null : names.get(archiveId) ?? null
  const expires = job.statusCode === "Succeeded"
    ? Option.map(job.completionDate, DateTime.add({ millis: lifetimeMillis }))
    : Option.none()
  const { from, to } = JobWaiting.usualEnd(job)
  const isRunning = job.statusCode === "InProgress"
  const tier = Option.getOrNull(job.tier)
  const iso = (date: Option.Option<DateTime.Utc>) => Option.getOrNull(Option.map(date, DateTime.formatIso))
  return {
    json: {
      jobId: job.jobId,
      action: job.action,
      archiveId,
      name,
      bytes: Option.getOrNull(job.archiveSizeInBytes),
      tier,
      status: job.statusCode,
      reason: job.statusCode === "Failed" ? Option.getOrNull(job.statusMessage) : null,
      created: DateTime.formatIso(job.creationDate),
      completed: iso(job.completionDate),
      expectedFrom: iso(isRunning ? Option.some(from) : Option.none()),
      expectedTo: iso(isRunning ? Option.some(to) : Option.none()),
      expires: iso(expires)
    },
    cells: [
      job.statusCode,
      tier ?? "",
      minute(job.creationDate),
      nextOf(job, expires),
      archiveId === null ? "the inventory" : printable(name ?? archiveId)
    ]
  }
}

const list = (jobIds: ReadonlyArray<string>) =>
  State.withVault(Effect.fnUntraced(function*(state) {
    const vault = yield* Vault.Vault
    const { heading, note, results } = yield* Output
    const jobs = jobIds.length === 0
      ? Array.from(yield* Stream.runCollect(vault.jobs()))
      : yield* Effect.forEach(jobIds, (jobId) => Effect.flatMap(vault.job(jobId), ({ describe }) => describe))
    if (jobs.length === 0) {
      return yield* note("There are no jobs. The service lists a job until 24 hours after its end")
    }
    const names = yield* namesOf(state, jobs.flatMap(({ archiveId }) => Option.toArray(archiveId)))
    const rows = jobs.map((job) => rowOf(job, names))
    const [titles = "", ...lines] = Table.format(
      ["STATUS", "TIER", "STARTED", "NEXT", "RETRIEVES"],
      rows.map(({ cells }) => cells)
    )
    yield* heading(titles)
    yield* results(Stream.fromIterable(rows.map(({ json }, row) => ({ json, text: lines[row] ?? "" }))))
  })).pipe(Effect.provide(NodeGlacier.layer))

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "jobs",
  {
    ids: Args.text({ name: "id" }).pipe(
      Args.repeated,
      Args.withDescription("The id of a job, which --json prints. Default: all jobs")
    ),
    globals: Globals.options
  },
  ({ globals, ids }) => CliCommand.withGlobals(globals)(list(ids))
).pipe(CliCommand.toProgram({
  description: "List the jobs of a vault: what they retrieve, and when",
  examples: ["effect-glacier jobs --vault photos", "effect-glacier jobs --vault photos --json"]
}))
