/**
 * A job of a vault: the retrieval of an archive or an inventory. It takes minutes to hours. Its output expires 24 hours after
 * the job has completed.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Schedule from "effect/Schedule"
import type * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import type { GlacierClient } from "../client/GlacierClient.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import * as ByteRange from "../protocol/ByteRange.ts"
import type { MalformedInventory } from "../protocol/GlacierError.ts"
import { InvalidInput, JobExpired, JobFailed, JobRunning, MalformedResponse } from "../protocol/GlacierError.ts"
import { check } from "../protocol/InputCheck.ts"
import type { JobDescription, Tier } from "../protocol/Jobs.ts"
import * as Limits from "../protocol/Limits.ts"
import { JobId } from "../protocol/Names.ts"
import type { operations } from "../protocol/Operations.ts"
import { InsufficientCapacity } from "../protocol/ServiceError.ts"
import type { VaultAddress } from "../protocol/Vaults.ts"
import * as Download from "../transfer/Download.ts"
import type * as Target from "../transfer/Target.ts"
import type { Failure } from "../transport/Method.ts"
import { capture } from "./internal/builtContext.ts"
import { describe, expired } from "./internal/describeJob.ts"
import { readInventory } from "./internal/readInventory.ts"
import type { JobInventory } from "./JobInventory.ts"
import * as JobWaiting from "./JobWaiting.ts"

/**
 * The errors of describing a job.
 *
 * @since 0.1.0
 * @category models
 */
export type DescribeError = Failure<(typeof operations)["describeJob"]> | JobExpired

/**
 * The errors of reading the output of a job.
 *
 * @since 0.1.0
 * @category models
 */
export type OutputError = DescribeError | Download.DownloadError | JobFailed | JobRunning

/**
 * The operations of a job.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly id: JobId
  /** The vault of the job. */
  readonly vault: VaultAddress
  /** Describes the job. See DescribeJob (Amazon Glacier API Reference). */
  readonly describe: Effect.Effect<JobDescription, DescribeError>
  /**
   * Waits until the job ends, by the `JobWaiting` in use or by the schedule `polling`. Fails with `JobFailed` when the job
   * failed, and with `JobRunning` when the policy or the schedule ends first. Interrupting the wait does not stop the job.
   */
  readonly wait: (
    polling?: Schedule.Schedule<unknown, JobDescription>
  ) => Effect.Effect<JobDescription, JobWaiting.WaitError | JobFailed>
  /**
   * Streams the verified bytes of the output in order, fetched in parallel windows. `from` resumes at any byte.
   */
  readonly output: (options?: Download.StreamOptions) => Stream.Stream<Uint8Array, OutputError>
  /**
   * Runs the bytes of `output` into a Sink and returns its result. A Sink that takes all bytes succeeds only if the whole
   * output is verified.
   */
  readonly outputTo: <A, L, E, R>(
    sink: Sink.Sink<A, Uint8Array, L, E, R>,
    options?: Download.StreamOptions
  ) => Effect.Effect<A, OutputError | E, R>
  /**
   * Downloads the output to a file, which appears only when it is complete and verified. Resumes an earlier download to that
   * path, of this job or another one with the same bytes. Rejects a path that is not a regular file, or that another download
   * writes to, before anything is fetched. See `Download.toFile`.
   */
  readonly outputToFile: (
    path: string,
    options?: Download.FileOptions
  ) => Effect.Effect<
    Download.Downloaded,
    OutputError | Target.TargetError | PlatformError.PlatformError,
    FileSystem.FileSystem
  >
  /**
   * Passes the verified windows of the output to a function, several at once and in any order. Nothing that the function has
   * stored counts before the Effect succeeds. See `Download.forEachWindow`.
   */
  readonly outputByWindow: <E = never, R = never>(
    use: (window: Download.Window) => Effect.Effect<void, E, R>,
    options?: Download.WindowOptions<E, R>
  ) => Effect.Effect<void, OutputError | E, R>
  /** Reports how the output can be verified. */
  readonly verification: (options?: Download.StreamOptions) => Effect.Effect<Download.Verification, OutputError>
  /**
   * Reads the output of an inventory job: its date, whether it lists the whole vault, and its archives as a Stream. Fails with
   * `InvalidInput` when the job retrieves an archive.
   */
  readonly inventory: Effect.Effect<JobInventory, OutputError | MalformedInventory>
}

