import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Timeouts from "../../src/policy/Timeouts.ts"
import { AttemptTimeout, ConnectionError } from "../../src/protocol/GlacierError.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import type * as Job from "../../src/services/Job.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Support from "../transfer/support.ts"
import { layer } from "./support.ts"

const { mebibyte, pattern, promptly } = Support

const all = <A, E, R>(stream: Stream.Stream<A, E, R>) => Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

/** The archives that the inventory of a job lists. */
const listed = (job: Job.Service) => Effect.flatMap(job.inventory, ({ archives }) => all(archives()))

describe("Vault", () => {
  it.effect("is created, described and deleted", () =>
    Effect.gen(function*() {
      const vault = yield* Vault.make("music")
      expect(yield* Effect.flip(vault.describe)).toBeInstanceOf(ServiceError.VaultNotFound)
      yield* TestClock.setTime(Date.UTC(2012, 4, 1))
      yield* vault.create
      yield* vault.create
      expect(yield* vault.describe).toMatchObject({
        vaultName: "music",
        creationDate: DateTime.unsafeMake("2012-05-01T00:00:00Z"),
        lastInventoryDate: Option.none(),
        vaultArn: "arn:aws:glacier:us-east-1:123456789012:vaults/music"
      })
      yield* vault.delete
      yield* vault.delete
      expect(yield* Effect.flip(vault.describe)).toBeInstanceOf(ServiceError.VaultNotFound)
    }).pipe(Effect.provide(layer())))

  it.effect("distinguishes a missing vault from a vault without an inventory", () =>
    Effect.gen(function*() {
      const vault = yield* Vault.make("music")
      expect(yield* Effect.flip(vault.retrieveInventory())).toBeInstanceOf(ServiceError.VaultNotFound)
      yield* vault.create
      expect(yield* Effect.flip(vault.retrieveInventory())).toMatchObject({
        _tag: "InventoryNotReady",
        message: expect.stringMatching(/vaults\/music \(.*about a day after the first upload; try again then\)$/)
      })
    }).pipe(Effect.provide(layer())))

  it.effect("cannot be deleted before an inventory shows it empty", () =>
    Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const { archiveId } = yield* vault.upload(Source.bytes(pattern(1)))
      yield* TestClock.adjust("1 day")
      expect(yield* Effect.flip(vault.delete)).toBeInstanceOf(ServiceError.VaultNotEmpty)
      yield* vault.deleteArchive(archiveId)
      yield* vault.deleteArchive(archiveId)
      expect(yield* Effect.flip(vault.delete)).toBeInstanceOf(ServiceError.VaultNotEmpty)
      yield* TestClock.adjust("1 day")
      yield* vault.delete
    }).pipe(Effect.provide(layer())))

  it.effect("stores archives, which its next inventory shows", () =>
    Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const small = yield* vault.upload(Source.bytes(pattern(5)), { description: "small" })
      const large = yield* vault.upload(Source.bytes(pattern(2 * mebibyte + 1)), { partSize: mebibyte })
      expect([small.parts, large.parts]).toEqual([1, 3])
      yield* TestClock.adjust("1 day")
      expect(yield* vault.describe).toMatchObject({ numberOfArchives: Option.some(2) })
      const job = yield* vault.retrieveInventory()
      yield* TestClock.adjust("4 hours")
      expect(yield* listed(job)).toMatchObject([
        { archiveId: small.archiveId, description: "small", size: 5, treeHash: small.treeHash },
        { archiveId: large.archiveId, description: "", size: 2 * mebibyte + 1, treeHash: large.treeHash }
      ])
    }).pipe(Effect.provide(layer())))

  it.effect("passes the options of a retrieval to the service", () =>
    Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const bytes = pattern(3 * mebibyte)
      const { archiveId } = yield* vault.upload(Source.bytes(bytes))
      const whole = yield* vault.retrieveArchive(archiveId)
      const range = { start: mebibyte, end: 2 * mebibyte - 1 }
      const part = yield* vault.retrieveArchive(archiveId, {
        range,
        tier: "Bulk",
        description: "the second MiB",
        snsTopic: "arn:aws:sns:us-east-1:123456789012:done"
      })
      expect(yield* whole.describe).toMatchObject({
        action: "ArchiveRetrieval",
        archiveId: Option.some(archiveId),
        retrievalByteRange: Option.some({ start: 0, end: bytes.length - 1 }),
        tier: Option.some("Standard"),
        // The description identifies the job after a lost response.
        jobDescription: Option.some(expect.stringMatching(/^effect-glacier:/))
      })
      expect(yield* part.describe).toMatchObject({
        retrievalByteRange: Option.some(range),
        tier: Option.some("Bulk"),
        jobDescription: Option.some("the second MiB"),
        snsTopic: Option.some("arn:aws:sns:us-east-1:123456789012:done")
      })
      yield* TestClock.adjust("4 hours")
      expect(Support.same(yield* Support.collect(whole.output()), bytes)).toBe(true)
      expect(Support.same(yield* Support.collect(part.output()), bytes.subarray(mebibyte, 2 * mebibyte))).toBe(true)
    }).pipe(Effect.provide(layer())))

  it.effect("retrieves a page of its inventory, and the next page by its marker", () =>
    Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const ids: Array<string> = []
      for (const size of [1, 2, 3, 4]) {
        ids.push((yield* vault.upload(Source.bytes(pattern(size)))).archiveId)
        yield* TestClock.adjust("1 hour")
      }
      yield* TestClock.adjust("1 day")
      const selection = { startDate: DateTime.unsafeMake(3_600_000), limit: 2 }
      const job = yield* vault.retrieveInventory({ description: "from 1 o'clock", selection })
      yield* TestClock.adjust("4 hours")
      const described = yield* job.describe
      expect(described).toMatchObject({ action: "InventoryRetrieval", jobDescription: Option.some("from 1 o'clock") })
      expect((yield* listed(job)).map(({ archiveId }) => archiveId)).toEqual(ids.slice(1, 3))
      const marker = Option.flatMap(described.inventoryRetrievalParameters, ({ marker }) => marker)
      const rest = yield* vault.retrieveInventory({ selection: { marker: Option.getOrUndefined(marker) } })
      yield* TestClock.adjust("4 hours")
      expect((yield* listed(rest)).map(({ archiveId }) => archiveId)).toEqual(ids.slice(3))
    }).pipe(Effect.provide(layer())))

  it.effect("lists all or selected jobs over all pages", () =>
    Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const { archiveId } = yield* vault.upload(Source.bytes(pattern(1)))
      const retrieve = Effect.map(vault.retrieveArchive(archiveId), ({ id }) => id)
      const early = yield* Effect.replicateEffect(retrieve, 51)
      yield* TestClock.adjust("4 hours")
      const late = yield* retrieve
      const ids = (filter?: Parameters<typeof vault.jobs>[0]) =>
        Effect.map(all(vault.jobs(filter)), (jobs) => jobs.map(({ jobId }) => jobId).sort())
      expect(yield* ids()).toEqual([...early, late].sort())
      expect(yield* ids({ completed: true })).toEqual(early.sort())
      expect(yield* ids({ completed: false })).toEqual([late])
      expect(yield* ids({ statusCode: "InProgress" })).toEqual([late])
      expect(yield* ids({ statusCode: "Failed" })).toEqual([])
    }).pipe(Effect.provide(layer())))

  it.effect("lists its open uploads", () =>
    Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const glacier = yield* GlacierClient
      expect(yield* all(vault.uploads)).toEqual([])
      const { uploadId } = yield* glacier.initiateMultipartUpload({
        ...Support.address,
        partSize: mebibyte,
        description: "open"
      })
      expect(yield* all(vault.uploads)).toMatchObject([
        { uploadId, partSize: mebibyte, archiveDescription: Option.some("open") }
      ])
    }).pipe(Effect.provide(layer())))

  it.effect("finds old uploads over all pages, to abort them", () =>
    Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const glacier = yield* GlacierClient
      const open = Effect.map(
        glacier.initiateMultipartUpload({ ...Support.address, partSize: mebibyte }),
        ({ uploadId }) => uploadId
      )
      const old = yield* Effect.replicateEffect(open, 51)
      yield* TestClock.adjust("2 hours")
      const young = yield* open
      yield* TestClock.adjust("1 hour")
      expect(yield* all(vault.abandonedUploads("4 hours"))).toEqual([])
      expect((yield* all(vault.abandonedUploads("0 millis"))).map(({ uploadId }) => uploadId)).toEqual([...old, young])
      const dropped = yield* all(Stream.tap(
        vault.abandonedUploads("3 hours"),
        ({ uploadId }) => vault.abortUpload(uploadId)
      ))
      expect(dropped.map(({ uploadId }) => uploadId)).toEqual(old)
      expect((yield* all(vault.uploads)).map(({ uploadId }) => uploadId)).toEqual([young])
    }).pipe(Effect.provide(layer())))

  it.effect("uploads a Stream, resumes an upload by its id, and accepts writes chunk by chunk", () =>
    Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const bytes = pattern(2.5 * mebibyte)
      const { treeHash } = yield* vault.upload(Source.bytes(bytes))
      const partSize = mebibyte
      const torn = Stream.concat(Stream.make(bytes), Stream.fail("torn" as const))
      const resumed = yield* vault.upload(Source.stream(torn), { partSize, onFailure: "keep" }).pipe(
        Effect.catchTag("UploadKept", ({ cause, uploadId }) => {
          expect(cause).toBe("torn")
          return vault.resumeUpload(uploadId, Source.stream(Stream.make(bytes)))
        })
      )
      expect(resumed).toMatchObject({ parts: 3, treeHash })
      expect(yield* Stream.run(Stream.make(bytes), vault.sink({ partSize }))).toMatchObject({ parts: 3, treeHash })
      yield* Effect.scoped(Effect.gen(function*() {
        const uploader = yield* vault.uploader({ partSize })
        yield* uploader.write(bytes)
        expect(yield* uploader.treeHash).toBe(treeHash)
        expect(yield* uploader.close).toMatchObject({ parts: 3, treeHash })
      }))
      expect(yield* all(vault.uploads)).toEqual([])
    }).pipe(Effect.provide(layer())))

  it.effect("makes a job from an id without a request, and rejects an invalid id", () => {
    const { change, sent } = Support.recording()
    return Effect.gen(function*() {
      const vault = yield* Vault.Vault
      expect((yield* vault.job("some")).id).toBe("some")
      expect(yield* Effect.flip(vault.job("no/id"))).toMatchObject({ _tag: "InvalidInput", field: "jobId" })
      expect(sent).toEqual([])
    }).pipe(Effect.provide(layer(change)))
  })

  it.effect("sends the account id of a vault of another account", () => {
    const { change, sent } = Support.recording()
    return Effect.gen(function*() {
      const vault = yield* Vault.make("photos", { accountId: "123456789012" })
      yield* vault.describe
      const { archiveId } = yield* vault.upload(Source.bytes(pattern(1)))
      const job = yield* vault.retrieveArchive(archiveId)
      yield* TestClock.adjust("4 hours")
      yield* Support.collect(job.output())
      expect(sent).toHaveLength(5)
      expect(sent.filter((line) => !line.includes(" /123456789012/vaults/photos"))).toEqual([])
    }).pipe(Effect.provide(layer(change)))
  })

  it.effect("keeps the client it was made with", () => {
    const { change, sent } = Support.recording()
    const other = Support.recording()
    return Effect.gen(function*() {
      const vault = yield* Effect.provide(Vault.Vault, layer(change, { jobDelay: 0 }))
      yield* Effect.gen(function*() {
        yield* vault.describe
        yield* vault.upload(Source.bytes(pattern(2 * mebibyte)), { partSize: mebibyte })
        const { archiveId } = yield* vault.upload(Source.bytes(pattern(1)))
        const job = yield* vault.retrieveArchive(archiveId)
        yield* Support.collect(job.output())
        expect(yield* all(vault.jobs())).toHaveLength(1)
        expect(yield* all(vault.uploads)).toEqual([])
      }).pipe(Effect.provide(Support.layer(other.change)))
      expect(sent).toHaveLength(11)
      expect(other.sent).toEqual([])
    })
  })

  it.effect.each<[string, string, string | undefined]>([
    ["vaultName", "", undefined],
    ["vaultName", "a/b", undefined],
    ["vaultName", "..", undefined],
    ["vaultName", "a".repeat(256), undefined],
    ["accountId", "photos", "1234-5678-9012"]
  ])("rejects the %s %j", ([field, name, accountId]) => {
    const { change, sent } = Support.recording()
    return Effect.gen(function*() {
      const error = yield* Effect.flip(Layer.build(Vault.layer(name, { accountId })))
      expect(error).toMatchObject({ _tag: "InvalidInput", operation: "vault", field })
      expect(sent).toEqual([])
    }).pipe(Effect.scoped, Effect.provide(Support.layer(change)))
  })

  it.effect("rejects a range that is not aligned to MiB, before a request if the size is known", () => {
    const { change, sent } = Support.recording()
    return Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const size = 2 * mebibyte + 5
      const { archiveId } = yield* vault.upload(Source.bytes(pattern(size)))
      sent.length = 0
      const rejection = (options: Vault.RetrieveArchive) => Effect.flip(vault.retrieveArchive(archiveId, options))
      const late = { start: mebibyte, end: 2 * mebibyte }
      const rejected = [
        yield* rejection({ range: { start: 1, end: mebibyte - 1 }, reuse: 0 }),
        yield* rejection({ range: late, size }),
        yield* rejection({ range: { start: 0, end: size }, size })
      ]
      expect(rejected.map(({ message }) => message)).toEqual([
        "InitiateJob: parameters.retrievalByteRange must start on a MiB, and end before one or at the end of the archive, " +
        "but is {\"start\":1,\"end\":1048575}",
        "retrieveArchive: range must start on a MiB, and end before one or at the end of the archive, which has 2097157 " +
        "bytes, but is {\"start\":1048576,\"end\":2097152}",
        "retrieveArchive: range must start on a MiB, and end before one or at the end of the archive, which has 2097157 " +
        "bytes, but is {\"start\":0,\"end\":2097157}"
      ])
      expect(sent).toEqual([])
      // Only the service knows the size of this archive.
      expect(yield* rejection({ range: late })).toBeInstanceOf(ServiceError.RangeNotAligned)
      yield* vault.retrieveArchive(archiveId, { range: { start: mebibyte, end: size - 1 }, size })
    }).pipe(Effect.provide(layer(change)))
  })

  it.effect("rejects invalid options before it waits for the budget", () => {
    const limits = RetrievalBudget.layerWith({ bytesPerDay: 3 * mebibyte })
    return Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const { archiveId } = yield* vault.upload(Source.bytes(pattern(3 * mebibyte)))
      yield* vault.retrieveArchive(archiveId, { size: 3 * mebibyte })
      const next = yield* Effect.flip(vault.retrieveArchive(archiveId, { size: 3 * mebibyte, description: "é" }))
      expect(next).toMatchObject({ _tag: "InvalidInput", field: "parameters.description" })
    }).pipe(
      Effect.provide(layer()),
      Effect.provide(Layer.orDie(Layer.provide(limits, Layer.fresh(KeyValueStore.layerMemory))))
    )
  })
})

