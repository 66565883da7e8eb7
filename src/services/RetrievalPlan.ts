/**
 * Retrieves many archives of a vault to files: first as a plan of which, to where and for how much, then with as many
 * jobs at once as are let, and after whatever ended it from where it was. Which archives, a predicate over an inventory
 * says.
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
import * as RetrievalBudget from "../policy/RetrievalBudget.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import * as Waiting from "../policy/Waiting.ts"
import * as ArchiveName from "../protocol/ArchiveName.ts"
import * as ByteRange from "../protocol/ByteRange.ts"
import { type BudgetExceeded, type InvalidInput, type JobFailed, show } from "../protocol/GlacierError.ts"
import { check, Concurrency } from "../protocol/InputCheck.ts"
import type { Entry } from "../protocol/Inventory.ts"
import type { Tier } from "../protocol/Jobs.ts"
import * as Limits from "../protocol/Limits.ts"
import { ArchiveId, JobId } from "../protocol/Names.ts"
import type { operations } from "../protocol/Operations.ts"
import { TypeId } from "../protocol/ServiceError.ts"
import * as TreeHash from "../protocol/TreeHash.ts"
import type { Checkpoint, CheckpointError, CheckpointInUse } from "../transfer/Checkpoint.ts"
import * as Download from "../transfer/Download.ts"
import { Event, type OnProgress } from "../transfer/Progress.ts"
import * as SafePath from "../transfer/SafePath.ts"
import * as Target from "../transfer/Target.ts"
import type { Failure } from "../transport/Method.ts"
import { isLive, jobsOf } from "./internal/joinable.ts"
import { bytesOf, openLog, selected } from "./internal/selected.ts"
import * as Job from "./Job.ts"
import type * as JobWaiting from "./JobWaiting.ts"
import * as Vault from "./Vault.ts"

const number = new Intl.NumberFormat("en-US")

/**
 * An archive that has no place of its own: `unnamed`, there is no path for it; `shared`, other archives of the plan have
 * the same path, or need a folder of that path.
 *
 * @since 0.1.0
 * @category errors
 */
export class NoPlace extends Data.TaggedError("NoPlace")<{
  readonly reason: "unnamed" | "shared"
  /** The description, or the path that is shared. */
  readonly name: string
  /** How many other archives the path is in the way of, and the path of one of them. */
  readonly others: Option.Option<{ readonly count: number; readonly path: string }>
}> {
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
  override get message(): string {
    return Option.match(this.others, {
      onNone: () => `The description ${show(this.name)} names no file`,
      onSome: ({ count, path }) =>
        count === 1
          ? `The path ${show(this.name)} is in the way of another archive's: ${show(path)}`
          : `The path ${show(this.name)} is in the way of ${number.format(count)} others, such as ${show(path)}`
    })
  }
}

/**
 * An archive and the path that it gets below the directory.
 *
 * @since 0.1.0
 * @category models
 */
export interface Placed extends Entry {
  readonly path: SafePath.SafePath
}

/**
 * An archive that is not retrieved, and why.
 *
 * @since 0.1.0
 * @category models
 */
export interface Refused {
  readonly archive: Entry
  readonly error: NoPlace | SafePath.UnsafePath
}

/**
 * Which archives are to be retrieved: all that is known of each is in memory, which takes less than a KiB.
 *
 * @since 0.1.0
 * @category models
 */
export interface Plan {
  readonly tier: Tier
  /** Each once, in the order in which they were selected. */
  readonly archives: ReadonlyArray<Placed>
  /** Of all of them. */
  readonly bytes: number
  /** Those that were selected, but have no place. */
  readonly refused: ReadonlyArray<Refused>
}

/**
 * How to plan.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Default: Standard. */
  readonly tier?: Tier | undefined
  /** The path of the file that an archive becomes. Default: what `ArchiveName.read` finds in its description. */
  readonly pathOf?: ((archive: Entry) => Option.Option<string>) | undefined
  /** Where the paths must be good. Default: on POSIX and on Windows. */
  readonly platform?: SafePath.Platform | undefined
}

const described = ({ description }: Entry): Option.Option<string> =>
  Option.map(ArchiveName.read(description), ({ path }) => path)

/**
 * The plan to retrieve the archives of a Stream. It asks nobody and touches no file: archives without a path, with one
 * that must not be used (`SafePath`), with the same path as another, and those whose path others need for a folder are
 * refused here, before anything is paid for. All others are planned.
 *
 * @since 0.1.0
 * @category constructors
 * @example
 * import { ArchiveName, type JobInventory, RetrievalPlan } from "effect-glacier"
 * import { Console, DateTime, Effect, Option, Stream } from "effect"
 *
 * // All versions of a file, each by when it was stored
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
  Effect.map(selected(archives), (entries) => {
    const { pathOf = described, platform = "portable", tier = "Standard" } = options
    const refused: Array<Refused> = []
    const placed: Array<Placed> = []
    for (const archive of entries) {
      Either.fromOption(
        pathOf(archive),
        () => new NoPlace({ reason: "unnamed", name: archive.description, others: Option.none() })
      ).pipe(
        Either.flatMap((path) => SafePath.make(path, platform)),
        Either.match({
          onLeft: (error) => refused.push({ archive, error }),
          onRight: (path) => placed.push({ ...archive, path })
        })
      )
    }
    const shared = SafePath.inTheWay(placed, ({ path }) => path, platform)
    for (const [archive, { count, other }] of shared) {
      const others = Option.some({ count, path: other.path })
      refused.push({ archive, error: new NoPlace({ reason: "shared", name: archive.path, others }) })
    }
    const alone = shared.size === 0 ? placed : placed.filter((archive) => !shared.has(archive))
    return { tier, archives: alone, bytes: bytesOf(alone), refused }
  })

/**
 * What a plan will take under these terms, when each archive is retrieved once.
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

/** How many lines are printed of what has no place. */
const maximumLines = 20

