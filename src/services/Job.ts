/**
 * A job of a vault: an archive or an inventory on its way out. Retrieving takes minutes to days, and what it retrieved
 * can be read for 24 hours (spec section 13).
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../client/GlacierClient.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import * as ByteRange from "../protocol/ByteRange.ts"
import { check } from "../protocol/Check.ts"
import type { MalformedInventory } from "../protocol/GlacierError.ts"
import { InvalidInput, JobFailed, JobRunning, MalformedResponse } from "../protocol/GlacierError.ts"
import type { JobDescription } from "../protocol/Jobs.ts"
import { JobId } from "../protocol/Names.ts"
import type { operations } from "../protocol/Operations.ts"
import type { VaultAddress } from "../protocol/Vaults.ts"
import * as Download from "../transfer/Download.ts"
import type { Failure } from "../transport/Method.ts"
import { capture } from "./internal/capture.ts"
import { inventory } from "./internal/inventory.ts"
import type { JobInventory } from "./JobInventory.ts"

/**
 * @since 0.1.0
 * @category models
 */
export type DescribeError = Failure<(typeof operations)["describeJob"]>

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
   * Asks until the job has ended, by default first after a second and then ever more rarely, at last every 5 minutes.
   * Fails with `JobFailed` when there will be no output, and with `JobRunning` when a `polling` that ends was not
   * enough. Interrupting it leaves the job running.
   */
  readonly wait: (
    polling?: Schedule.Schedule<unknown>
  ) => Effect.Effect<JobDescription, DescribeError | JobFailed | JobRunning>
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
   * that path was cut off: see `Download.toFile`.
   */
  readonly outputToFile: (
    path: string,
    options?: Download.FileOptions
  ) => Effect.Effect<Download.Downloaded, OutputError | PlatformError.PlatformError, FileSystem.FileSystem>
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

/**
 * From a second on, each wait half as long again as the last, up to 5 minutes: a job that takes seconds (of an
 * emulator) is not waited for long, nor one of hours asked about all the time.
 *
 * @since 0.1.0
 * @category constants
 */
export const polling: Schedule.Schedule<unknown> = Schedule.exponential("1 second", 1.5).pipe(
  Schedule.union(Schedule.spaced("5 minutes"))
)

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
 * The job of that id in a vault. Fails when it cannot be an id; whether there is such a job shows when it is asked.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function*(vault: VaultAddress, jobId: string) {
  const glacier = yield* GlacierClient
  const run = yield* capture
  const id = yield* check("job", "jobId", JobId, jobId)
  const describe = run.effect(Effect.suspend(() => glacier.describeJob({ ...vault, jobId: id })))
  const located = Effect.flatMap(describe, (job) => outputOf(vault, job))
  const output: Service["output"] = (options) =>
    run.stream(Stream.unwrap(Effect.map(located, (found) => Download.stream(found, options))))
  const job: Service = {
    id,
    describe,
    wait: (schedule = polling) =>
      describe.pipe(
        Effect.repeat(
          Schedule.zipRight(schedule, Schedule.identity<JobDescription>()).pipe(
            Schedule.untilInput((job) => job.completed)
          )
        ),
        Effect.flatMap(ended),
        Effect.provideService(RetryPolicy.Fallback, RetryPolicy.patient),
        Effect.withSpan("Job.wait", { attributes: { "glacier.vault": vault.vaultName, "glacier.job": id } })
      ),
    output,
    outputTo: (sink, options) => Stream.run(output(options), sink),
    outputToFile: (path, options) =>
      run.effect(Effect.flatMap(located, (found) => Download.toFile(found, path, options))),
    verification: (options) => Effect.map(located, (found) => Download.verification(found, options)),
    inventory: describe.pipe(
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
): Layer.Layer<Job, InvalidInput, GlacierClient> => Layer.effect(Job, make(vault, jobId))