describe("A retrieval budget", () => {
  const budget = (options: RetrievalBudget.Options) =>
    Layer.orDie(Layer.provide(RetrievalBudget.layerWith(options), Layer.fresh(KeyValueStore.layerMemory)))

  it.effect("limits the retrievals of a vault by the size or the range", () =>
    Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const size = 3 * mebibyte
      const { archiveId } = yield* vault.upload(Source.bytes(pattern(size)))
      const range = { start: mebibyte, end: 2 * mebibyte - 1 }
      yield* vault.retrieveArchive(archiveId, { size })
      yield* vault.retrieveArchive(archiveId, { size, range, tier: "Bulk" })
      for (const options of [{ range }, { size }, { size, tier: "Bulk" }] as const) {
        const asked = "range" in options ? mebibyte : size
        const error = yield* Effect.flip(vault.retrieveArchive(archiveId, options))
        expect(error).toMatchObject({ _tag: "BudgetExceeded", cap: "bytesPerHour", left: 0, asked })
      }
      // An inventory has no bytes.
      yield* TestClock.adjust("1 day")
      yield* vault.retrieveArchive(archiveId, { size })
      yield* vault.retrieveArchive(archiveId, { range })
      yield* vault.retrieveInventory()
      // A budget provided around a call takes precedence.
      yield* Effect.provideService(
        vault.retrieveArchive(archiveId),
        RetrievalBudget.RetrievalBudget,
        RetrievalBudget.none
      )
      expect((yield* all(vault.jobs())).length).toBe(6)
    }).pipe(
      Effect.provide(layer()),
      Effect.provide(budget({ bytesPerHour: 4 * mebibyte, onExhausted: "fail" }))
    ))

  it.effect("with a cap rejects an archive without a size or range, before any request", () => {
    const { change, sent } = Support.recording()
    return Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const error = yield* Effect.flip(vault.retrieveArchive("a"))
      expect(error).toMatchObject({ _tag: "InvalidInput", field: "bytes of archive a", value: "undefined" })
      // A size of 0 does not pass as an inventory, which has no bytes.
      expect(yield* Effect.flip(vault.retrieveArchive("a", { size: 0 }))).toMatchObject({
        _tag: "InvalidInput",
        field: "size"
      })
      expect(sent).toEqual([])
    }).pipe(Effect.provide(layer(change)), Effect.provide(budget({ bytesPerDay: mebibyte })))
  })
})

