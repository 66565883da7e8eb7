/**
 * The destination of the emulator's notifications: SNS or a function. Without a Layer they are not delivered. See
 * Configuring Vault Notifications in Amazon Glacier (Developer Guide).
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { SignatureV4 } from "@smithy/signature-v4"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Jobs from "../protocol/Jobs.ts"
import * as Sha256 from "../protocol/Sha256.ts"
import type { Key } from "./internal/key.ts"

/**
 * The notification of a job that has ended. `topic` is the ARN of the SNS topic, and `message` the job as JSON, in the
 * form of DescribeJob's response.
 *
 * @since 0.1.0
 * @category models
 */
export interface Notification {
  readonly topic: string
  readonly job: Jobs.JobDescription
  readonly message: string
}

/**
 * Delivers a notification. The emulator does not wait for it.
 *
 * @since 0.1.0
 * @category models
 */
export type Deliver = (notification: Notification) => Effect.Effect<void>

/**
 * The function that delivers notifications. The emulator reads it once, when it is made. By default notifications only
 * appear in the emulator's own `notifications` stream.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { Emulator, Topics } from "effect-glacier/emulator"
 * import { Console, Layer } from "effect"
 *
 * const emulator = Emulator.layerMemory().pipe(
 *   Layer.provide(Layer.succeed(Topics.Topics, ({ message, topic }) => Console.log(topic, message)))
 * )
 */
export class Topics extends Context.Reference<Topics>()("effect-glacier/Topics", {
  defaultValue: (): Deliver => () => Effect.void
}) {}

/**
 * An endpoint of SNS, and the key that requests to it are signed with.
 *
 * @since 0.1.0
 * @category models
 */
export interface SnsOptions {
  readonly endpoint: URL
  readonly key: Pick<Key, "accessKeyId" | "secretAccessKey" | "sessionToken">
}

const contentType = "application/x-www-form-urlencoded"

// An ARN is `arn:partition:sns:region:account:name`. SNS itself rejects topics of any other form.
const regionOf = (topic: string): string => topic.split(":")[3] || "us-east-1"

/**
 * Publishes notifications to an SNS endpoint, signed for the region of the topic. A failed attempt is retried up to 4
 * times; then the failure is logged.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { FetchHttpClient } from "@effect/platform"
 * import { Emulator, Topics } from "effect-glacier/emulator"
 * import { Layer } from "effect"
 *
 * const topics = Topics.layerSns({ endpoint: new URL("http://127.0.0.1:4566"), key: Emulator.defaultKey })
 *
 * const emulator = Emulator.layerMemory().pipe(Layer.provide(topics), Layer.provide(FetchHttpClient.layer))
 */
export const layerSns = ({ endpoint, key }: SnsOptions): Layer.Layer<never, never, HttpClient.HttpClient> =>
  Layer.effect(
    Topics,
    Effect.gen(function*() {
      const client = HttpClient.withTracerPropagation(yield* HttpClient.HttpClient, false)
      const sha256 = Sha256.hashClass(yield* Sha256.Sha256)
      // Thousands of jobs may end at once.
      const connections = yield* Effect.makeSemaphore(16)
      const credentials = {
        accessKeyId: key.accessKeyId,
        secretAccessKey: Redacted.value(key.secretAccessKey),
        ...(key.sessionToken === undefined ? {} : { sessionToken: Redacted.value(key.sessionToken) })
      }

      const publish = Effect.fnUntraced(function*({ message, topic }: Notification) {
        const fields = { Action: "Publish", Version: "2010-03-31", TopicArn: topic, Message: message }
        const body = new URLSearchParams(fields).toString()
        const signingDate = new Date(yield* Clock.currentTimeMillis)
        const signed = yield* Effect.tryPromise(() =>
          new SignatureV4({ credentials, region: regionOf(topic), service: "sns", sha256 }).sign({
            method: "POST",
            protocol: endpoint.protocol,
            hostname: endpoint.hostname,
            path: endpoint.pathname,
            headers: { host: endpoint.host, "content-type": contentType },
            body
          }, { signingDate })
        )
        const { host: _, ...headers } = signed.headers
        const request = HttpClientRequest.post(endpoint).pipe(
          HttpClientRequest.bodyText(body, contentType),
          HttpClientRequest.setHeaders(headers)
        )
        const response = yield* client.execute(request)
        const text = yield* response.text
        if (response.status !== 200) yield* Effect.fail({ message: `SNS responded with ${response.status}: ${text}` })
      })

      return (notification) =>
        publish(notification).pipe(
          Effect.timeout("10 seconds"),
          connections.withPermits(1),
          Effect.retry({ times: 4, schedule: Schedule.exponential("200 millis") }),
          Effect.catchAll(({ message }) =>
            Effect.logWarning(
              `The notification of job ${notification.job.jobId} to ${notification.topic} was not delivered: ${message}`
            )
          )
        )
    })
  )
