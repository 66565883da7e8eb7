/** Waiting for jobs by a queue of SQS, with AWS's own client and a third-party SNS and SQS. */
import { HttpServer } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import type { Scope } from "effect"
import { Deferred, Effect, Fiber, Layer, Logger, Option, Stream, TestClock, TestServices } from "effect"
import { createServer, type Server } from "node:http"
import { afterEach, vi } from "vitest"
import { Emulator } from "../../src/emulator/index.ts"
import { Credentials, Endpoint, JobWaiting, Source, Vault } from "../../src/index.ts"
import { NodeEmulator, NodeGlacier, NodeJobQueue } from "../../src/node/index.ts"
import * as Queues from "./jobQueue.ts"
import { until } from "./support.ts"

const keys = Emulator.defaultKey

const { region } = Queues

/** The message that Glacier sends when a job ends. */
const endedMessage = (jobId: string) =>
  JSON.stringify({
    Action: "ArchiveRetrieval",
    Completed: true,
    CreationDate: "2012-12-02T21:34:42.378Z",
    JobId: jobId,
    StatusCode: "Succeeded",
    VaultARN: "arn:aws:glacier:eu-west-1:123456789012:vaults/photos"
  })

/** The bodies of the messages in the queue, including those that were received but not deleted. */
const remainingBodies = ({ server }: Effect.Effect.Success<ReturnType<typeof Queues.queue>>) => {
  const { inflight = [], ready = [] } = server.inspectQueue("done")?.messages ?? {}
  return [...ready, ...inflight.map(({ message }) => message)].map(({ body }) => body)
}

/** A logger that keeps its messages. */
const recordLogs = () => {
  const logged: Array<string> = []
  const layer = Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ logLevel, message }) => logged.push(`${logLevel.label} ${message}`))
  )
  return { logged, layer }
}

