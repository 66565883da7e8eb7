/**
 * Retrieves many archives of a vault to files. A plan says which archives go to which paths, and what they cost. Running it
 * starts as many jobs at once as the budget permits, and resumes after an interruption. The archives come from an inventory.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Arr from "effect/Array"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { formatNumber } from "../policy/Format.ts"
import * as RetrievalBudget from "../policy/RetrievalBudget.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import * as ArchiveName from "../protocol/ArchiveName.ts"
import { errorClass } from "../protocol/ErrorClass.ts"
import { type BudgetExceeded, type InvalidInput, type JobFailed, show } from "../protocol/GlacierError.ts"
import { check, Concurrency } from "../protocol/InputCheck.ts"
import type { Entry } from "../protocol/Inventory.ts"
import type { Tier } from "../protocol/Jobs.ts"
import type { ArchiveId, JobId } from "../protocol/Names.ts"
import type { operations } from "../protocol/Operations.ts"
import type { Checkpoint, CheckpointError, CheckpointInUse } from "../transfer/Checkpoint.ts"
import * as Download from "../transfer/Download.ts"
import type { OnProgress } from "../transfer/Progress.ts"
import * as SafePath from "../transfer/SafePath.ts"
import type * as Target from "../transfer/Target.ts"
import type { Failure } from "../transport/Method.ts"
import { reusableJobs } from "./internal/jobReuse.ts"
import { bytesOf, collectOnce, openLog } from "./internal/manyArchives.ts"
import { makeReporters } from "./internal/planProgress.ts"
import { Recorded, retrieve, type Run } from "./internal/retrievalRun.ts"
import type * as Job from "./Job.ts"
import type * as JobWaiting from "./JobWaiting.ts"
import * as Vault from "./Vault.ts"

/**
 * An archive without a path of its own: `unnamed`, its description names no path; `shared`, other archives of the plan have
 * the same path, or need a folder at that path.
 *
 * @since 0.1.0
 * @category errors
 */
export class NoPlace extends errorClass<NoPlace>()("NoPlace", {
  reason: Schema.Literal("unnamed", "shared"),
  /** The description, or the shared path. */
  name: Schema.String,
  /** The number of other archives that conflict with the path, and the path of one of them. */
  others: Schema.Option(Schema.Struct({ count: Schema.Int, path: Schema.String }))
}) {
  override get message(): string {
    return Option.match(this.others, {
      onNone: () => `The description ${show(this.name)} names no file`,
      onSome: ({ count, path }) =>
        count === 1
          ? `The path ${show(this.name)} conflicts with that of another archive: ${show(path)}`
          : `The path ${show(this.name)} conflicts with ${formatNumber(count)} others, such as ${show(path)}`
    })
  }
}

/**
 * An archive and its path below the directory.
 *
 * @since 0.1.0
 * @category models
 */
export interface Placed extends Entry {
  readonly path: SafePath.SafePath
}

/**
 * An archive that the plan does not retrieve, and the reason.
 *
 * @since 0.1.0
 * @category models
 */
export interface Rejected {
  readonly archive: Entry
  readonly error: NoPlace | SafePath.UnsafePath
}

/**
 * The archives to retrieve. Each takes less than 1 KiB of memory.
 *
 * @since 0.1.0
 * @category models
 */
export interface Plan {
  readonly tier: Tier
  /** The archives in the order of their selection, without repetitions. */
  readonly archives: ReadonlyArray<Placed>
  /** The sum of their sizes. */
  readonly bytes: number
  /** The selected archives without a usable path. */
  readonly rejected: ReadonlyArray<Rejected>
}

/**
 * Options for making a plan.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Default: Standard. */
  readonly tier?: Tier | undefined
  /** Returns the path of an archive. Default: the path that `ArchiveName.read` finds in its description. */
  readonly pathOf?: ((archive: Entry) => Option.Option<string>) | undefined
  /** The platform on which the paths must be valid. Default: both POSIX and Windows. */
  readonly platform?: SafePath.Platform | undefined
}

const described = ({ description }: Entry): Option.Option<string> =>
  Option.map(ArchiveName.read(description), ({ path }) => path)

