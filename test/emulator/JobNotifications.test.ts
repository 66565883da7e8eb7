import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Stream, TestClock } from "effect"
import { Emulator, Topics } from "../../src/emulator/index.ts"
import * as Support from "./support.ts"

const { call, createVault, initiateJob, text, upload, vault } = Support

const topic = (name: string) => `arn:aws:sns:us-east-1:123456789012:${name}`

const configuration = `${vault("photos")}/notification-configuration`

const configure = (...Events: ReadonlyArray<string>) =>
  call("PUT", configuration, { body: JSON.stringify({ SNSTopic: topic("vault"), Events }) })

/** Uploads an archive to a new vault. */
const stored = Effect.zipRight(createVault("photos"), upload("photos", text("Welcome to Amazon Glacier.")))

const retrieve = (ArchiveId: string, SNSTopic?: string) =>
  initiateJob("photos", { Type: "archive-retrieval", ArchiveId, SNSTopic })

/** Collects the notifications that are published from now on. */
const subscribe = Effect.gen(function*() {
  const { notifications } = yield* Emulator.Emulator
  const published: Array<Topics.Notification> = []
  yield* Effect.forkScoped(Stream.runForEach(notifications, (one) => Effect.sync(() => published.push(one))))
  yield* TestClock.adjust(0)
  return published
})

const topicsOf = (published: ReadonlyArray<Topics.Notification>) => published.map((one) => one.topic)

/** An emulator and its client. */
const layer = (options?: Emulator.Options) =>
  Emulator.layerHttpClient.pipe(Layer.provideMerge(Emulator.layerMemory(options)), Layer.provide(Support.layerSha256))

