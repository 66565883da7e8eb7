/** The policies that apply to a vault: retries, time limits and the retrieval budget. */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Timeouts from "../../src/policy/Timeouts.ts"
import { AttemptTimeout, ConnectionError } from "../../src/protocol/GlacierError.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import { promptly } from "../support/retryPolicies.ts"
import * as Support from "../transfer/support.ts"
import { layer } from "./support.ts"

const { mebibyte, pattern } = Support

const all = <A, E, R>(stream: Stream.Stream<A, E, R>) => Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

describe("A policy of a vault", () => {
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
  ])("RetryPolicy applies to calls of a vault when it is provided %s", ([, attempts, run]) => {
    const { client, sent } = broken(true)
    return Effect.gen(function*() {
      expect(yield* run(client)).toBeInstanceOf(ConnectionError)
      expect(sent).toHaveLength(attempts)
    })
  })

  it.scoped("RetryPolicy applies to an uploader when it is provided around its writes or below its vault", () => {
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

  it.effect("RetryPolicy applies to the output of a job", () =>
    Effect.gen(function*() {
      let asked = 0
      const cut = Support.replacing((glacier) => ({
        getJobOutput: (input) =>
          Effect.map(glacier.getJobOutput(input), (response) => {
            asked++
            return { ...response, body: Stream.empty }
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
  ])("Timeouts apply to calls of a vault when they are provided %s", ([, run]) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(run(broken(false).client))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(fiber)).toEqual(
        new AttemptTimeout({ operation: "DescribeVault", waiting: "response", limit: Duration.millis(1_000) })
      )
    }).pipe(Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none)))
})

describe("A retrieval budget of a vault", () => {
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
