/** Notifications through an SNS and an SQS that others wrote. */
import type { Glacier } from "@aws-sdk/client-glacier"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { NodeEmulator } from "../../src/node/index.ts"
import * as Queues from "./queue.ts"
import * as Support from "./support.ts"

const { call } = Support

/** A queue that is told of what is published to a topic. */
class Queue extends Context.Tag("test/Queue")<Queue, {
  readonly endpoint: string
  readonly topic: string
  readonly next: Effect.Effect<Record<string, unknown>>
}>() {}

const queue = Layer.scoped(
  Queue,
  Effect.gen(function*() {
    const { endpoint, queueUrl: QueueUrl, sqs, topic } = yield* Queues.queue()
    const next = Effect.promise(async () => {
      const { Messages } = await sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20 })
      const [{ Body = "{}", ReceiptHandle } = {}] = Messages ?? []
      await sqs.deleteMessage({ QueueUrl, ReceiptHandle })
      return JSON.parse(Body) as Record<string, unknown>
    })
    return { endpoint, topic, next }
  })
)

const photos = { accountId: "-", vaultName: "photos" }

/** Checks that a message is what DescribeJob says. */
const expectJob = (glacier: Glacier, message: Record<string, unknown>, jobId: string, topic: string) =>
  Effect.gen(function*() {
    expect(message).toMatchObject({ Type: "Notification", TopicArn: topic, Subject: null })
    const job = JSON.parse(String(message["Message"])) as Record<string, unknown>
    const { $metadata: _, ...described } = yield* call(() => glacier.describeJob({ ...photos, jobId }))
    expect(job).toMatchObject({ ...described, Completed: true, StatusMessage: "Succeeded" })
    expect(Object.keys(job)).toEqual(Object.keys(job).sort())
    // What applies to no retrieval is there as well.
    expect(job).toMatchObject({ JobOutputPath: null, OutputLocation: null, SelectParameters: null })
  })

describe("notifications", () => {
  it.scopedLive("of the program arrive in a queue", () =>
    Effect.gen(function*() {
      const { endpoint, next, topic } = yield* Queue
      const { port } = yield* Support.runEmulator("--job-delay", "50 millis", "--sns-endpoint", endpoint)
      const glacier = yield* Support.sdk(port)
      yield* call(() => glacier.createVault(photos))
      const { archiveId } = yield* call(() => glacier.uploadArchive({ ...photos, body: Buffer.from("bytes") }))
      const jobParameters = {
        Type: "archive-retrieval",
        ArchiveId: archiveId,
        SNSTopic: topic,
        Description: "a & = +%"
      }
      const { jobId } = yield* call(() => glacier.initiateJob({ ...photos, jobParameters }))
      yield* expectJob(glacier, yield* next, jobId!, topic)
    }).pipe(Effect.provide(queue)), 60_000)

  it.scopedLive("of NodeEmulator arrive in a queue, also those the vault asks for", () =>
    Effect.gen(function*() {
      const { endpoint, next, topic } = yield* Queue
      const emulator = NodeEmulator.layerServer({
        jobDelay: 0,
        inventoryDelay: 0,
        snsEndpoint: new URL(endpoint)
      })
      yield* Effect.gen(function*() {
        const glacier = yield* Effect.flatMap(Support.port, Support.sdk)
        yield* call(() => glacier.createVault(photos))
        yield* call(() => glacier.uploadArchive({ ...photos, body: Buffer.from("bytes") }))
        yield* call(() =>
          glacier.setVaultNotifications({
            ...photos,
            vaultNotificationConfig: { SNSTopic: topic, Events: ["InventoryRetrievalCompleted"] }
          })
        )
        const { jobId } = yield* call(() =>
          glacier.initiateJob({ ...photos, jobParameters: { Type: "inventory-retrieval" } })
        )
        yield* expectJob(glacier, yield* next, jobId!, topic)
      }).pipe(Effect.scoped, Effect.provide(emulator))
    }).pipe(Effect.provide(queue)), 60_000)

  it.scopedLive("that cannot be delivered keep nobody waiting", () =>
    Effect.gen(function*() {
      const emulator = NodeEmulator.layerServer({
        jobDelay: 0,
        // Nothing listens there.
        snsEndpoint: new URL("http://127.0.0.1:1")
      })
      yield* Effect.gen(function*() {
        const glacier = yield* Effect.flatMap(Support.port, Support.sdk)
        yield* call(() => glacier.createVault(photos))
        const { archiveId } = yield* call(() => glacier.uploadArchive({ ...photos, body: Buffer.from("bytes") }))
        const jobParameters = {
          Type: "archive-retrieval",
          ArchiveId: archiveId,
          SNSTopic: "arn:aws:sns:nowhere:000000000000:none"
        }
        const { jobId } = yield* call(() => glacier.initiateJob({ ...photos, jobParameters }))
        expect(yield* call(() => glacier.describeJob({ ...photos, jobId: jobId! }))).toMatchObject({ Completed: true })
      }).pipe(Effect.scoped, Effect.provide(emulator), Effect.timeout("5 seconds"))
    }), 30_000)
})