describe("NodeJobQueue", () => {
  afterEach(() => {
    vi.doUnmock("@aws-sdk/client-sqs")
    vi.unstubAllEnvs()
  })

  it.scopedLive.each<[string, Record<string, string>]>([
    ["in SNS's envelope", {}],
    ["raw", { RawMessageDelivery: "true" }]
  ])(
    "ends the waiting for a job by a message %s, and leaves other messages in the queue",
    ([, attributes]) => {
      const { layer, logged } = recordLogs()
      return Effect.gen(function*() {
        const queue = yield* Queues.queue(attributes)
        const { endpoint, queueUrl, sqs, topic } = queue
        const malformed = ["not JSON", "{}"]
        for (const MessageBody of malformed) {
          yield* Effect.promise(() => sqs.sendMessage({ QueueUrl: queueUrl, MessageBody }))
        }
        const emulator = NodeEmulator.layerServer({ jobDelay: "500 millis", snsEndpoint: new URL(endpoint) })
        const endpointOf = Layer.unwrapEffect(
          HttpServer.addressFormattedWith((url) => Effect.succeed(Endpoint.layer({ region, endpoint: url })))
        )
        const client = NodeGlacier.layerClient.pipe(
          Layer.provide(Layer.merge(endpointOf, Credentials.layer(keys))),
          Layer.provide(emulator)
        )
        const waiting = Layer.provide(
          NodeJobQueue.layer({ queueUrl, endpoint, region, keys }),
          // Without polling: only a message can end the waiting.
          JobWaiting.layer(() => Effect.never)
        )
        yield* Effect.gen(function*() {
          const vault = yield* Vault.Vault
          yield* vault.create
          const { archiveId } = yield* vault.upload(Source.bytes(new Uint8Array(10)))
          const retrieve = Effect.flatMap(vault.retrieveArchive(archiveId, { snsTopic: topic }), (job) => job.wait())
          const jobs = yield* Effect.all(Array.from({ length: 12 }, () => retrieve), { concurrency: "unbounded" })
          expect(jobs.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 12 }, () => "Succeeded"))
          yield* until(Effect.sync(() => remainingBodies(queue)), (bodies) => bodies.length === 2)
          expect(remainingBodies(queue).sort()).toEqual(malformed.sort())
        }).pipe(Effect.provide(Vault.layer("photos").pipe(Layer.provide(waiting), Layer.provide(client))))
        expect(logged.filter((line) => /^WARN Message \S+ in the queue is not about a job/.test(line))).toHaveLength(2)
      }).pipe(Effect.provide(layer))
    },
    60_000
  )

  it.scoped("retries when the queue could not be read", () => {
    const { layer, logged } = recordLogs()
    return Effect.gen(function*() {
      const { endpoint, queueUrl, server, sqs } = yield* Queues.queue()
      server.deleteQueue("done", { region })
      const fiber = yield* Effect.fork(Stream.runHead(NodeJobQueue.messages({ queueUrl, endpoint, region, keys })))
      yield* TestServices.provideLive(until(Effect.sync(() => logged), (lines) => lines.length > 0))
      expect(logged).toEqual([expect.stringMatching(/^WARN The queue of ended jobs cannot be read: \w+: /)])
      server.createQueue("done", { region })
      yield* Effect.promise(() => sqs.sendMessage({ QueueUrl: queueUrl, MessageBody: endedMessage("some-job") }))
      yield* TestClock.adjust("30 seconds")
      expect(yield* Fiber.join(fiber)).toMatchObject(Option.some({ jobId: "some-job" }))
    }).pipe(Effect.provide(layer))
  }, 60_000)

  it.scopedLive("takes the region of the queue from its URL", () =>
    Effect.gen(function*() {
      for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) vi.stubEnv(name, undefined)
      const signed = yield* Deferred.make<string>()
      const server = yield* Effect.acquireRelease(
        Effect.async<Server>((resume) => {
          const server = createServer(({ headers }, response) => {
            Deferred.unsafeDone(signed, Effect.succeed(String(headers.authorization)))
            response.writeHead(400).end()
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const address = server.address()
      const endpoint = `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`
      const queueUrl = "https://sqs.ap-south-1.amazonaws.com/123456789012/done"
      const authorization = yield* Effect.raceFirst(
        Stream.runDrain(NodeJobQueue.messages({ queueUrl, endpoint, keys })),
        Deferred.await(signed)
      )
      expect(authorization).toContain("/ap-south-1/sqs/aws4_request")
    }).pipe(Effect.provide(recordLogs().layer)))

  it.scopedLive.each<readonly [queueUrl: string, region: string]>([
    ["https://eu-west-1.queue.amazonaws.com/123456789012/done", "eu-west-1"],
    ["https://queue.amazonaws.com/123456789012/done", "us-east-1"],
    ["http://queue.amazonaws.com/123456789012/done", "us-east-1"],
    ["https://sqs.cn-north-1.amazonaws.com.cn/123456789012/done", "cn-north-1"],
    ["https://cn-north-1.queue.amazonaws.com.cn/123456789012/done", "cn-north-1"],
    ["https://sqs.us-gov-west-1.amazonaws.com/123456789012/done", "us-gov-west-1"],
    ["https://sqs-fips.us-west-2.amazonaws.com/123456789012/done", "us-west-2"],
    ["https://sqs.eu-central-1.api.aws/123456789012/done", "eu-central-1"],
    ["https://sqs-fips.us-east-2.api.aws/123456789012/done", "us-east-2"],
    ["https://sqs.cn-northwest-1.api.amazonwebservices.com.cn/123456789012/done", "cn-northwest-1"],
    ["https://vpce-0a1b2c3d-4e5f.sqs.ap-south-1.vpce.amazonaws.com/123456789012/done", "ap-south-1"],
    ["https://vpce-0a1b-us-east-2a.sqs.us-east-2.vpce.amazonaws.com/123456789012/done", "us-east-2"],
    ["https://sqs.us-iso-east-1.c2s.ic.gov/123456789012/done", "us-iso-east-1"],
    ["https://us-isob-east-1.queue.sc2s.sgov.gov/123456789012/done", "us-isob-east-1"],
    ["https://SQS.EU-West-1.amazonaws.com:443/123456789012/done", "eu-west-1"]
  ])(
    "signs for the region that %s names, and ignores the environment",
    ([queueUrl, region]) =>
      Effect.gen(function*() {
        vi.stubEnv("AWS_REGION", "sa-east-1")
        const signer = vi.fn<(options: { readonly region: string }) => void>()
        vi.doMock("@aws-sdk/client-sqs", () => ({
          SQS: class {
            constructor(options: { readonly region: string }) {
              signer(options)
            }
            receiveMessage = () => new Promise(() => {})
            destroy = () => {}
          }
        }))
        yield* Layer.build(NodeJobQueue.layer({ queueUrl, keys }))
        expect(signer.mock.calls.map(([options]) => options.region)).toEqual([region])
      })
  )

  it.scopedLive.each([
    "https://sqs.amazonaws.com/123456789012/done",
    "https://sqs.eu-west-1.amazonaws.com.cn/123456789012/done",
    "https://sqs.eu-west-1.amazonaws.com.example.com/123456789012/done",
    "https://sqs.eu-west-1.vpce.amazonaws.com/123456789012/done",
    "https://queues.example.com/123456789012/done",
    "http://127.0.0.1:4566/000000000000/done",
    "arn:aws:sqs:eu-west-1:123456789012:done",
    "done",
    ""
  ])("rejects %s at once unless the region is given", (queueUrl) =>
    Effect.gen(function*() {
      vi.stubEnv("AWS_REGION", "eu-west-1")
      for (
        const rejected of [
          Layer.build(NodeJobQueue.layer({ queueUrl, keys })),
          Stream.runDrain(NodeJobQueue.messages({ queueUrl, keys }))
        ]
      ) {
        const error = yield* Effect.flip<unknown, NodeJobQueue.JobQueueError, Scope.Scope>(rejected)
        expect(error).toMatchObject({
          _tag: "JobQueueError",
          message: `The queue URL ${JSON.stringify(queueUrl)} in \`queueUrl\` names no region; write it as ` +
            "https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, or give the `region` of the queue as well"
        })
      }
      yield* Layer.build(NodeJobQueue.layer({ queueUrl, keys, region: "eu-west-1", endpoint: "http://127.0.0.1:9" }))
    }).pipe(Effect.provide(recordLogs().layer)))

  it.scoped("logs at most once a minute that the queue cannot be read", () => {
    const { layer, logged } = recordLogs()
    vi.doMock("@aws-sdk/client-sqs", () => ({
      SQS: class {
        receiveMessage = () => Promise.reject(new Error("no such queue"))
        destroy = () => {}
      }
    }))
    return Effect.gen(function*() {
      const queueUrl = "https://sqs.eu-west-1.amazonaws.com/123456789012/done"
      yield* Effect.fork(Stream.runDrain(NodeJobQueue.messages({ queueUrl, keys })))
      yield* TestServices.provideLive(until(Effect.sync(() => logged), (lines) => lines.length > 0))
      for (let half = 0; half < 10; half++) yield* TestClock.adjust("30 seconds")
      expect(logged).toHaveLength(6)
      expect(new Set(logged)).toEqual(
        new Set([
          "WARN The queue of ended jobs cannot be read: Error: no such queue. The next attempt starts in 30 seconds"
        ])
      )
    }).pipe(Effect.provide(layer))
  })

  it.scopedLive("names the package to install when AWS's client is missing", () =>
    Effect.gen(function*() {
      vi.doMock("@aws-sdk/client-sqs", () => Promise.reject(new Error("Cannot find package")))
      const options = { queueUrl: "https://sqs.eu-west-1.amazonaws.com/123456789012/done" }
      for (
        const missing of [Layer.build(NodeJobQueue.layer(options)), Stream.runDrain(NodeJobQueue.messages(options))]
      ) {
        const error = yield* Effect.flip<unknown, NodeJobQueue.JobQueueError, Scope.Scope>(missing)
        expect(error).toMatchObject({ _tag: "JobQueueError", message: expect.stringContaining("@aws-sdk/client-sqs") })
      }
    }))
})