/**
 * A plan as lines for a terminal: what it takes under these terms, and what is not retrieved.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = (plan: Plan, terms?: RetrievalBudget.Terms): string => {
  const { refused } = plan
  return [
    Either.match(quote(plan, terms), { onLeft: ({ message }) => message, onRight: RetrievalBudget.format }),
    ...(refused.length === 0 ? [] : [`Without a place: ${number.format(refused.length)}`]),
    ...refused.slice(0, maximumLines).map(({ error }) => `  ${error.message}`),
    ...(refused.length > maximumLines ? [`  and ${number.format(refused.length - maximumLines)} more`] : [])
  ].join("\n")
}

/**
 * What the retrieval of an archive can fail with.
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
 * What became of an archive: `Retrieved`, every byte verified, now or `before`; `Failed`; or `Refused`, as it has no
 * place.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome = Data.TaggedEnum<{
  readonly Retrieved: { readonly archive: Placed; readonly before: boolean }
  readonly Failed: { readonly archive: Placed; readonly error: RetrieveError }
  readonly Refused: Refused
}>

const Outcome = Data.taggedEnum<Outcome>()

/**
 * How to retrieve.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunOptions extends Job.RenewOptions {
  /** The folder that the files go to. */
  readonly directory: string
  /** Whether another file that is in the place of one may be replaced. Default: no. */
  readonly overwrite?: boolean | undefined
  /** Archives whose jobs run, or wait for the budget, or are read, at once. Default: 100. */
  readonly concurrency?: number | undefined
  /** Archives that are read at once. Default: 4. */
  readonly downloads?: number | undefined
  /**
   * Whether a file gets the time that its description names, as `ArchiveName.read` finds it. Otherwise, or when there is
   * none, it has the time of the download. Default: yes.
   */
  readonly keepModified?: boolean | undefined
  /** How each is read. */
  readonly download?: Omit<Download.Options, "onProgress"> | undefined
  /** Told of what is read and what was there: `bytes` and `total` are those of the plan. */
  readonly onProgress?: OnProgress | undefined
}

const Recorded = Schema.parseJson(Schema.Union(
  /** A job was started for it. */
  Schema.TaggedStruct("Started", { archiveId: ArchiveId, jobId: JobId }),
  Schema.TaggedStruct("Retrieved", { archiveId: ArchiveId })
))

/** Reports the progress of an archive, and its waits, as that of a whole, of which some bytes are done at the beginning. */
const telling = (begin: number, whole: number, onProgress: OnProgress | undefined) => {
  const total = Option.some(whole)
  let bytes = begin
  return () => {
    // Its own bytes. An output that is read anew tells them again.
    let own = 0
    const tell: OnProgress = (event) =>
      Effect.suspend(() => {
        bytes += event.bytes - own
        own = event.bytes
        return onProgress?.({ ...event, bytes, total }) ?? Effect.void
      })
    const waiting = (wait: Waiting.Wait): Effect.Effect<void> =>
      Effect.suspend(() => onProgress?.(Event.Waiting({ range: Option.none(), bytes, total, ...wait })) ?? Effect.void)
    return { tell, waiting }
  }
}

/** The time of the last modification that a description names. */
const modifiedOf = ({ description }: Entry): DateTime.Utc | undefined =>
  Option.getOrUndefined(Option.flatMap(ArchiveName.read(description), ({ modified }) => modified))

/** Whether a file has the bytes of an archive: what cannot be read has not. */
const isThere = Effect.fnUntraced(function*(path: string, { size, treeHash }: Entry) {
  const fs = yield* FileSystem.FileSystem
  const found = yield* fs.stat(path)
  return found.type === "File" && found.size === BigInt(size) &&
    (yield* TreeHash.ofStream(fs.stream(path, { chunkSize: Limits.mebibyte }))) === treeHash
}, Effect.orElseSucceed(() => false))

/**
 * The place of an archive, and whether it is in it already: then it need not be paid for, whatever was lost of the
 * checkpoint.
 */
