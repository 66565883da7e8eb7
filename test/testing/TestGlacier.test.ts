import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import { InvalidSignature, ResourceNotFound } from "../../src/protocol/ServiceError.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"
import * as Source from "../../src/transfer/Source.ts"

const bytes = new TextEncoder().encode("Welcome to Amazon Glacier.")

const photos = Vault.make("photos")

describe("TestGlacier", () => {
  it.effect("takes no real time for a job of hours", () =>
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

  it.effect("takes as long as it is told", () =>
    Effect.gen(function*() {
      const vault = yield* photos
      yield* vault.create
      yield* vault.upload(Source.bytes(bytes))
      yield* TestClock.adjust("59 minutes")
      expect(yield* Effect.flip(vault.retrieveInventory())).toBeInstanceOf(ResourceNotFound)
      yield* TestClock.adjust("1 minute")
      const job = yield* vault.retrieveInventory()
      expect(yield* Stream.runCount((yield* job.inventory).archives())).toBe(1)
    }).pipe(Effect.provide(TestGlacier.layer({ jobDelay: 0, inventoryDelay: "1 hour" }))))

  const twice = (one: ReturnType<typeof TestGlacier.layer>, other: ReturnType<typeof TestGlacier.layer>) =>
    Effect.zipRight(
      Effect.provide(Effect.flatMap(photos, ({ create }) => create), one),
      Effect.provide(Effect.flip(Effect.flatMap(photos, ({ describe }) => describe)), other)
    )

  it.effect("shares nothing with another", () =>
    Effect.gen(function*() {
      const error = yield* twice(TestGlacier.layer(), TestGlacier.layer())
      expect(error).toBeInstanceOf(ResourceNotFound)
    }))

  it.effect("shares nothing with itself, provided again", () =>
    Effect.gen(function*() {
      const one = TestGlacier.layer()
      expect(yield* twice(one, one)).toBeInstanceOf(ResourceNotFound)
    }))

  it.effect("shares the emulator it is given", () =>
    Effect.gen(function*() {
      const created = yield* Effect.provide(
        Effect.flatMap(photos, ({ create }) => create).pipe(Effect.as("created")),
        TestGlacier.layerClient()
      )
      expect(created).toBe("created")
      const vault = yield* Effect.provide(photos, TestGlacier.layerClient())
      expect((yield* vault.describe).vaultName).toBe("photos")
    }).pipe(Effect.provide(Emulator.layerMemory())))

  it.effect("signs with the first of the keys it is given, and is refused with any other", () => {
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
})