describe("notifications of jobs that end", () => {
  it.scoped("contain the job as DescribeJob returns it, at the time of its end", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      const published = yield* subscribe
      const id = yield* retrieve(archive, topic("job"))
      yield* TestClock.adjust("14399999 millis")
      expect(published).toEqual([])
      yield* TestClock.adjust("1 millis")
      const described = yield* call("GET", `${vault("photos")}/jobs/${id}`)
      expect(published).toMatchObject([{ topic: topic("job"), message: described.text, job: { jobId: id } }])
      expect(described.text).toMatch(
        /^\{"Action":"ArchiveRetrieval","ArchiveId".*"SelectParameters":null,"StatusCode":"Succeeded","StatusMessage":"Succeeded"/
      )
      yield* TestClock.adjust("10 days")
      expect(published).toHaveLength(1)
    }).pipe(Effect.provide(layer())))

  it.scoped("are published once to the job's topic and once to the vault's topic", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      yield* configure("ArchiveRetrievalCompleted", "InventoryRetrievalCompleted")
      yield* TestClock.adjust("1 day")
      const published = yield* subscribe
      const both = yield* retrieve(archive, topic("job"))
      const one = yield* retrieve(archive)
      const inventory = yield* initiateJob("photos", { Type: "inventory-retrieval" })
      yield* TestClock.adjust("4 hours")
      expect(published.map(({ job, topic }) => [job.jobId, topic])).toEqual([
        [both, topic("job")],
        [both, topic("vault")],
        [one, topic("vault")],
        [inventory, topic("vault")]
      ])
      for (const { job, message } of published) {
        expect(message).toBe((yield* call("GET", `${vault("photos")}/jobs/${job.jobId}`)).text)
      }
    }).pipe(Effect.provide(layer())))

  it.scoped("are not published to a vault's topic without the event in its configuration", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      yield* TestClock.adjust("1 day")
      const published = yield* subscribe
      const end = Effect.gen(function*() {
        yield* retrieve(archive)
        yield* initiateJob("photos", { Type: "inventory-retrieval" })
        yield* TestClock.adjust("4 hours")
        return published.splice(0).map(({ job }) => job.action)
      })
      expect(yield* end).toEqual([])
      yield* configure("ArchiveRetrievalCompleted")
      expect(yield* end).toEqual(["ArchiveRetrieval"])
      yield* configure("InventoryRetrievalCompleted")
      expect(yield* end).toEqual(["InventoryRetrieval"])
    }).pipe(Effect.provide(layer())))

  it.scoped("use the vault's configuration at the end of the job, not at its start", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      const published = yield* subscribe
      yield* retrieve(archive)
      yield* configure("ArchiveRetrievalCompleted")
      yield* TestClock.adjust("4 hours")
      expect(topicsOf(published)).toEqual([topic("vault")])
      yield* retrieve(archive, topic("job"))
      yield* call("DELETE", configuration)
      yield* TestClock.adjust("4 hours")
      expect(topicsOf(published)).toEqual([topic("vault"), topic("job")])
    }).pipe(Effect.provide(layer())))

  it.scoped("are published for failed jobs, but not when the vault was deleted", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      const published = yield* subscribe
      yield* retrieve(archive, topic("job"))
      yield* call("DELETE", `${vault("photos")}/archives/${archive}`)
      yield* TestClock.adjust("4 hours")
      expect(published.map(({ message }) => JSON.parse(message))).toMatchObject([
        { Completed: true, StatusCode: "Failed", StatusMessage: "Failed", CompletionDate: "1970-01-01T04:00:00.000Z" }
      ])
      yield* TestClock.adjust("1 day")
      yield* initiateJob("photos", { Type: "inventory-retrieval", SNSTopic: topic("job") })
      expect((yield* call("DELETE", vault("photos"))).status).toBe(204)
      yield* createVault("photos")
      yield* configure("InventoryRetrievalCompleted")
      yield* TestClock.adjust("4 hours")
      expect(published).toHaveLength(1)
    }).pipe(Effect.provide(layer())))

  it.scoped("are published at once without a delay, and never with an infinite delay", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      const published = yield* subscribe
      const expedited = { Type: "archive-retrieval", ArchiveId: archive, Tier: "Expedited", SNSTopic: topic("now") }
      yield* initiateJob("photos", expedited)
      yield* retrieve(archive, topic("never"))
      yield* initiateJob("photos", { ...expedited, Tier: "Bulk", SNSTopic: topic("late") })
      yield* TestClock.adjust(0)
      expect(topicsOf(published)).toEqual([topic("now")])
      yield* TestClock.adjust("59 days")
      expect(topicsOf(published)).toEqual([topic("now")])
      yield* TestClock.adjust("1 day")
      expect(topicsOf(published)).toEqual([topic("now"), topic("late")])
    }).pipe(Effect.provide(layer({ jobDelay: { Expedited: 0, Standard: Infinity, Bulk: "60 days" } }))))

  it.scoped("are published for many jobs that end at once", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      const published = yield* subscribe
      const ids = yield* Effect.replicateEffect(retrieve(archive, topic("job")), 100)
      yield* TestClock.adjust("4 hours")
      expect(published.map(({ job }) => job.jobId)).toEqual(ids)
    }).pipe(Effect.provide(layer())))

  it.scoped("are published after a restart for jobs that ended since, but not for jobs that had ended before", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const published: Array<string> = []
      const emulator = Emulator.layerHttpClient.pipe(
        Layer.provide(Emulator.layerFileSystem({ directory })),
        Layer.provide(Layer.succeed(Topics.Topics, ({ topic }) => Effect.sync(() => published.push(topic)))),
        Layer.provide(Support.layerSha256)
      )
      yield* Effect.gen(function*() {
        const archive = yield* stored
        yield* retrieve(archive, topic("before"))
        yield* TestClock.adjust("2 hours")
        yield* retrieve(archive, topic("meanwhile"))
        yield* TestClock.adjust("3 hours")
        yield* retrieve(archive, topic("after"))
      }).pipe(Effect.provide(emulator))
      expect(published).toEqual([topic("before")])
      yield* TestClock.adjust("2 hours")
      expect(published).toEqual([topic("before")])
      yield* Effect.gen(function*() {
        yield* TestClock.adjust(0)
        expect(published).toEqual([topic("before"), topic("meanwhile")])
        yield* TestClock.adjust("2 hours")
      }).pipe(Effect.provide(emulator))
      expect(published).toEqual([topic("before"), topic("meanwhile"), topic("after")])
    }).pipe(Effect.provide(NodeContext.layer)))

  it.scoped("are published to each subscriber from its subscription on", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      const first = yield* subscribe
      yield* retrieve(archive, topic("one"))
      yield* TestClock.adjust("4 hours")
      const second = yield* subscribe
      yield* retrieve(archive, topic("two"))
      yield* TestClock.adjust("4 hours")
      expect([topicsOf(first), topicsOf(second)]).toEqual([[topic("one"), topic("two")], [topic("two")]])
    }).pipe(Effect.provide(layer())))
})
