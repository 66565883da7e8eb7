/**
 * A job of a vault: an archive or an inventory on its way out. Retrieving takes minutes to days, and what it retrieved
 * can be read for 24 hours (spec section 13).
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
import { capture } from "./internal/capture.ts"
import { describe, expired } from "./internal/describe.ts"
import { inventory } from "./internal/inventory.ts"
import type { JobInventory } from "./JobInventory.ts"
import * as JobWaiting from "./JobWaiting.ts"

/**
 * @since 0.1.0
 * @category models
 */
export type DescribeError = Failure<(typeof operations)["describeJob"]> | JobExpired

/**
 * @since 0.1.0
 * @category models
 */
export type OutputError = DescribeError | Download.DownloadError | JobFailed | JobRunning

/**
 * What can be done with a job.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly id: JobId
  /** The job as it stands. */
  readonly describe: Effect.Effect<JobDescription, DescribeError>
  /**
   * Waits until the job has ended, by the `JobWaiting` in use, or by asking as `polling` says. Fails with `JobFailed` when
   * there will be no output, and with `JobRunning` when the policy, or a `polling` that ends, has given up. Interrupting it
   * leaves the job running.
   */
  readonly wait: (
    polling?: Schedule.Schedule<unknown, JobDescription>
  ) => Effect.Effect<JobDescription, JobWaiting.WaitError | JobFailed>
  /**
   * The verified bytes of the output, in order, fetched by parallel windows; from any byte, for who has those before it.
   */
  readonly output: (options?: Download.StreamOptions) => Stream.Stream<Uint8Array, OutputError>
  /**
   * Runs the bytes of `output` into a Sink. It has its result when the Sink is done: one that wants all bytes gets it
   * only if the whole is verified.
   */
  readonly outputTo: <A, L, E, R>(
    sink: Sink.Sink<A, Uint8Array, L, E, R>,
    options?: Download.StreamOptions
  ) => Effect.Effect<A, OutputError | E, R>
  /**
   * Downloads the output to a file that appears only when it is whole and verified. Goes on where an earlier download to
   * that path was cut off, of this job or another of the same bytes. Refuses a path that is not that of a file, or that
   * another download writes to, before anything is fetched. See `Download.toFile`.
   */
  readonly outputToFile: (
    path: string,
    options?: Download.FileOptions
  ) => Effect.Effect<
    Download.Downloaded,
    OutputError | Target.TargetError | PlatformError.PlatformError,
    FileSystem.FileSystem
  >
  /** What can be checked of the output. */
  readonly verification: (options?: Download.StreamOptions) => Effect.Effect<Download.Verification, OutputError>
  /**
   * The output of an inventory job: of when it is, whether it lists the whole vault, and its archives as a Stream. Fails
   * with `InvalidInput` when the job is about an archive.
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

/** A job that has succeeded. */
const ended = (job: JobDescription): Effect.Effect<JobDescription, JobFailed | JobRunning> => {
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
  yield* ended(job)
  const size = job.action === "InventoryRetrieval"
    ? job.inventorySizeInBytes
    : Option.orElse(Option.map(job.retrievalByteRange, ByteRange.length), () => job.archiveSizeInBytes)
  if (Option.isNone(size)) {
    return yield* new MalformedResponse({
      operation: "DescribeJob",
      status: 200,
      problem: "the job has succeeded but does not tell the size of its output"
    })
  }
  const output: Download.Output = { vault, jobId: job.jobId, size: size.value, treeHash: job.treeHash }
  return output
})

/** Refuses what is no inventory before any of it is read. */
const isInventory = (job: JobDescription): Effect.Effect<void, InvalidInput> =>
  job.action === "InventoryRetrieval" ? Effect.void : new InvalidInput({
    operation: "inventory",
    field: "job",
    value: job.action,
    rule: "must be an inventory job"
  })

/**
 * Attaches to the job of that id in a vault. Fails when it cannot be an id; whether there is such a job shows when it is asked.
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
  const job: Service = {
    id,
    describe: described,
    wait: (schedule) =>
      JobWaiting.JobWaiting.pipe(
        Effect.flatMap((policy) => (schedule === undefined ? policy : JobWaiting.polling(schedule))(vault, id)),
        run.effect,
        Effect.flatMap(ended),
        Effect.provideService(RetryPolicy.Default, RetryPolicy.patient),
        Effect.withSpan("Job.wait", { attributes: { "glacier.vault": vault.vaultName, "glacier.job": id } })
      ),
    output,
    outputTo: (sink, options) => Stream.run(output(options), sink),
    outputToFile: (path, options) =>
      run.effect(
        Effect.flatMap(described, (job) =>
          Effect.flatMap(outputOf(vault, job), (found) =>
            Download.toFile(found, path, options)).pipe(
              Effect.mapError(expired(id, job))
            ))
      ),
    verification: (options) => Effect.map(located, (found) => Download.verification(found, options)),
    inventory: described.pipe(
      Effect.tap(isInventory),
      Effect.flatMap((job) =>
        Effect.flatMap(
          outputOf(vault, job),
          (found) => inventory(job, found.size, (options) => run.stream(Download.stream(found, options)))
        )
      )
    )
  }
  return job
})

/**
 * A job of a vault by its id: how a program that was restarted finds its job again.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  vault: VaultAddress,
  jobId: string
): Layer.Layer<Job, InvalidInput, GlacierClient> => Layer.effect(Job, attach(vault, jobId))

/**
 * Retrieves by the first of the tiers that has the capacity: fails with `InsufficientCapacity`, which is what an Expedited
 * retrieval may meet with, only when none has.
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
 * How an output is renewed.
 *
 * @since 0.1.0
 * @category models
 */
export interface RenewOptions {
  /** How long before the output is gone another is asked for. Default: 5 hours, in which a Standard retrieval is done. */
  readonly ahead?: Duration.DurationInput | undefined
  /** How often, each of which costs money. Default: once. */
  readonly times?: number | undefined
}

/**
 * Waits for a job and uses its output; should the job fail, or its output be gone before it is used, uses that of another.
 * So that nobody waits for hours then, the other is asked for while there is still `ahead` left of the 24 hours (but not
 * before half of the time that there was is over). `use` begins anew: `outputToFile` goes on with the windows it has if
 * told to keep them.
 *
 * `retrieve` is to give a job whose output can be read for longer than it is told: `retrieveArchive` and
 * `retrieveInventory` of a vault look for one with `join`.
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
 *     (join) => vault.retrieveArchive("an archive's id", { join, tier: "Bulk" }),
 *     (job) => job.outputToFile("photos.tar", { onFailure: "keep" }),
 *     { ahead: "12 hours" }
 *   )
 * })
 */
export const renewed = <A, E, R, E2, R2>(
  retrieve: (join: Duration.Duration) => Effect.Effect<Service, E, R>,
  use: (job: Service) => Effect.Effect<A, E2, R2>,
  { ahead = "5 hours", times = 1 }: RenewOptions = {}
): Effect.Effect<A, E | E2 | JobWaiting.WaitError | JobFailed, R | R2> => {
  const retrieved = retrieve(Duration.decode(ahead))

  const inTime = Effect.fnUntraced(function*({ completionDate }: JobDescription) {
    const now = yield* Clock.currentTimeMillis
    const done = Option.match(completionDate, { onNone: () => now, onSome: DateTime.toEpochMillis })
    const left = Math.max(0, done + Limits.lifetimeMillis - now)
    yield* Effect.sleep(Math.max(left - Duration.toMillis(ahead), left / 2))
    // What is read now can still be read: that nothing can follow it may not matter.
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