const placeOf = (archive: Placed, { directory, overwrite = false }: RunOptions) =>
  Target.prepare(directory, archive.path).pipe(
    Effect.map((target) => ({ target, isDone: false })),
    Effect.catchTag("TargetRejected", (refusal) =>
      Effect.gen(function*() {
        if (refusal.reason !== "exists") return yield* refusal
        if (yield* isThere(refusal.path, archive)) return { target: refusal.path, isDone: true }
        return overwrite ? { target: yield* Target.check(refusal.path), isDone: false } : yield* refusal
      }))
  )

/**
 * Retrieves what is planned: an outcome for each archive, as it comes. One that fails does not end the others, and is
 * tried again by the next run. Each waits for its turn in the `RetrievalBudget` in use, and for its job by the `JobWaiting`
 * in use, of which `JobWaiting.layerShared` asks once for all. An output that would be gone before it is read is asked for
 * again in time, and so is one whose job has failed: `times` for each, see `Job.renewed`.
 *
 * What was started and what is retrieved is kept in the checkpoint of that name, which the next run goes on from; it is
 * there until `Checkpoint.clear`. No run pays for an archive that a job retrieves already, whoever has started it, or that
 * is in its place: the vault's jobs are listed once, at the beginning, and those that are known are waited for first. Only
 * when they cannot be listed or the checkpoint not be written does the Stream fail.
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
    // What a download would reject, hours after its job was paid for.
    yield* Download.check(options.download ?? {})
    const reading = yield* Effect.makeSemaphore(downloads)

    const done = new Set<ArchiveId>()
    const jobs = new Map<ArchiveId, JobId>()
    const append = yield* openLog(name, Recorded, (entry) => {
      if (entry._tag === "Started") jobs.set(entry.archiveId, entry.jobId)
      else done.add(entry.archiveId)
    })
    const [left, before] = Arr.partition(plan.archives, ({ archiveId }) => done.has(archiveId))
    if (left.length > 0) {
      const listed = yield* jobsOf(vault.jobs(), new Set(left.map(({ archiveId }) => archiveId)), plan.tier).pipe(
        Effect.provideService(RetryPolicy.Default, RetryPolicy.patient)
      )
      for (const [archiveId, jobId] of listed) jobs.set(archiveId, jobId)
    }
    const [others, started] = Arr.partition(left, ({ archiveId }) => jobs.has(archiveId))

    /** A job that retrieves it: the one that is known, as long as its output can be read for long enough, or another. */
    const retrieving = ({ archiveId, size }: Placed) => {
      // What was paid for before may be read in time, however late it is.
      let atLeast: Duration.DurationInput = 0
      return (join: Duration.Duration) =>
        Effect.gen(function*() {
          const isUsable = yield* isLive(atLeast)
          atLeast = join
          const known = jobs.get(archiveId)
          if (known !== undefined) {
            const job = yield* vault.job(known)
            const live = job.describe.pipe(
              Effect.map(isUsable),
              Effect.catchTag("JobExpired", () => Effect.succeed(false))
            )
            if (yield* live) return job
          }
          const job = yield* vault.retrieveArchive(archiveId, { tier: plan.tier, size })
          jobs.set(archiveId, job.id)
          yield* append({ _tag: "Started", archiveId, jobId: job.id })
          return job
        })
    }

    const tells = telling(bytesOf(before), plan.bytes, options.onProgress)

    /** Brings an archive to its place. Whether it was there before. */
    const fetch = Effect.fnUntraced(function*(archive: Placed) {
      const { archiveId, size } = archive
      const { tell: onProgress, waiting } = tells()
      const { isDone, target } = yield* placeOf(archive, options)
      if (isDone) {
        // The run that has brought it may have ended right after.
        yield* Target.finish(target, archive.treeHash)
        yield* onProgress(Event.Kept({ range: ByteRange.make(0, size), bytes: size, total: Option.some(size) }))
      } else {
        const modified = options.keepModified === false ? undefined : modifiedOf(archive)
        const download = { ...options.download, onProgress, onFailure: "keep", modified } as const
        const outer = yield* Waiting.OnWait
        yield* Job.renewed(
          retrieving(archive),
          (job) =>
            reading.withPermits(1)(job.outputToFile(target, download)).pipe(
              // A download reports its waits itself.
              Effect.provideService(Waiting.OnWait, outer)
            ),
          options
        ).pipe(Waiting.onWait(waiting))
      }
      yield* append({ _tag: "Retrieved", archiveId })
      return isDone
    })

    return Stream.fromIterable(plan.refused).pipe(
      Stream.map(Outcome.Refused),
      Stream.concat(Stream.map(Stream.fromIterable(before), (archive) => Outcome.Retrieved({ archive, before: true }))),
      Stream.concat(Stream.mapEffect(
        Stream.fromIterable(Arr.appendAll(started, others)),
        (archive) =>
          Effect.map(fetch(archive), (before) => Outcome.Retrieved({ archive, before })).pipe(
            Effect.catchAll((error) =>
              error._tag === "CheckpointError" ? Effect.fail(error) : Effect.succeed(Outcome.Failed({ archive, error }))
            ),
            Effect.provideService(RetryPolicy.Default, RetryPolicy.patient)
          ),
        { concurrency, unordered: true }
      ))
    )
  }))
