/**
 * Retrieves many archives of a vault to a destination. A plan says which archives go to which paths, and what they cost.
 * Running it starts as many jobs at once as the budget permits, and resumes after an interruption. The archives come from an inventory.
 * A plan is kept in the `Checkpoint` in use, so it may have millions of archives.
 *
 * @since 0.1.0
 */
import type * as Data from "effect/Data"
import type * as DateTime from "effect/DateTime"
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
import { Tier } from "../protocol/Jobs.ts"
import type { ArchiveId, JobId } from "../protocol/Names.ts"
import type { operations } from "../protocol/Operations.ts"
import { Checkpoint, CheckpointError, type CheckpointInUse } from "../transfer/Checkpoint.ts"
import type { OnProgress } from "../transfer/Progress.ts"
import * as SafePath from "../transfer/SafePath.ts"
import type { Failure } from "../transport/Method.ts"
import type { Archive, Destination, Proof } from "./Destination.ts"
import { reusableJobs } from "./internal/jobReuse.ts"
import * as PlanLog from "./internal/planLog.ts"
import { makeReporters } from "./internal/planProgress.ts"
import * as PlanRun from "./internal/planRun.ts"
import * as PlanSegment from "./internal/planSegment.ts"
import { write } from "./internal/planWriting.ts"
import * as ProofIndex from "./internal/proofIndex.ts"
import { retrieve, type Run } from "./internal/retrievalRun.ts"
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
 * An archive that was retrieved, and the proof of the destination.
 *
 * @since 0.1.0
 * @category models
 */
export interface Proven {
  readonly archive: Archive
  readonly proof: Proof
}

/**
 * A plan, which is kept in the `Checkpoint` in use: the archives to retrieve. Reading them fails with `CheckpointInUse`
 * while the plan runs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Plan {
  readonly name: string
  readonly tier: Tier
  /** The time at which the plan was made. */
  readonly made: DateTime.Utc
  /** The number of archives to retrieve. */
  readonly count: number
  /** The sum of their sizes. */
  readonly bytes: number
  /** The archives to retrieve, in the order of their selection, without repetitions. */
  readonly archives: Stream.Stream<Archive, CheckpointError | CheckpointInUse>
  /** The archives that were retrieved, with their proofs. They are the same for all runs and programs. */
  readonly proofs: Stream.Stream<Proven, CheckpointError | CheckpointInUse>
  /** The archives to retrieve that have no proof yet. */
  readonly left: Stream.Stream<Archive, CheckpointError | CheckpointInUse>
  /** The selected archives without a usable path. */
  readonly rejected: Stream.Stream<Rejected, CheckpointError | CheckpointInUse>
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
  /**
   * Returns the path of an archive, always the same for the same archive. Default: the path that `ArchiveName.read` finds in
   * its description.
   */
  readonly pathOf?: ((archive: Entry) => Option.Option<string>) | undefined
  /** The platform on which the paths must be valid. Default: both POSIX and Windows. */
  readonly platform?: SafePath.Platform | undefined
}

/** The purpose of a plan in its log. */
const Purpose = Schema.TaggedStruct("Retrieval", { tier: Tier, platform: SafePath.Platform })

const described = ({ description }: Entry): Option.Option<string> =>
  Option.map(ArchiveName.read(description), ({ path }) => path)

/** Returns the place of an archive, or the reason why it has none. */
const placeOf = (
  { archive, path }: PlanSegment.Row,
  platform: SafePath.Platform
): Either.Either<Archive, NoPlace | SafePath.UnsafePath> =>
  path === null
    ? Either.left(new NoPlace({ reason: "unnamed", name: archive.description, others: Option.none() }))
    : Either.map(SafePath.make(path, platform), (path) => ({ ...archive, path }))

/** Makes the plan of what its log contains. */
const planOf = Effect.fnUntraced(
  function*(name: string, { date, purpose, segments }: PlanLog.Made<typeof Purpose.Type>) {
    const all = Stream.map(PlanSegment.readAll(name, segments, yield* Checkpoint), (row) => {
      const { archive, conflict, path, proof } = row
      if (conflict === undefined) return { archive, proof, place: placeOf(row, purpose.platform) }
      const others = Option.some({ count: conflict.count, path: conflict.other })
      return { archive, proof, place: Either.left(new NoPlace({ reason: "shared", name: path ?? "", others })) }
    })
    const plan: Plan = {
      name,
      tier: purpose.tier,
      made: date,
      ...PlanLog.totalOf(segments),
      archives: Stream.filterMap(all, ({ place }) => Either.getRight(place)),
      proofs: Stream.filterMap(
        all,
        ({ place, proof }) =>
          proof === undefined ? Option.none() : Option.map(Either.getRight(place), (archive) => ({ archive, proof }))
      ),
      left: Stream.filterMap(all, ({ place, proof }) => proof === undefined ? Either.getRight(place) : Option.none()),
      rejected: Stream.filterMap(
        all,
        ({ archive, place }) => Option.map(Either.getLeft(place), (error) => ({ archive, error }))
      )
    }
    return plan
  }
)

