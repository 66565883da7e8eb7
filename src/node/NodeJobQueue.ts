/**
 * Notifications of ended jobs, received from an SQS queue. Glacier publishes them to an SNS topic, to which the queue
 * subscribes. See Configuring Vault Notifications in Amazon Glacier (Amazon Glacier Developer Guide). Requires the package
 * `@aws-sdk/client-sqs`.
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
 * A queue that no other program reads. Messages about jobs are deleted after they were read. Other messages stay in it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly queueUrl: string
  /** The region of the queue. Required if the URL contains none, as for services other than AWS. Default: from the URL. */
  readonly region?: string | undefined
  /** The endpoint of SQS. Default: that of AWS. */
  readonly endpoint?: string | undefined
  /** The keys that sign requests. Default: those of AWS's provider chain. */
  readonly keys?: Keys | undefined
}

/**
 * The client of the queue is not installed, or the options are invalid.
 *
 * @since 0.1.0
 * @category errors
 */
export class JobQueueError extends Data.TaggedError("JobQueueError")<{ readonly message: string }> {}

/** The delay after the queue could not be read. AWS's client has retried several times by then. */
const pause = "30 seconds"

const reason = (cause: unknown): string => cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)

const call = <A>(run: (signal: AbortSignal) => Promise<A>) =>
  Effect.tryPromise({ try: run, catch: (cause) => new JobQueueError({ message: reason(cause) }) })

/** Converts the host of an older form of queue URL to the current form. */
const toCurrentHost = (host: string): string =>
  host === "queue.amazonaws.com"
    ? "sqs.us-east-1.amazonaws.com"
    : host.replace(/^([a-z0-9-]+)\.queue\./, "sqs.$1.")

/** Returns the given region of the queue, else the region in its URL. */
const regionOf = (queueUrl: string, region: string | undefined): Effect.Effect<string, JobQueueError> => {
  if (region !== undefined) return Effect.succeed(region)
  const host = /^https?:/.test(queueUrl) && URL.canParse(queueUrl) ? new URL(queueUrl).hostname : ""
  return Effect.mapError(Regions.ofHost("sqs", toCurrentHost(host)), () =>
    new JobQueueError({
      message: `The queue URL ${show(queueUrl)} in \`queueUrl\` names no region; write it as ` +
        "https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, or give the `region` of the queue as well"
    }))
}

/** Opens a client until the Scope closes. */
const open = Effect.fnUntraced(function*({ endpoint, keys, queueUrl, ...options }: Options) {
  const region = yield* regionOf(queueUrl, options.region)
  // Imported when it is needed, because the package is optional and slow to load.
  const { SQS } = yield* Effect.tryPromise({
    try: () => import("@aws-sdk/client-sqs"),
    catch: () =>
      new JobQueueError({
        message: "NodeJobQueue needs the package @aws-sdk/client-sqs. Install it, or wait for jobs by polling."
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

/** Decodes a message. Returns none and logs a warning if it is not about a job. */
const decodeMessage = (
  { Body = "", MessageId }: { readonly Body?: string | undefined; readonly MessageId?: string | undefined }
) =>
  Schema.decode(Message)(Body).pipe(
    Effect.tapError(() => Effect.logWarning(`Message ${MessageId} in the queue is not about a job and is not deleted`)),
    Effect.option
  )

/** Receives messages for ever. Logs failures and retries after a delay. */
const receiveAll = (sqs: SQS, QueueUrl: string): Stream.Stream<JobDescription> => {
  const warnings = Waiting.makeLimiter()
  const receive = call((abortSignal) =>
    sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 20 }, { abortSignal })
  ).pipe(
    Effect.map(({ Messages = [] }) => Messages),
    Effect.catchAll(({ message }) =>
      warnings.log(
        "queue",
        `The queue of ended jobs cannot be read: ${message}. The next attempt starts in ${pause}`
      ).pipe(
        Effect.zipRight(Effect.sleep(pause)),
        Effect.as([])
      )
    )
  )
  return Stream.flatMap(
    Stream.repeatEffect(receive),
    (messages) =>
      Stream.unwrap(Effect.map(Effect.forEach(messages, decodeMessage), (jobs) => {
        const Entries = messages.flatMap(({ ReceiptHandle }, index) =>
          Option.isSome(jobs[index] ?? Option.none()) ? [{ Id: String(index), ReceiptHandle }] : []
        )
        // The reader pulls again after it has handled these jobs. A message that was not deleted is received again.
        const remove = Entries.length === 0
          ? Effect.void
          : Effect.ignoreLogged(call((abortSignal) => sqs.deleteMessageBatch({ QueueUrl, Entries }, { abortSignal })))
        return Stream.concat(Stream.fromIterable(jobs.flatMap(Option.toArray)), Stream.execute(remove))
      }))
  )
}

/**
 * Receives the jobs in the messages of a queue by long polling, until the Stream is no longer read. Failures are logged and
 * retried. A job may be received twice.
 *
 * Fails with `JobQueueError` when `@aws-sdk/client-sqs` is missing, or when neither the URL nor the options name a region.
 *
 * @since 0.1.0
 * @category streams
 */
export const messages = (options: Options): Stream.Stream<JobDescription, JobQueueError> =>
  Stream.unwrapScoped(Effect.map(open(options), (sqs) => receiveAll(sqs, options.queueUrl)))

/**
 * Makes waiting for a job end when the queue receives the message that it has ended. If a message is lost, the `JobWaiting` in
 * the context of this Layer, by default polling, ends the waiting.
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
    Effect.map(open(options), (sqs) => JobWaiting.layerNotified(receiveAll(sqs, options.queueUrl)))
  )