/**
 * Makes the plan to retrieve the archives of a Stream. Sends no request and touches no file. Rejects, before anything is paid
 * for, archives without a path, with an unsafe path (`SafePath`), with the path of another archive, or with a path that
 * others need for a folder.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { ArchiveName, type JobInventory, RetrievalPlan } from "effect-glacier"
 * import { Console, DateTime, Effect, Option, Stream } from "effect"
 *
 * // All versions of a file, each in a folder named by its date
 * const pathOf: RetrievalPlan.Options["pathOf"] = ({ creationDate, description }) =>
 *   Option.map(ArchiveName.read(description), ({ path }) => `${DateTime.formatIsoDate(creationDate)}/${path}`)
 *
 * const print = Effect.fn(function*(inventory: JobInventory.JobInventory) {
 *   const large = Stream.filter(inventory.archives(), ({ size }) => size > 2 ** 30)
 *   const plan = yield* RetrievalPlan.make(large, { tier: "Bulk", pathOf })
 *   yield* Console.log(RetrievalPlan.format(plan, { bytesPerDay: 2 ** 40 }))
 * })
 */
export const make = <E, R>(archives: Stream.Stream<Entry, E, R>, options: Options = {}): Effect.Effect<Plan, E, R> =>
  Effect.map(collectOnce(archives), (entries) => {
    const { pathOf = described, platform = "portable", tier = "Standard" } = options
    const rejected: Array<Rejected> = []
    const placed: Array<Placed> = []
    for (const archive of entries) {
      Either.fromOption(
        pathOf(archive),
        () => new NoPlace({ reason: "unnamed", name: archive.description, others: Option.none() })
      ).pipe(
        Either.flatMap((path) => SafePath.make(path, platform)),
        Either.match({
          onLeft: (error) => rejected.push({ archive, error }),
          onRight: (path) => placed.push({ ...archive, path })
        })
      )
    }
    const shared = SafePath.inTheWay(placed, ({ path }) => path, platform)
    for (const [archive, { count, other }] of shared) {
      const others = Option.some({ count, path: other.path })
      rejected.push({ archive, error: new NoPlace({ reason: "shared", name: archive.path, others }) })
    }
    const alone = shared.size === 0 ? placed : placed.filter((archive) => !shared.has(archive))
    return { tier, archives: alone, bytes: bytesOf(alone), rejected }
  })

/**
 * Quotes a plan under the given terms: time, bytes and cost when each archive is retrieved once.
 *
 * @since 0.1.0
 * @category quotes
 */
export const quote = (
  plan: Plan,
  terms?: RetrievalBudget.Terms
): Either.Either<RetrievalBudget.Quote, InvalidInput | BudgetExceeded> =>
  RetrievalBudget.quote(
    plan.archives.map(({ archiveId, path, size }) => ({
      archive: `${archiveId} (${path})`,
      bytes: size,
      tier: plan.tier
    })),
    terms
  )

/** The maximum number of lines about rejected archives. */
const maximumLines = 20

/**
 * Formats a plan as lines for a terminal: its quote under the given terms, and the archives that it rejects.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = (plan: Plan, terms?: RetrievalBudget.Terms): string => {
  const { rejected } = plan
  return [
    Either.match(quote(plan, terms), { onLeft: ({ message }) => message, onRight: RetrievalBudget.format }),
    ...(rejected.length === 0 ? [] : [`Rejected: ${formatNumber(rejected.length)}`]),
    ...rejected.slice(0, maximumLines).map(({ error }) => `  ${error.message}`),
    ...(rejected.length > maximumLines ? [`  and ${formatNumber(rejected.length - maximumLines)} more`] : [])
  ].join("\n")
}

/**
 * The errors of retrieving an archive of a plan.
 *
 * @since 0.1.0
 * @category errors
 */
export type RetrieveError =
  | Vault.RetrieveError
  | Job.OutputError
  | JobWaiting.WaitError
  | JobFailed
  | Target.TargetError
  | SafePath.UnsafePath
  | PlatformError.PlatformError

/**
 * The outcome of an archive: `Retrieved`, with every byte verified, now or `before`; `Failed`; or `Rejected`, because it has
 * no usable path.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome = Data.TaggedEnum<{
  readonly Retrieved: { readonly archive: Placed; readonly before: boolean }
  readonly Failed: { readonly archive: Placed; readonly error: RetrieveError }
  readonly Rejected: Rejected
}>

const Outcome = Data.taggedEnum<Outcome>()

/**
 * Options for running a plan.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunOptions extends Job.RenewOptions {
  /** The folder of the files. */
  readonly directory: string
  /** Replaces an existing file with other bytes. Default: no, the archive fails. */
  readonly overwrite?: boolean | undefined
  /** The number of archives whose jobs run, wait for the budget or are read at once. Default: 100. */
  readonly concurrency?: number | undefined
  /** The number of concurrent downloads. Default: 4. */
  readonly downloads?: number | undefined
  /**
   * Sets the modification time of a file to the one that `ArchiveName.read` finds in the description, if there is one.
   * Otherwise a file has the time of its download. Default: yes.
   */
  readonly keepModified?: boolean | undefined
  /** The options of each download. */
  readonly download?: Omit<Download.Options, "onProgress"> | undefined
  /** Receives the progress of all downloads. `bytes` and `total` are those of the plan. */
  readonly onProgress?: OnProgress | undefined
}