/**
 * Makes the plan to retrieve the archives of a Stream, and keeps it in the checkpoint with this name. Sends no request, and
 * writes no file but those of the checkpoint. Rejects, before anything is paid for, archives without a path, with an unsafe
 * path (`SafePath`), with the path of another archive, or with a path that others need for a folder.
 *
 * **A plan is made once.** If the checkpoint contains a plan, returns that plan and does not run the Stream: a program that
 * is started again continues its plan, even if the vault has changed. Use another name for another selection, or `clear`
 * the plan first. Fails with `CheckpointError` when the plan has another tier, or the checkpoint belongs to other work.
 *
 * While the plan is made, memory holds 8 bytes for each archive and about 10 for each folder. The checkpoint has about as many
 * bytes as the inventory.
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
 *   const plan = yield* RetrievalPlan.make("large archives", large, { tier: "Bulk", pathOf })
 *   yield* Console.log(yield* RetrievalPlan.format(plan, { bytesPerDay: 2 ** 40 }))
 * })
 */
export const make = <E, R>(
  name: string,
  archives: Stream.Stream<Entry, E, R>,
  options: Options = {}
): Effect.Effect<Plan, E | CheckpointError | CheckpointInUse, R | Checkpoint> =>
  Effect.scoped(Effect.gen(function*() {
    const { pathOf = described, platform = "portable", tier = "Standard" } = options
    const log = yield* PlanLog.open(name, Purpose)
    if (log.made !== undefined) {
      const { purpose } = log.made
      if (purpose.tier === tier && purpose.platform === platform) return yield* planOf(name, log.made)
      return yield* new CheckpointError({
        name,
        problem:
          `has a plan with tier ${purpose.tier} and platform ${purpose.platform}, not ${tier} and ${platform}: ` +
          "use these, clear the plan, or choose another name"
      })
    }
    const rows = Stream.map(archives, (archive) => ({ archive, path: Option.getOrNull(pathOf(archive)) }))
    const segments = yield* write(name, log, rows, (row) =>
      Either.match(placeOf(row, platform), {
        onLeft: () => [],
        onRight: ({ path }) => SafePath.places(path, platform)
      }))
    return yield* planOf(name, yield* log.finish({ _tag: "Retrieval", tier, platform }, segments))
  }))

/**
 * Removes a plan from the checkpoint, with all that was done of it. Fails with `CheckpointInUse` while the plan is in use.
 * Files that were retrieved remain.
 *
 * @since 0.1.0
 * @category removing
 */
export const clear = (name: string): Effect.Effect<void, CheckpointError | CheckpointInUse, Checkpoint> =>
  PlanLog.clear(name)

/**
 * Quotes a plan under the given terms: time, bytes and cost when each archive is retrieved once. For what is left of a plan, use
 * `quote({ ...plan, archives: plan.left })`.
 *
 * @since 0.1.0
 * @category quotes
 */
export const quote = (
  { archives, tier }: Pick<Plan, "archives" | "tier">,
  terms?: RetrievalBudget.Terms
): Effect.Effect<RetrievalBudget.Quote, InvalidInput | BudgetExceeded | CheckpointError | CheckpointInUse> =>
  RetrievalBudget.quoteStream(
    Stream.map(archives, ({ archiveId, path, size }) => ({ archive: `${archiveId} (${path})`, bytes: size, tier })),
    terms
  )

/** The maximum number of lines about rejected archives. */
const maximumLines = 20

