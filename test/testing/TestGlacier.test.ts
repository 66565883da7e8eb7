import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import type * as Jobs from "../../src/protocol/Jobs.ts"
import { mebibyte } from "../../src/protocol/Limits.ts"
import { InvalidSignature, InventoryNotReady, VaultNotFound } from "../../src/protocol/ServiceError.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"
import * as Source from "../../src/transfer/Source.ts"
import { Hasher } from "../../src/transport/Hasher.ts"

const bytes = new TextEncoder().encode("Welcome to Amazon Glacier.")

const photos = Vault.make("photos")

describe("TestGlacier", () => {
  it.effect("takes no real time for a job that takes hours", () =>
    Effect.gen(function*() {
      const vault = yield* photos
      yield* vault.create
      const { archiveId } = yield* vault.upload(Source.bytes(bytes))
      const job = yield* vault.retrieveArchive(archiveId, { tier: "Standard" })
      const fiber = yield* Effect.fork(job.wait())
      yield* TestClock.adjust("3 hours")
      expect((yield* job.describe).statusCode).toBe("InProgress")
      yield* TestClock.adjust("65 minutes")
      expect((yield* Fiber.join(fiber)).statusCode).toBe("Succeeded")
      expect(yield* Stream.mkString(Stream.decodeText(job.output()))).toBe("Welcome to Amazon Glacier.")
    }).pipe(Effect.provide(TestGlacier.layer({ jobDelay: "4 hours" }))))

  it.effect("takes an inventory and completes jobs after the delays of its options", () =>
    Effect.gen(function*() {
      const vault = yield* photos
      yield* vault.create
      yield* vault.upload(Source.bytes(bytes))
      yield* TestClock.adjust("59 minutes")
      expect(yield* Effect.flip(vault.retrieveInventory())).toBeInstanceOf(InventoryNotReady)
      yield* TestClock.adjust("1 minute")
      const job = yield* vault.retrieveInventory()
      expect(yield* Stream.runCount((yield* job.inventory).archives())).toBe(1)
    }).pipe(Effect.provide(TestGlacier.layer({ jobDelay: 0, inventoryDelay: "1 hour" }))))

  const twice = (one: ReturnType<typeof TestGlacier.layer>, other: ReturnType<typeof TestGlacier.layer>) =>
    Effect.zipRight(
      Effect.provide(Effect.flatMap(photos, ({ create }) => create), one),
      Effect.provide(Effect.flip(Effect.flatMap(photos, ({ describe }) => describe)), other)
    )

  it.effect("shares nothing with another layer", () =>
    Effect.gen(function*() {
      const error = yield* twice(TestGlacier.layer(), TestGlacier.layer())
      expect(error).toBeInstanceOf(VaultNotFound)
    }))

  it.effect("shares nothing when one layer is provided twice", () =>
    Effect.gen(function*() {
      const one = TestGlacier.layer()
      expect(yield* twice(one, one)).toBeInstanceOf(VaultNotFound)
    }))

  it.effect("shares the emulator that is provided to layerClient", () =>
    Effect.gen(function*() {
      const created = yield* Effect.provide(
        Effect.flatMap(photos, ({ create }) => create).pipe(Effect.as("created")),
        TestGlacier.layerClient()
      )
      expect(created).toBe("created")
      const vault = yield* Effect.provide(photos, TestGlacier.layerClient())
      expect((yield* vault.describe).vaultName).toBe("photos")
    }).pipe(Effect.provide(Emulator.layerMemory())))

  it.effect("signs with the first of its keys, and rejects a client with another key", () => {
    const key = (secret: string): Emulator.Key => ({
      accessKeyId: "AKIDEXAMPLE",
      secretAccessKey: Redacted.make(secret)
    })
    const listing = Effect.flatMap(GlacierClient, (glacier) => glacier.listVaults({}))
    return Effect.gen(function*() {
      expect((yield* Effect.provide(listing, TestGlacier.layer({ keys: [key("right")] }))).vaults).toEqual([])
      const error = yield* listing.pipe(
        Effect.provide(TestGlacier.layerClient(key("wrong"))),
        Effect.provide(Emulator.layerMemory({ keys: [key("right")] })),
        Effect.flip
      )
      expect(error).toBeInstanceOf(InvalidSignature)
    })
  })

  it.effect("takes an inventory at once, with exactly the archives of that moment", () =>
    Effect.gen(function*() {
      const vault = yield* photos
      yield* vault.create
      yield* vault.upload(Source.bytes(bytes))
      yield* TestGlacier.takeInventory("photos")
      yield* vault.upload(Source.bytes(bytes))
      expect((yield* vault.describe).numberOfArchives).toEqual(Option.some(1))
      const job = yield* vault.retrieveInventory()
      yield* TestGlacier.completeJob(job.id)
      expect(yield* Stream.runCount((yield* job.inventory).archives())).toBe(1)
      // The inventory due a day after the second archive is still taken.
      yield* TestClock.adjust("1 day")
      expect((yield* vault.describe).numberOfArchives).toEqual(Option.some(2))
    }).pipe(Effect.provide(TestGlacier.layer())))

  it.effect("keeps a taken inventory after a restart", () =>
    Effect.gen(function*() {
      const directory = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const again = Layer.fresh(Layer.provideMerge(TestGlacier.layerClient(), Emulator.layerFileSystem({ directory })))
      const counted = Effect.flatMap(photos, (vault) =>
        Effect.map(vault.describe, ({ numberOfArchives }) => numberOfArchives))
      yield* Effect.gen(function*() {
        const vault = yield* photos
        yield* vault.create
        yield* vault.upload(Source.bytes(bytes))
        expect(yield* counted).toEqual(Option.some(0))
        yield* TestGlacier.takeInventory("photos")
      }).pipe(Effect.provide(again))
      expect(yield* Effect.provide(counted, again)).toEqual(Option.some(1))
    }).pipe(Effect.scoped, Effect.provide(NodeContext.layer)))

  it.effect("moves the clock to the moment at which a job completes, and no further", () =>
    Effect.gen(function*() {
      const vault = yield* photos
      yield* vault.create
      const { archiveId } = yield* vault.upload(Source.bytes(bytes))
      const ended = Effect.fnUntraced(function*(tier: Jobs.Tier, millis: number) {
        const before = yield* Clock.currentTimeMillis
        const job = yield* vault.retrieveArchive(archiveId, { tier })
        yield* TestGlacier.completeJob(job.id)
        yield* TestGlacier.completeJob(job.id)
        expect((yield* Clock.currentTimeMillis) - before).toBe(millis)
        expect((yield* job.describe).statusCode).toBe("Succeeded")
      })
      yield* ended("Expedited", 300_000)
      yield* ended("Standard", 4 * 3_600_000)
      yield* ended("Bulk", 8 * 3_600_000)
      expect(yield* Effect.flip(TestGlacier.completeJob("none"))).toBeInstanceOf(Cause.NoSuchElementException)
    }).pipe(Effect.provide(TestGlacier.layer())))

  it.effect("shows the archives, uploads and jobs of a vault", () =>
    Effect.gen(function*() {
      const vault = yield* photos
      yield* vault.create
      expect(yield* TestGlacier.inside("photos")).toMatchObject({ archives: [], uploads: [], jobs: [] })
      const large = new Uint8Array(mebibyte + 5).fill(7)
      yield* vault.upload(Source.bytes(bytes), { description: "small" })
      const { archiveId } = yield* vault.upload(Source.bytes(large), { partSize: mebibyte, description: "large" })
      const gone = yield* vault.upload(Source.bytes(bytes))
      yield* vault.deleteArchive(gone.archiveId)
      const glacier = yield* GlacierClient
      const { uploadId } = yield* glacier.initiateMultipartUpload({ vaultName: "photos", partSize: mebibyte })
      const hashes = yield* (yield* Hasher).hashes(bytes)
      const range = ByteRange.make(mebibyte, bytes.length)
      yield* glacier.uploadMultipartPart({ vaultName: "photos", uploadId, range, body: bytes, ...hashes })
      const { id: jobId } = yield* vault.retrieveArchive(archiveId)

      const { archives, jobs, uploads } = yield* TestGlacier.inside("photos")
      expect(archives.map(({ description, size }) => [description, size])).toEqual([
        ["small", bytes.length],
        ["large", large.length]
      ])
      const [first, second] = yield* Effect.forEach(archives, (archive) => archive.bytes)
      expect([Buffer.compare(first!, bytes), Buffer.compare(second!, large)]).toEqual([0, 0])
      expect(uploads).toMatchObject([{ uploadId, parts: [{ range, treeHash: hashes.treeHash }] }])
      expect(jobs).toMatchObject([{ jobId, statusCode: "InProgress", completesAt: DateTime.unsafeMake(4 * 3_600_000) }])
      expect(yield* Effect.flip(TestGlacier.inside("other"))).toBeInstanceOf(Cause.NoSuchElementException)

      // Expired uploads and jobs are gone, as they are in the API.
      yield* TestClock.adjust("29 hours")
      expect(yield* TestGlacier.inside("photos")).toMatchObject({ uploads: [], jobs: [] })
    }).pipe(Effect.provide(TestGlacier.layer())))

  it("provides a TestClock to tests that have none", () =>
    Effect.gen(function*() {
      const vault = yield* photos
      yield* vault.create
      const { archiveId } = yield* vault.upload(Source.bytes(bytes))
      const job = yield* vault.retrieveArchive(archiveId)
      yield* TestGlacier.completeJob(job.id)
      expect(yield* Clock.currentTimeMillis).toBe(4 * 3_600_000)
      expect((yield* job.describe).statusCode).toBe("Succeeded")
    }).pipe(Effect.provide(TestGlacier.layerTest()), Effect.runPromise))
})