/**
 * The job in use.
 *
 * @since 0.1.0
 * @category tags
 */
export class Job extends Context.Tag("effect-glacier/Job")<Job, Service>() {}

/** Returns a job that has succeeded. Fails for any other. */
const succeeded = (job: JobDescription): Effect.Effect<JobDescription, JobFailed | JobRunning> => {
  switch (job.statusCode) {
    case "Succeeded":
      return Effect.succeed(job)
    case "Failed":
      return new JobFailed({
        jobId: job.jobId,
        message: Option.getOrElse(job.statusMessage, () => "The job failed, and the service does not say why")
      })
    case "InProgress":
      return new JobRunning({ jobId: job.jobId })
  }
}

const outputOf = Effect.fnUntraced(function*(vault: VaultAddress, job: JobDescription) {
  yield* succeeded(job)
  const size = job.action === "InventoryRetrieval"
    ? job.inventorySizeInBytes
    : Option.orElse(Option.map(job.retrievalByteRange, ByteRange.length), () => job.archiveSizeInBytes)
  if (Option.isNone(size)) {
    return yield* new MalformedResponse({
      operation: "DescribeJob",
      status: 200,
      problem: "the job has succeeded, but its description has no size of the output"
    })
  }
  const output: Download.Output = { vault, jobId: job.jobId, size: size.value, treeHash: job.treeHash }
  return output
})

/** Fails unless the job retrieves an inventory. */
const checkInventory = (job: JobDescription): Effect.Effect<void, InvalidInput> =>
  job.action === "InventoryRetrieval" ? Effect.void : new InvalidInput({
    operation: "inventory",
    field: "job",
    value: job.action,
    rule: "must be an inventory job"
  })

/**
 * Attaches to the job with this id. Sends no request. Fails with `InvalidInput` when the id is invalid.
 *
 * @since 0.1.0
 * @category constructors
 */
export const attach = Effect.fnUntraced(function*(vault: VaultAddress, jobId: string) {
  const run = yield* capture
  const id = yield* check("job", "jobId", JobId, jobId)
  const described = run.effect(describe(vault, id))
  const located = Effect.flatMap(described, (job) => outputOf(vault, job))
  const output: Service["output"] = (options) =>
    run.stream(
      Stream.unwrap(Effect.map(described, (job) =>
        Effect.map(outputOf(vault, job), (found) => Download.stream(found, options)).pipe(
          Stream.unwrap,
          Stream.mapError(expired(id, job))
        )))
    )
  /** Uses the output. An error that says that the job does not exist any more is `JobExpired`. */
  const withOutput = <A, E, R>(use: (output: Download.Output) => Effect.Effect<A, E, R>) =>
    run.effect(
      Effect.flatMap(described, (job) => Effect.mapError(Effect.flatMap(outputOf(vault, job), use), expired(id, job)))
    )
  const job: Service = {
    id,
    vault,
    describe: described,
    wait: (schedule) =>
      JobWaiting.JobWaiting.pipe(
        Effect.flatMap((policy) => (schedule === undefined ? policy : JobWaiting.polling(schedule))(vault, id)),
        run.effect,
        Effect.flatMap(succeeded),
        Effect.provideService(RetryPolicy.Default, RetryPolicy.patient),
        Effect.withSpan("Job.wait", { attributes: { "glacier.vault": vault.vaultName, "glacier.job": id } })
      ),
    output,
    outputTo: (sink, options) => Stream.run(output(options), sink),
    outputToFile: (path, options) => withOutput((found) => Download.toFile(found, path, options)),
    outputByWindow: (use, options) => withOutput((found) => Download.forEachWindow(found, use, options)),
    verification: (options) => Effect.map(located, (found) => Download.verification(found, options)),
    inventory: described.pipe(
      Effect.tap(checkInventory),
      Effect.flatMap((job) =>
        Effect.flatMap(
          outputOf(vault, job),
          (found) => readInventory(job, found.size, (options) => run.stream(Download.stream(found, options)))
        )
      )
    )
  }
  return job
})