/**
 * Formats a plan as lines for a terminal: its quote under the given terms, or the reason why there is none, and the archives
 * that it rejects.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = (
  plan: Plan,
  terms?: RetrievalBudget.Terms
): Effect.Effect<string, CheckpointError | CheckpointInUse> =>
  Effect.gen(function*() {
    const quoted = yield* Effect.map(quote(plan, terms), RetrievalBudget.format).pipe(
      Effect.catchTags({
        BudgetExceeded: ({ message }) => Effect.succeed(message),
        InvalidInput: ({ message }) => Effect.succeed(message)
      })
    )
    let count = 0
    const lines: Array<string> = []
    yield* Stream.runForEach(plan.rejected, ({ error }) =>
      Effect.sync(() => {
        if (++count <= maximumLines) lines.push(`  ${error.message}`)
      }))
    return [
      quoted,
      ...(count === 0 ? [] : [`Rejected: ${formatNumber(count)}`]),
      ...lines,
      ...(count > maximumLines ? [`  and ${formatNumber(count - maximumLines)} more`] : [])
    ].join("\n")
  })

/**
 * The errors of retrieving an archive of a plan, besides those of its destination.
 *
 * @since 0.1.0
 * @category errors
 */
export type RetrieveError = Vault.RetrieveError | Job.OutputError | JobWaiting.WaitError | JobFailed

/**
 * The outcome of an archive: `Retrieved`, with every byte verified, now or `before`, by another program or before its
 * checkpoint was lost; or `Failed`. `E` is the error of the destination.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome<E = never> = Data.TaggedEnum<{
  readonly Retrieved: Proven & { readonly before: boolean }
  readonly Failed: { readonly archive: Archive; readonly error: RetrieveError | E }
}>

/**
 * Options for running a plan.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunOptions extends Job.RenewOptions {
  /** The number of archives whose jobs run, wait for the budget or are read at once. Default: 100. */
  readonly concurrency?: number | undefined
  /** The number of archives that the destination stores at once. Default: 4. */
  readonly downloads?: number | undefined
  /** Receives the progress of all downloads. `bytes` and `total` are those of the plan. */
  readonly onProgress?: OnProgress | undefined
}

/** Retrieves an archive. A failure is an outcome too, except a failure of the checkpoint. */
const outcomeOf = <E, R>(
  run: Run<E, R>,
  archive: Archive,
  item: PlanRun.Item
): Effect.Effect<Outcome<E>, CheckpointError, R> =>
  retrieve(run, archive, item).pipe(
    Effect.map((retrieved): Outcome<E> => ({ _tag: "Retrieved", ...retrieved })),
    Effect.catchAll((error) =>
      error instanceof CheckpointError
        ? Effect.fail(error)
        : Effect.succeed<Outcome<E>>({ _tag: "Failed", archive, error })
    ),
    Effect.provideService(RetryPolicy.Default, RetryPolicy.patient)
  )

/**
 * Runs a plan and emits an outcome for each archive that no earlier run has retrieved. A failure of one archive does not
 * stop the others; the next run tries it again.
 *
 * - Each archive waits for the `RetrievalBudget` in use, and for its job by the `JobWaiting` in use.
 *   `JobWaiting.layerShared` polls all jobs together.
 * - When a job fails, or its output would expire before it is read, another job is started: up to `times` for each archive.
 *   See `Job.renewed`.
 * - The checkpoint of the plan records started jobs, retrieved archives and their proofs, so that the next run continues with
 *   them. It remains until `clear`.
 * - No run pays for an archive that the destination has already, that the destination cannot take, or that a known job
 *   retrieves, whichever program started it. At its start a run lists the jobs of the vault once, and it reads the known jobs
 *   first.
 *
 * Memory holds the archives in work and their segments, of 5,000 archives each. The Stream fails only when the jobs cannot
 * be listed, or the checkpoint cannot be read or written.
 *
 * @since 0.1.0
 * @category running
 */
export const run = <E = never, R = never>(
  plan: Plan,
  destination: Destination<E, R>,
  options: RunOptions = {}
): Stream.Stream<
  Outcome<E>,
  CheckpointError | CheckpointInUse | Failure<(typeof operations)["listJobs"]>,
  Checkpoint | Vault.Vault | R
> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const vault = yield* Vault.Vault
    const concurrency = yield* check("retrieve", "concurrency", Concurrency, options.concurrency ?? 100)
    const downloads = yield* check("retrieve", "downloads", Concurrency, options.downloads ?? 4)

    const log = yield* PlanLog.open(plan.name, Purpose)
    const made = yield* PlanLog.required(plan.name, log)
    const { addBefore, reporter } = makeReporters(Option.some(plan.bytes), options.onProgress)
    const { platform, tier } = made.purpose
    const listed = log.done.size === made.segments.length
      ? new Map<ArchiveId, JobId>()
      : yield* reusableJobs(vault.jobs(), tier).pipe(Effect.provideService(RetryPolicy.Default, RetryPolicy.patient))
    const planRun = PlanRun.make(plan.name, log, made.segments, {
      listed,
      isPlaced: (row) => Either.isRight(placeOf(row, platform)),
      onFinishedBefore: addBefore
    })
    const state: Run<E, R> = {
      vault,
      tier,
      destination,
      downloads: yield* Effect.makeSemaphore(downloads),
      renew: options,
      reporter
    }
    return Stream.filterMap(
      Stream.mapEffect(
        planRun.left,
        (place) =>
          planRun.attempt(place, (item) =>
            Either.match(placeOf(item, platform), {
              onLeft: () => Effect.succeedNone,
              onRight: (archive) => Effect.asSome(outcomeOf(state, archive, item))
            })),
        { concurrency, unordered: true }
      ),
      (outcome) => outcome
    )
  }))