describe("A policy", () => {
  /** A vault that never responds: it loses each request, or stays silent. Records the attempts. */
  const broken = (loses: boolean) => {
    const { change, sent } = Support.recording()
    const disturbed: Support.Change = (send, request) =>
      Effect.zipRight(Effect.sync(() => change(send, request)), loses ? Support.lost(request) : Effect.never)
    return { sent, client: Support.layer(disturbed) }
  }

  const policy = RetryPolicy.layer(promptly(2))

  const describing = Effect.flatMap(Vault.Vault, (vault) => Effect.flip(vault.describe))

  it.effect.each<
    [string, number, (client: ReturnType<typeof Support.layer>) => Effect.Effect<unknown, unknown>]
  >([
    [
      "around one call",
      4,
      (client) =>
        describing.pipe(
          Effect.provideService(RetryPolicy.RetryPolicy, promptly(3)),
          Effect.provide(Vault.layer("photos")),
          Effect.provide(client)
        )
    ],
    [
      "around the program",
      3,
      (client) => describing.pipe(Effect.provide(Vault.layer("photos")), Effect.provide(client), Effect.provide(policy))
    ],
    [
      "by a Layer below the client",
      3,
      (client) =>
        describing.pipe(
          Effect.provide(Vault.layer("photos")),
          Effect.provide(Layer.provide(client, policy))
        )
    ],
    [
      "by a Layer below the vault",
      3,
      (client) =>
        describing.pipe(
          Effect.provide(Layer.provide(Vault.layer("photos"), policy)),
          Effect.provide(client)
        )
    ],
    [
      "around one call, in preference to a Layer",
      1,
      (client) =>
        describing.pipe(
          Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none),
          Effect.provide(Layer.provide(Vault.layer("photos"), policy)),
          Effect.provide(Layer.provide(client, policy))
        )
    ]
  ])("of retries applies when it is provided %s", ([, attempts, run]) => {
    const { client, sent } = broken(true)
    return Effect.gen(function*() {
      expect(yield* run(client)).toBeInstanceOf(ConnectionError)
      expect(sent).toHaveLength(attempts)
    })
  })

  it.scoped("of retries applies to an uploader, around its writes or below its vault", () => {
    const { change, sent } = Support.recording()
    const losing: Support.Change = (send, request) =>
      Effect.zipRight(Effect.sync(() => change(send, request)), request.method === "PUT" ? Support.lost(request) : send)
    return Effect.gen(function*() {
      const vault = yield* Effect.provide(Vault.Vault, Layer.provide(Vault.layer("photos"), policy))
      const parts = Effect.sync(() => sent.filter((line) => line.startsWith("PUT ")).length)
      const written = Effect.gen(function*() {
        sent.length = 0
        const uploader = yield* vault.uploader({ partSize: mebibyte })
        yield* uploader.write(pattern(1.5 * mebibyte))
        expect(yield* Effect.flip(uploader.treeHash.pipe(Effect.zipRight(uploader.close)))).toBeInstanceOf(
          ConnectionError
        )
        return yield* parts
      })
      // At most this many attempts for each of two parts, and all of them for one part.
      expect(yield* written).toSatisfy((n: number) => n >= 3 && n <= 6)
      expect(yield* Effect.provideService(written, RetryPolicy.RetryPolicy, RetryPolicy.none)).toSatisfy(
        (n: number) => n >= 1 && n <= 2
      )
    }).pipe(Effect.provide(Support.layer(losing)))
  })

  it.effect("of retries applies to the output of a job", () =>
    Effect.gen(function*() {
      let asked = 0
      const cut = Support.replacing((glacier) => ({
        getJobOutput: (input) =>
          Effect.map(glacier.getJobOutput(input), (answer) => {
            asked++
            return { ...answer, body: Stream.empty }
          })
      }))
      const vault = yield* Vault.make("photos").pipe(cut)
      const { archiveId } = yield* vault.upload(Source.bytes(pattern(1)))
      const { output } = yield* vault.retrieveArchive(archiveId)
      const error = yield* Effect.flip(
        Effect.provideService(Stream.runDrain(output()), RetryPolicy.RetryPolicy, promptly(2))
      )
      expect(error).toMatchObject({ _tag: "BrokenOutput" })
      expect(asked).toBe(3)
    }).pipe(Effect.provide(layer(undefined, { jobDelay: 0 }))))

  const limits = Timeouts.make({ response: Duration.seconds(1) })

  it.effect.each<
    [string, (client: ReturnType<typeof Support.layer>) => Effect.Effect<unknown, unknown>]
  >([
    [
      "around one call",
      (client) =>
        describing.pipe(
          Effect.provideService(Timeouts.Timeouts, limits),
          Effect.provide(Vault.layer("photos")),
          Effect.provide(client)
        )
    ],
    [
      "by a Layer below the client",
      (client) =>
        describing.pipe(
          Effect.provide(Vault.layer("photos")),
          Effect.provide(Layer.provide(client, Timeouts.layerWith(limits)))
        )
    ]
  ])("of timeouts applies when it is provided %s", ([, run]) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(run(broken(false).client))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(fiber)).toEqual(
        new AttemptTimeout({ operation: "DescribeVault", waiting: "response", limit: Duration.millis(1_000) })
      )
    }).pipe(Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none)))
})
