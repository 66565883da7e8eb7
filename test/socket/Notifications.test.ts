/** Notifications of the emulator, received through a third-party SNS and SQS. */
import type { Glacier } from "@aws-sdk/client-glacier"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { NodeEmulator } from "../../src/node/index.ts"
import { runEmulator } from "../support/processes.ts"
import * as Queues from "./jobQueue.ts"
import * as Support from "./support.ts"

const { call } = Support

/** A queue that receives the messages of a topic. */
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

/** Expects that a message equals the response of DescribeJob. */
const expectJob = (glacier: Glacier, message: Record<string, unknown>, jobId: string, topic: string) =>
  Effect.gen(function*() {
    expect(message).toMatchObject({ Type: "Notification", TopicArn: topic, Subject: null })
    const job = JSON.parse(String(message["Message"])) as Record<string, unknown>
    const { $metadata: _, ...described } = yield* call(() => glacier.describeJob({ ...photos, jobId }))
    expect(job).toMatchObject({ ...described, Completed: true, StatusMessage: "Succeeded" })
    expect(Object.keys(job)).toEqual(Object.keys(job).sort())
    // Fields that no retrieval has are null.
    expect(job).toMatchObject({ JobOutputPath: null, OutputLocation: null, SelectParameters: null })
  })

describe("notifications", () => {
  it.scopedLive("of the emulator program arrive in a queue", () =>
    Effect.gen(function*() {
      const { endpoint, next, topic } = yield* Queue
      const { port } = yield* runEmulator("--job-delay", "50 millis", "--sns-endpoint", endpoint)
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

  it.scopedLive("of NodeEmulator arrive in a queue if the vault configures them", () =>
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

  it.scopedLive("that cannot be delivered do not delay a job", () =>
    Effect.gen(function*() {
      const emulator = NodeEmulator.layerServer({
        jobDelay: 0,
        // No server listens on port 1.
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
      }).pipe(Effect.scoped, Effect.provide(emulator), Effect.timeout("30 seconds"))
    }), 60_000)
})