/** The number of copies that are looked for at once. */
const looks = 16

/**
 * Revokes the proofs of copies that are gone, so that the next run retrieves their archives again. `isGone` returns whether the
 * copy of a proof is gone. Returns the number of revoked proofs. Fails with `CheckpointInUse` while the plan runs.
 *
 * @since 0.1.0
 * @category proofs
 * @example
 * import { type Destination, RetrievalPlan } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * const revokeLost = (plan: RetrievalPlan.Plan, { verify }: Destination.Destination) =>
 *   RetrievalPlan.revoke(plan, ({ archive, proof }) => Effect.negate(verify(archive, proof)))
 */
export const revoke = <E, R>(
  plan: Pick<Plan, "name">,
  isGone: (proven: Proven) => Effect.Effect<boolean, E, R>
): Effect.Effect<number, E | CheckpointError | CheckpointInUse, Checkpoint | R> =>
  Effect.scoped(Effect.gen(function*() {
    const log = yield* PlanLog.open(plan.name, Purpose)
    const { purpose: { platform }, segments } = yield* PlanLog.required(plan.name, log)
    const revokeIn = Effect.fnUntraced(function*(number: number, count: number) {
      const { append, proofs, rows } = yield* PlanSegment.open(plan.name, number, count)
      const proven = rows.flatMap((row, index) => {
        const proof = proofs.get(index)
        const place = placeOf(row, platform)
        return proof === undefined || Either.isLeft(place) ? [] : [{ index, archive: place.right, proof }]
      })
      const gone = yield* Effect.filter(proven, isGone, { concurrency: looks })
      if (gone.length > 0) yield* log.append({ _tag: "Reopened", segment: number })
      yield* Effect.forEach(gone, ({ index }) => append({ _tag: "Revoked", index }), { concurrency: "unbounded" })
      return gone.length
    }, Effect.scoped)
    let revoked = 0
    for (const [number, { rows }] of segments.entries()) revoked += yield* revokeIn(number, rows)
    return revoked
  }))

/**
 * Makes a `proof` for `DeletionPlan.run` and `Decommission.run`: a function that returns whether an archive has a proof in the
 * plan, and the destination still has the copy. Only archives with the size and the tree hash of the plan are proven.
 *
 * Reads the plan once. Memory holds 8 bytes for each proof. Fails with `CheckpointInUse` while the plan runs.
 *
 * @since 0.1.0
 * @category proofs
 * @example
 * import { Decommission, type Destination, RetrievalPlan } from "effect-glacier"
 * import { Effect, Stream } from "effect"
 *
 * const empty = Effect.fn(function*(plan: RetrievalPlan.Plan, copies: Destination.Destination) {
 *   const proof = yield* RetrievalPlan.prover(plan, copies)
 *   yield* Stream.runDrain(Decommission.run("photos", { proof }))
 * })
 */
export const prover = <E = never, R = never>(
  plan: Pick<Plan, "name">,
  destination: Pick<Destination<E, R>, "verify">
): Effect.Effect<
  (archive: Entry) => Effect.Effect<boolean, E | CheckpointError | CheckpointInUse, R>,
  CheckpointError | CheckpointInUse,
  Checkpoint
> =>
  Effect.scoped(Effect.gen(function*() {
    const { purpose: { platform }, segments } = yield* PlanLog.required(
      plan.name,
      yield* PlanLog.open(plan.name, Purpose)
    )
    const find = yield* ProofIndex.make(plan.name, segments)
    return Effect.fnUntraced(function*(archive: Entry) {
      const found = yield* find(archive)
      if (Option.isNone(found)) return false
      const { proof } = found.value
      const place = placeOf(found.value, platform)
      return Either.isRight(place) && proof.size === archive.size && proof.treeHash === archive.treeHash &&
        (yield* destination.verify(place.right, proof))
    })
  }))
