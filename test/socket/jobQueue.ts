/** A third-party SNS with a topic, and a third-party SQS with a queue that subscribes to the topic. */
import { SQS } from "@aws-sdk/client-sqs"
import { Effect } from "effect"
import { startFauxqs } from "fauxqs"
import * as Support from "./support.ts"

export const region = "eu-west-1"

/** Starts both services. Returns the addresses of the topic and the queue, and a client of the queue. */
export const queue = (attributes: Record<string, string> = {}) =>
  Effect.gen(function*() {
    const server = yield* Effect.acquireRelease(
      Effect.promise(() => startFauxqs({ port: 0, host: "127.0.0.1", logger: false })),
      (server) => Effect.promise(() => server.stop())
    )
    const endpoint = `http://127.0.0.1:${server.port}`
    const { topicArn } = server.createTopic("done", { region })
    server.createQueue("done", { region })
    server.subscribe({ topic: "done", queue: "done", region, attributes })
    const sqs = yield* Effect.acquireRelease(
      Effect.sync(() => new SQS({ endpoint, region, credentials: Support.defaultKey })),
      (sqs) => Effect.sync(() => sqs.destroy())
    )
    const { QueueUrl } = yield* Effect.promise(() => sqs.getQueueUrl({ QueueName: "done" }))
    return { server, endpoint, topic: topicArn, sqs, queueUrl: QueueUrl ?? "" }
  })