/** Retrieves an archive. A failure is an outcome too, except a failure of the checkpoint. */
const outcomeOf = (state: Run, archive: Placed) =>
  Effect.map(retrieve(state, archive), (before) => Outcome.Retrieved({ archive, before })).pipe(
    Effect.catchAll((error) =>
      error._tag === "CheckpointError" ? Effect.fail(error) : Effect.succeed(Outcome.Failed({ archive, error }))
    ),
    Effect.provideService(RetryPolicy.Default, RetryPolicy.patient)
  )

/**
 * Runs a plan and emits an outcome for each archive. A failure of one archive does not stop the others; the next run tries
 * it again.
 *
 * - Each archive waits for the `RetrievalBudget` in use, and for its job by the `JobWaiting` in use.
 *   `JobWaiting.layerShared` polls all jobs together.
 * - When a job fails, or its output would expire before it is read, another job is started: up to `times` for each archive.
 *   See `Job.renewed`.
 * - The checkpoint with this name records started jobs and retrieved archives, so that the next run continues with them. It
 *   remains until `Checkpoint.clear`.
 * - No run pays for an archive that is already in its place, or that a known job retrieves, whichever program started it. At
 *   its start a run lists the jobs of the vault once, and it reads the known jobs first.
 *
 * The Stream fails only when the jobs cannot be listed, or the checkpoint cannot be read or written.
 *
 * @since 0.1.0
 * @category running
 */
export const run = (name: string, plan: Plan, options: RunOptions): Stream.Stream<
  Outcome,
  CheckpointError | CheckpointInUse | Failure<(typeof operations)["listJobs"]>,
  Checkpoint | Vault.Vault | FileSystem.FileSystem | Path.Path
> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const vault = yield* Vault.Vault
    const concurrency = yield* check("retrieve", "concurrency", Concurrency, options.concurrency ?? 100)
    const downloads = yield* check("retrieve", "downloads", Concurrency, options.downloads ?? 4)
    // Otherwise the download would reject these options hours later, after its job was paid for.
    yield* Download.check(options.download ?? {})

    const done = new Set<ArchiveId>()
    const jobs = new Map<ArchiveId, JobId>()
    const append = yield* openLog(name, Recorded, (entry) => {
      if (entry._tag === "Started") jobs.set(entry.archiveId, entry.jobId)
      else done.add(entry.archiveId)
    })
    const [left, before] = Arr.partition(plan.archives, ({ archiveId }) => done.has(archiveId))
    if (left.length > 0) {
      const listed = yield* reusableJobs(vault.jobs(), new Set(left.map(({ archiveId }) => archiveId)), plan.tier).pipe(
        Effect.provideService(RetryPolicy.Default, RetryPolicy.patient)
      )
      for (const [archiveId, jobId] of listed) jobs.set(archiveId, jobId)
    }
    const [others, started] = Arr.partition(left, ({ archiveId }) => jobs.has(archiveId))
    const state: Run = {
      vault,
      tier: plan.tier,
      directory: options.directory,
      overwrite: options.overwrite ?? false,
      keepModified: options.keepModified ?? true,
      download: options.download ?? {},
      downloads: yield* Effect.makeSemaphore(downloads),
      renew: options,
      jobs,
      append,
      reporter: makeReporters(bytesOf(before), Option.some(plan.bytes), options.onProgress)
    }

    return Stream.map(Stream.fromIterable(plan.rejected), Outcome.Rejected).pipe(
      Stream.concat(Stream.map(Stream.fromIterable(before), (archive) => Outcome.Retrieved({ archive, before: true }))),
      Stream.concat(Stream.mapEffect(
        Stream.fromIterable(Arr.appendAll(started, others)),
        (archive) => outcomeOf(state, archive),
        { concurrency, unordered: true }
      ))
    )
  }))
