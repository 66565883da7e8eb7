/**
 * Waits for jobs by messages: Glacier publishes them to an SNS topic, and the program reads them from an SQS queue that
 * subscribes to the topic. Runs against the emulator over HTTP, with `fauxqs` in place of SNS and SQS.
 *
 *     node --import tsx examples/wait-by-notification.ts
 */
import { NodeRuntime } from "@effect/platform-node"
import { Clock, Console, Effect, Layer } from "effect"
import { JobWaiting, Source, Vault } from "effect-glacier"
import { Emulator } from "effect-glacier/emulator"
import { NodeEmulator, NodeJobQueue } from "effect-glacier/node"
import { startFauxqs } from "fauxqs"

const region = "us-east-1"

/** Creates a topic, and a queue that subscribes to it. */
const messaging = Effect.gen(function*() {
  const server = yield* Effect.acquireRelease(
    Effect.promise(() => startFauxqs({ port: 0, host: "127.0.0.1", logger: false })),
    (server) => Effect.promise(() => server.stop())
  )
  const { topicArn } = server.createTopic("done", { region })
  const { queueUrl } = server.createQueue("done", { region })
  server.subscribe({ topic: "done", queue: "done", region })
  return { endpoint: `http://127.0.0.1:${server.port}`, topicArn, queueUrl }
})

const program = (topicArn: string) =>
  Effect.gen(function*() {
    const vault = yield* Vault.Vault
    yield* vault.create
    const retrieve = (bytes: number) =>
      Effect.gen(function*() {
        const { archiveId } = yield* vault.upload(Source.bytes(new Uint8Array(bytes)))
        const job = yield* vault.retrieveArchive(archiveId, { snsTopic: topicArn })
        const start = yield* Clock.currentTimeMillis
        const { statusCode } = yield* job.wait()
        const waited = (yield* Clock.currentTimeMillis) - start
        yield* Console.log(`${bytes} bytes: ${statusCode} after ${waited < 30_000 ? "a moment" : "too long"}`)
      })
    yield* Effect.all([retrieve(1_000), retrieve(2_000)])
  })

Effect.gen(function*() {
  const { endpoint, queueUrl, topicArn } = yield* messaging
  // If a message is lost, one list request polls all jobs of the vault. It is rare here, so that the message ends the wait.
  const waiting = NodeJobQueue.layer({ queueUrl, endpoint, region, keys: Emulator.defaultKey }).pipe(
    Layer.provide(JobWaiting.layerShared({ every: "1 hour" }))
  )
  const emulator = NodeEmulator.layer({ jobDelay: "2 seconds", snsEndpoint: new URL(endpoint) })
  const vault = Vault.layer("wait-by-notification").pipe(Layer.provide(waiting), Layer.provide(emulator))
  yield* Effect.provide(program(topicArn), vault)
}).pipe(Effect.scoped, NodeRuntime.runMain)
