/**
 * Retrieves many archives of a vault to files. A plan says which archives go to which paths, and what they cost. Running it
 * starts as many jobs at once as the budget permits, and resumes after an interruption. The archives come from an inventory.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Arr from "effect/Array"
import * as Data from "effect/Data"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { formatNumber } from "../policy/Format.ts"
import * as RetrievalBudget from "../policy/RetrievalBudget.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import * as Waiting from "../policy/Waiting.ts"
import * as ArchiveName from "../protocol/ArchiveName.ts"
import * as ByteRange from "../protocol/ByteRange.ts"
import { errorClass } from "../protocol/ErrorClass.ts"
import { type BudgetExceeded, type InvalidInput, type JobFailed, show } from "../protocol/GlacierError.ts"
import { check, Concurrency } from "../protocol/InputCheck.ts"
import type { Entry } from "../protocol/Inventory.ts"
import type { Tier } from "../protocol/Jobs.ts"
import * as Limits from "../protocol/Limits.ts"
import { ArchiveId, JobId } from "../protocol/Names.ts"
import type { operations } from "../protocol/Operations.ts"
import * as TreeHash from "../protocol/TreeHash.ts"
import type { Checkpoint, CheckpointError, CheckpointInUse } from "../transfer/Checkpoint.ts"
import * as Download from "../transfer/Download.ts"
import { Event, type OnProgress } from "../transfer/Progress.ts"
import * as SafePath from "../transfer/SafePath.ts"
import * as Target from "../transfer/Target.ts"
import type { Failure } from "../transport/Method.ts"
import { isLive, reusableJobs } from "./internal/jobReuse.ts"
import { bytesOf, collectOnce, openLog } from "./internal/manyArchives.ts"
import * as Job from "./Job.ts"
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

const Recorded = Schema.parseJson(Schema.Union(
  /** A job was started for the archive. */
  Schema.TaggedStruct("Started", { archiveId: ArchiveId, jobId: JobId }),
  Schema.TaggedStruct("Retrieved", { archiveId: ArchiveId })
))

/** Makes reporters, one for each archive, that report its progress and its waits as those of the plan. */
const makeReporters = (begin: number, whole: number, onProgress: OnProgress | undefined) => {
  const total = Option.some(whole)
  let bytes = begin
  return () => {
    // The bytes of this archive so far. A download that starts again reports them again.
    let own = 0
    const progress: OnProgress = (event) =>
      Effect.suspend(() => {
        bytes += event.bytes - own
        own = event.bytes
        return onProgress?.({ ...event, bytes, total }) ?? Effect.void
      })
    const waiting = (wait: Waiting.Wait): Effect.Effect<void> =>
      Effect.suspend(() => onProgress?.(Event.Waiting({ range: Option.none(), bytes, total, ...wait })) ?? Effect.void)
    return { progress, waiting }
  }
}

/** The modification time in a description. */
const modifiedOf = ({ description }: Entry): DateTime.Utc | undefined =>
  Option.getOrUndefined(Option.flatMap(ArchiveName.read(description), ({ modified }) => modified))

/** Whether a file has the bytes of an archive. False for a file that cannot be read. */
const isThere = Effect.fnUntraced(function*(path: string, { size, treeHash }: Entry) {
  const fs = yield* FileSystem.FileSystem
  const found = yield* fs.stat(path)
  return found.type === "File" && found.size === BigInt(size) &&
    (yield* TreeHash.ofStream(fs.stream(path, { chunkSize: Limits.mebibyte }))) === treeHash
}, Effect.orElseSucceed(() => false))

/**
 * Prepares the target of an archive. Returns whether the file is there already: then it is not paid for again, even if the
 * checkpoint was lost.
 */
const prepareTarget = (archive: Placed, { directory, overwrite = false }: RunOptions) =>
  Target.prepare(directory, archive.path).pipe(
    Effect.map((target) => ({ target, isDone: false })),
    Effect.catchTag("TargetRejected", (refusal) =>
      Effect.gen(function*() {
        if (refusal.reason !== "exists") return yield* refusal
        if (yield* isThere(refusal.path, archive)) return { target: refusal.path, isDone: true }
        return overwrite ? { target: yield* Target.check(refusal.path), isDone: false } : yield* refusal
      }))
  )

