/**
 * Messages about jobs that have ended, from an SQS queue: Glacier publishes to an SNS topic, and the queue subscribes to it.
 * See Configuring Vault Notifications (Amazon Glacier Developer Guide). Needs the package `@aws-sdk/client-sqs`.
 *
 * @since 0.1.0
 */
import type { SQS } from "@aws-sdk/client-sqs"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Waiting from "../policy/Waiting.ts"
import { show } from "../protocol/GlacierError.ts"
import type { JobDescription } from "../protocol/Jobs.ts"
import { Message } from "../protocol/Notifications.ts"
import * as Regions from "../protocol/Regions.ts"
import * as JobWaiting from "../services/JobWaiting.ts"
import type { Keys } from "../transport/Credentials.ts"

/**
 * A queue that only this program reads. It deletes the messages about jobs that it has read, and leaves all others.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly queueUrl: string
  /** The region of the queue. Default: the region in the URL. Required for a URL without a region. */
  readonly region?: string | undefined
  /** The endpoint of SQS. Default: AWS's. */
  readonly endpoint?: string | undefined
  /** The credentials for SQS. Default: those of AWS's provider chain. */
  readonly keys?: Keys | undefined
}

/**
 * The package for SQS is missing, or the options cannot be used.
 *
 * @since 0.1.0
 * @category errors
 */
export class JobQueueError extends Data.TaggedError("JobQueueError")<{ readonly message: string }> {}

/** The pause after a queue could not be read. The client of SQS has retried several times by then. */
const pause = "30 seconds"

const reason = (cause: unknown): string => cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)

const call = <A>(run: (signal: AbortSignal) => Promise<A>) =>
  Effect.tryPromise({ try: run, catch: (cause) => new JobQueueError({ message: reason(cause) }) })

/** The host of an older form of a queue's URL, in the form of today. */
const modern = (host: string): string =>
  host === "queue.amazonaws.com"
    ? "sqs.us-east-1.amazonaws.com"
    : host.replace(/^([a-z0-9-]+)\.queue\./, "sqs.$1.")

/** The region in which a queue is: its URL names it, or the program. */
const regionOf = (queueUrl: string, region: string | undefined): Effect.Effect<string, JobQueueError> => {
  if (region !== undefined) return Effect.succeed(region)
  const host = /^https?:/.test(queueUrl) && URL.canParse(queueUrl) ? new URL(queueUrl).hostname : ""
  return Effect.mapError(Regions.ofHost("sqs", modern(host)), () =>
    new JobQueueError({
      message: `The queue URL ${show(queueUrl)} in \`queueUrl\` names no region; write it as ` +
        "https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, or give the `region` of the queue as well"
    }))
}

/** The client, until the Scope ends. */
const open = Effect.fnUntraced(function*({ endpoint, keys, queueUrl, ...options }: Options) {
  const region = yield* regionOf(queueUrl, options.region)
  // Not before it is needed: it is an optional package, and takes its time to load.
  const { SQS } = yield* Effect.tryPromise({
    try: () => import("@aws-sdk/client-sqs"),
    catch: () =>
      new JobQueueError({
        message: "Queues of SQS need the package @aws-sdk/client-sqs. Install it, or wait by polling."
      })
  })
  const settings = {
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(keys === undefined ? {} : {
      credentials: {
        accessKeyId: keys.accessKeyId,
        secretAccessKey: Redacted.value(keys.secretAccessKey),
        ...(keys.sessionToken === undefined ? {} : { sessionToken: Redacted.value(keys.sessionToken) })
      }
    })
  }
  return yield* Effect.acquireRelease(
    Effect.try({ try: () => new SQS(settings), catch: (cause) => new JobQueueError({ message: reason(cause) }) }),
    (sqs) => Effect.sync(() => sqs.destroy())
  )
})

/** Decodes a message. None, with a log entry, for a message that is not from Glacier. */
const read = (
  { Body = "", MessageId }: { readonly Body?: string | undefined; readonly MessageId?: string | undefined }
) =>
  Schema.decode(Message)(Body).pipe(
    Effect.tapError(() => Effect.logWarning(`Message ${MessageId} of the queue is not about a job, and stays there`)),
    Effect.option
  )

const received = (sqs: SQS, QueueUrl: string): Stream.Stream<JobDescription> => {
  const warnings = Waiting.makeLimiter()
  const receive = call((abortSignal) =>
    sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 20 }, { abortSignal })
  ).pipe(
    Effect.map(({ Messages = [] }) => Messages),
    Effect.catchAll(({ message }) =>
      warnings.log(
        "queue",
        `The queue of jobs that have ended cannot be read: ${message}. It is read again in ${pause}`
      ).pipe(
        Effect.zipRight(Effect.sleep(pause)),
        Effect.as([])
      )
    )
  )
  return Stream.flatMap(
    Stream.repeatEffect(receive),
    (messages) =>
      Stream.unwrap(Effect.map(Effect.forEach(messages, read), (jobs) => {
        const Entries = messages.flatMap(({ ReceiptHandle }, index) =>
          Option.isSome(jobs[index] ?? Option.none()) ? [{ Id: String(index), ReceiptHandle }] : []
        )
        // When the next batch is pulled, this one was handled. A message that is not deleted comes again, which is harmless.
        const remove = Entries.length === 0
          ? Effect.void
          : Effect.ignoreLogged(call((abortSignal) => sqs.deleteMessageBatch({ QueueUrl, Entries }, { abortSignal })))
        return Stream.concat(Stream.fromIterable(jobs.flatMap(Option.toArray)), Stream.execute(remove))
      }))
  )
}

/**
 * Streams the jobs in the messages of a queue, by long polling. Failures are logged, and reading continues. A job can come
 * twice.
 *
 * Fails with `JobQueueError` when `@aws-sdk/client-sqs` is missing, or when neither the URL nor the options name a region.
 *
 * @since 0.1.0
 * @category streams
 */
export const messages = (options: Options): Stream.Stream<JobDescription, JobQueueError> =>
  Stream.unwrapScoped(Effect.map(open(options), (sqs) => received(sqs, options.queueUrl)))

/**
 * Provides a `JobWaiting` that describes a job when the queue has a message about it. The `JobWaiting` that this Layer is
 * provided with is the fallback for missing messages.
 *
 * Fails with `JobQueueError` when `@aws-sdk/client-sqs` is missing, or when neither the URL nor the options name a region.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Vault } from "effect-glacier"
 * import { NodeGlacier, NodeJobQueue } from "effect-glacier/node"
 * import { Layer } from "effect"
 *
 * const waiting = NodeJobQueue.layer({ queueUrl: "https://sqs.eu-west-1.amazonaws.com/123456789012/done" })
 *
 * const photos = Vault.layer("photos").pipe(Layer.provide(waiting), Layer.provideMerge(NodeGlacier.layer))
 */
export const layer = (options: Options): Layer.Layer<never, JobQueueError> =>
  Layer.unwrapScoped(
    Effect.map(open(options), (sqs) => JobWaiting.layerNotified(received(sqs, options.queueUrl)))
  )