/**
 * Provides the job with this id: for a program that was restarted.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  vault: VaultAddress,
  jobId: string
): Layer.Layer<Job, InvalidInput, GlacierClient> => Layer.effect(Job, attach(vault, jobId))

/**
 * Retrieves in the first tier that has capacity. An Expedited retrieval can fail with `InsufficientCapacity`; this function
 * fails with it only when no tier has capacity.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * import { Job, Vault } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const vault = yield* Vault.Vault
 *   return yield* Job.inTiers(["Expedited", "Standard"], (tier) => vault.retrieveArchive("an archive's id", { tier }))
 * })
 */
export const inTiers = <A, E, R>(
  tiers: readonly [Tier, ...ReadonlyArray<Tier>],
  retrieve: (tier: Tier) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const [first, ...others] = tiers
  return others.reduce(
    (before, tier) =>
      Effect.catchAll(before, (error) => error instanceof InsufficientCapacity ? retrieve(tier) : Effect.fail(error)),
    retrieve(first)
  )
}

/**
 * Options for renewing an output.
 *
 * @since 0.1.0
 * @category models
 */
export interface RenewOptions {
  /** The time before the output expires at which the next job starts. Default: 5 hours, enough for a Standard retrieval. */
  readonly ahead?: Duration.DurationInput | undefined
  /** The maximum number of further jobs, each of which costs money. Default: 1. */
  readonly times?: number | undefined
}

/**
 * Waits for a job and uses its output. When the job fails, or its output expires before `use` ends, does the same with
 * another job. The other job starts `ahead` of the expiration, so that its output is ready at about that time, but not before
 * half of the remaining time has passed. `use` is run again from its start; `outputToFile` with `onFailure: "keep"` fetches
 * only the missing windows.
 *
 * `retrieve` gets the time for which the output must not expire. Pass it to `retrieveArchive` or `retrieveInventory` as
 * `reuse`.
 *
 * @since 0.1.0
 * @category combinators
 * @example
 * import { Job, Vault } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const vault = yield* Vault.Vault
 *   yield* Job.renewed(
 *     (reuse) => vault.retrieveArchive("an archive's id", { reuse, tier: "Bulk" }),
 *     (job) => job.outputToFile("photos.tar", { onFailure: "keep" }),
 *     { ahead: "12 hours" }
 *   )
 * })
 */
export const renewed = <A, E, R, E2, R2>(
  retrieve: (reuse: Duration.Duration) => Effect.Effect<Service, E, R>,
  use: (job: Service) => Effect.Effect<A, E2, R2>,
  { ahead = "5 hours", times = 1 }: RenewOptions = {}
): Effect.Effect<A, E | E2 | JobWaiting.WaitError | JobFailed, R | R2> => {
  const retrieved = retrieve(Duration.decode(ahead))

  const inTime = Effect.fnUntraced(function*({ completionDate }: JobDescription) {
    const now = yield* Clock.currentTimeMillis
    const done = Option.match(completionDate, { onNone: () => now, onSome: DateTime.toEpochMillis })
    const left = Math.max(0, done + Limits.lifetimeMillis - now)
    yield* Effect.sleep(Math.max(left - Duration.toMillis(ahead), left / 2))
    // The current output can still be read, so this failure may not matter.
    yield* Effect.catchAllCause(retrieved, (cause) => Effect.logWarning("A job was not renewed in time", cause))
    return yield* Effect.never
  })

  const round = (times: number): Effect.Effect<A, E | E2 | JobWaiting.WaitError | JobFailed, R | R2> => {
    const used = Effect.gen(function*() {
      const job = yield* retrieved
      const done = yield* job.wait()
      return yield* times === 0 ? use(job) : Effect.raceFirst(use(job), inTime(done))
    })
    return Effect.catchAll(
      used,
      (error) =>
        times > 0 && (error instanceof JobExpired || error instanceof JobFailed) ? round(times - 1) : Effect.fail(error)
    )
  }
  return round(times)
}
