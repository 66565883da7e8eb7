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

/** An archive in a vault of its own. */
const stored = Effect.zipRight(createVault("photos"), upload("photos", text("Welcome to Amazon Glacier.")))

const retrieve = (ArchiveId: string, SNSTopic?: string) =>
  initiateJob("photos", { Type: "archive-retrieval", ArchiveId, SNSTopic })

/** What is told from now on. */
const listen = Effect.gen(function*() {
  const { notifications } = yield* Emulator.Emulator
  const told: Array<Topics.Notification> = []
  yield* Effect.forkScoped(Stream.runForEach(notifications, (one) => Effect.sync(() => told.push(one))))
  yield* TestClock.adjust(0)
  return told
})

const topicsOf = (told: ReadonlyArray<Topics.Notification>) => told.map((one) => one.topic)

/** An emulator and its client. */
const layer = (options?: Emulator.Options) =>
  Emulator.layerHttpClient.pipe(Layer.provideMerge(Emulator.layerMemory(options)), Layer.provide(Support.layerSha256))

describe("jobs that end", () => {
  it.scoped("are told of as DescribeJob shows them, when the clock passes their end", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      const told = yield* listen
      const id = yield* retrieve(archive, topic("job"))
      yield* TestClock.adjust("14399999 millis")
      expect(told).toEqual([])
      yield* TestClock.adjust("1 millis")
      const described = yield* call("GET", `${vault("photos")}/jobs/${id}`)
      expect(told).toMatchObject([{ topic: topic("job"), message: described.text, job: { jobId: id } }])
      expect(described.text).toMatch(
        /^\{"Action":"ArchiveRetrieval","ArchiveId".*"SelectParameters":null,"StatusCode":"Succeeded","StatusMessage":"Succeeded"/
      )
      yield* TestClock.adjust("10 days")
      expect(told).toHaveLength(1)
    }).pipe(Effect.provide(layer())))

  it.scoped("are told of once to the topic of the job and once to that of the vault", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      yield* configure("ArchiveRetrievalCompleted", "InventoryRetrievalCompleted")
      yield* TestClock.adjust("1 day")
      const told = yield* listen
      const both = yield* retrieve(archive, topic("job"))
      const one = yield* retrieve(archive)
      const inventory = yield* initiateJob("photos", { Type: "inventory-retrieval" })
      yield* TestClock.adjust("4 hours")
      expect(told.map(({ job, topic }) => [job.jobId, topic])).toEqual([
        [both, topic("job")],
        [both, topic("vault")],
        [one, topic("vault")],
        [inventory, topic("vault")]
      ])
      for (const { job, message } of told) {
        expect(message).toBe((yield* call("GET", `${vault("photos")}/jobs/${job.jobId}`)).text)
      }
    }).pipe(Effect.provide(layer())))

  it.scoped("are not told of to a vault that did not ask for the event", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      yield* TestClock.adjust("1 day")
      const told = yield* listen
      const end = Effect.gen(function*() {
        yield* retrieve(archive)
        yield* initiateJob("photos", { Type: "inventory-retrieval" })
        yield* TestClock.adjust("4 hours")
        return told.splice(0).map(({ job }) => job.action)
      })
      expect(yield* end).toEqual([])
      yield* configure("ArchiveRetrievalCompleted")
      expect(yield* end).toEqual(["ArchiveRetrieval"])
      yield* configure("InventoryRetrievalCompleted")
      expect(yield* end).toEqual(["InventoryRetrieval"])
    }).pipe(Effect.provide(layer())))

  it.scoped("are told of to who is configured at the end, not at the start", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      const told = yield* listen
      yield* retrieve(archive)
      yield* configure("ArchiveRetrievalCompleted")
      yield* TestClock.adjust("4 hours")
      expect(topicsOf(told)).toEqual([topic("vault")])
      yield* retrieve(archive, topic("job"))
      yield* call("DELETE", configuration)
      yield* TestClock.adjust("4 hours")
      expect(topicsOf(told)).toEqual([topic("vault"), topic("job")])
    }).pipe(Effect.provide(layer())))

  it.scoped("are told of when they failed, and not when their vault is gone", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      const told = yield* listen
      yield* retrieve(archive, topic("job"))
      yield* call("DELETE", `${vault("photos")}/archives/${archive}`)
      yield* TestClock.adjust("4 hours")
      expect(told.map(({ message }) => JSON.parse(message))).toMatchObject([
        { Completed: true, StatusCode: "Failed", StatusMessage: "Failed", CompletionDate: "1970-01-01T04:00:00.000Z" }
      ])
      yield* TestClock.adjust("1 day")
      yield* initiateJob("photos", { Type: "inventory-retrieval", SNSTopic: topic("job") })
      expect((yield* call("DELETE", vault("photos"))).status).toBe(204)
      yield* createVault("photos")
      yield* configure("InventoryRetrievalCompleted")
      yield* TestClock.adjust("4 hours")
      expect(told).toHaveLength(1)
    }).pipe(Effect.provide(layer())))

  it.scoped("are told of at once when they take no time, and never when they take for ever", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      const told = yield* listen
      const expedited = { Type: "archive-retrieval", ArchiveId: archive, Tier: "Expedited", SNSTopic: topic("now") }
      yield* initiateJob("photos", expedited)
      yield* retrieve(archive, topic("never"))
      yield* initiateJob("photos", { ...expedited, Tier: "Bulk", SNSTopic: topic("late") })
      yield* TestClock.adjust(0)
      expect(topicsOf(told)).toEqual([topic("now")])
      yield* TestClock.adjust("59 days")
      expect(topicsOf(told)).toEqual([topic("now")])
      yield* TestClock.adjust("1 day")
      expect(topicsOf(told)).toEqual([topic("now"), topic("late")])
    }).pipe(Effect.provide(layer({ jobDelay: { Expedited: 0, Standard: Infinity, Bulk: "60 days" } }))))

  it.scoped("may be many at once", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      const told = yield* listen
      const ids = yield* Effect.replicateEffect(retrieve(archive, topic("job")), 100)
      yield* TestClock.adjust("4 hours")
      expect(told.map(({ job }) => job.jobId)).toEqual(ids)
    }).pipe(Effect.provide(layer())))

  it.scoped("are told of after a restart, also those that ended meanwhile, but not those that had ended before", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const told: Array<string> = []
      const emulator = Emulator.layerHttpClient.pipe(
        Layer.provide(Emulator.layerFileSystem({ directory })),
        Layer.provide(Layer.succeed(Topics.Topics, ({ topic }) => Effect.sync(() => told.push(topic)))),
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
      expect(told).toEqual([topic("before")])
      yield* TestClock.adjust("2 hours")
      expect(told).toEqual([topic("before")])
      yield* Effect.gen(function*() {
        yield* TestClock.adjust(0)
        expect(told).toEqual([topic("before"), topic("meanwhile")])
        yield* TestClock.adjust("2 hours")
      }).pipe(Effect.provide(emulator))
      expect(told).toEqual([topic("before"), topic("meanwhile"), topic("after")])
    }).pipe(Effect.provide(NodeContext.layer)))

  it.scoped("are told of to all who listen, each from when on he does", () =>
    Effect.gen(function*() {
      const archive = yield* stored
      const first = yield* listen
      yield* retrieve(archive, topic("one"))
      yield* TestClock.adjust("4 hours")
      const second = yield* listen
      yield* retrieve(archive, topic("two"))
      yield* TestClock.adjust("4 hours")
      expect([topicsOf(first), topicsOf(second)]).toEqual([[topic("one"), topic("two")], [topic("two")]])
    }).pipe(Effect.provide(layer())))
})