/** A plan that is running. */
interface Running {
  readonly vault: Vault.Service
  readonly tier: Tier
  readonly options: RunOptions
  /** Limits the number of concurrent downloads. */
  readonly downloads: Effect.Semaphore
  /** The jobs that retrieve archives of the plan, started by this run or found. */
  readonly jobs: Map<ArchiveId, JobId>
  readonly append: (entry: typeof Recorded.Type) => Effect.Effect<void, CheckpointError>
  readonly reporter: () => {
    readonly progress: OnProgress
    readonly waiting: (wait: Waiting.Wait) => Effect.Effect<void>
  }
}

/**
 * Makes a function that returns a job for an archive: the known job if its output does not expire too soon, else a new
 * one. The first time any known job will do: it is paid for, and its output may still be read in time.
 */
const makeRetrieve = ({ append, jobs, tier, vault }: Running, { archiveId, size }: Placed) => {
  let atLeast: Duration.DurationInput = 0
  return (reuse: Duration.Duration) =>
    Effect.gen(function*() {
      const isUsable = yield* isLive(atLeast)
      atLeast = reuse
      const known = jobs.get(archiveId)
      if (known !== undefined) {
        const job = yield* vault.job(known)
        const live = job.describe.pipe(
          Effect.map(isUsable),
          Effect.catchTag("JobExpired", () => Effect.succeed(false))
        )
        if (yield* live) return job
      }
      const job = yield* vault.retrieveArchive(archiveId, { tier, size })
      jobs.set(archiveId, job.id)
      yield* append({ _tag: "Started", archiveId, jobId: job.id })
      return job
    })
}

/** Retrieves an archive to its target. Returns whether the file was there before. */
const retrieve = Effect.fnUntraced(function*(running: Running, archive: Placed) {
  const { append, downloads, options, reporter } = running
  const { archiveId, size } = archive
  const { progress, waiting } = reporter()
  const { isDone, target } = yield* prepareTarget(archive, options)
  if (isDone) {
    // The run that downloaded the file may have died before it removed the files beside it.
    yield* Target.finish(target, archive.treeHash)
    yield* progress(Event.Kept({ range: ByteRange.make(0, size), bytes: size, total: Option.some(size) }))
  } else {
    const modified = options.keepModified === false ? undefined : modifiedOf(archive)
    const download = { ...options.download, onProgress: progress, onFailure: "keep", modified } as const
    const outer = yield* Waiting.OnWait
    yield* Job.renewed(
      makeRetrieve(running, archive),
      (job) =>
        downloads.withPermits(1)(job.outputToFile(target, download)).pipe(
          // A download reports its waits itself.
          Effect.provideService(Waiting.OnWait, outer)
        ),
      options
    ).pipe(Waiting.onWait(waiting))
  }
  yield* append({ _tag: "Retrieved", archiveId })
  return isDone
})

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
    const running: Running = {
      vault,
      tier: plan.tier,
      options,
      downloads: yield* Effect.makeSemaphore(downloads),
      jobs,
      append,
      reporter: makeReporters(bytesOf(before), plan.bytes, options.onProgress)
    }

    return Stream.fromIterable(plan.rejected).pipe(
      Stream.map(Outcome.Rejected),
      Stream.concat(Stream.map(Stream.fromIterable(before), (archive) => Outcome.Retrieved({ archive, before: true }))),
      Stream.concat(Stream.mapEffect(
        Stream.fromIterable(Arr.appendAll(started, others)),
        (archive) =>
          Effect.map(retrieve(running, archive), (before) => Outcome.Retrieved({ archive, before })).pipe(
            Effect.catchAll((error) =>
              error._tag === "CheckpointError" ? Effect.fail(error) : Effect.succeed(Outcome.Failed({ archive, error }))
            ),
            Effect.provideService(RetryPolicy.Default, RetryPolicy.patient)
          ),
        { concurrency, unordered: true }
      ))
    )
  }))
