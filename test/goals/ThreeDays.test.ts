/** A program that retrieves a whole vault over several days, during which every kind of failure happens once. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"
import * as Destination from "../../src/services/Destination.ts"
import * as JobWaiting from "../../src/services/JobWaiting.ts"
import * as RetrievalPlan from "../../src/services/RetrievalPlan.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import { day, hour, type Life, makeLife, most, storeOn } from "../policy/support.ts"
import { inVirtualTimeWithFiles } from "../support/virtualClock.ts"
import { mebibyte, same } from "../transfer/support.ts"
import { all, archives, caps, makeFaultyHttp, restartable } from "./faultyService.ts"

it.scoped(
  "retrieves 200 archives in three days, despite throttles, an expired and a failed job, and restarts of both sides",
  () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped({ prefix: "three-days-" })
      const service = yield* restartable(`${folder}/glacier`)
      const { expiring, failing, http, started } = makeFaultyHttp(service.http)
      const client = (http: HttpClient.HttpClient) =>
        GlacierClient.layer.pipe(
          Layer.provide(Layer.succeed(HttpClient.HttpClient, http)),
          Layer.provide(Credentials.layer(Emulator.defaultKey)),
          Layer.provide(Endpoint.layer({ region: "us-east-1" }))
        )

      const bytesOf = yield* Effect.gen(function*() {
        const vault = yield* Vault.Vault
        yield* vault.create
        const stored = yield* Effect.forEach(archives, ({ bytes, path }) =>
          Effect.map(
            vault.upload(Source.bytes(bytes), { description: path }),
            ({ archiveId }) => [archiveId, bytes.length] as const
          ))
        return new Map<string, number>(stored)
      }).pipe(Effect.provide(Layer.provideMerge(Vault.layer("photos"), client(service.http))))
      yield* Effect.sleep("2 days")
      const begin = yield* Clock.currentTimeMillis

      // The first job of two archives yields no output.
      const [failsFirst, expiresFirst] = [...bytesOf.keys()].slice(30, 32)
      const onStarted = Effect.suspend(() => {
        const last = started.at(-1)
        const isFirst = started.filter(({ archiveId }) => archiveId === last?.archiveId).length === 1
        if (isFirst && last?.archiveId === failsFirst) failing.add(last?.jobId ?? "")
        if (isFirst && last?.archiveId === expiresFirst) expiring.add(last?.jobId ?? "")
        return Effect.void
      })

      const program = Effect.gen(function*() {
        const vault = yield* Vault.Vault
        const archives = Effect.gen(function*() {
          const job = yield* vault.retrieveInventory({ reuse: "1 hour" })
          yield* job.wait()
          const { archives } = yield* job.inventory
          return archives()
        })
        const plan = yield* RetrievalPlan.make("photos", Stream.unwrap(archives))
        expect(plan.bytes).toBe(all)
        const restored = yield* Destination.directory(`${folder}/restored`, { download: { windowSize: mebibyte } })
        return yield* Stream.runCollect(RetrievalPlan.run(plan, restored))
      })

      const pages = new Map<string, string>()
      /** Runs the program until it ends or crashes. Only what it has stored survives. */
      const run = (life: Life, onStarted: (count: number) => Effect.Effect<void>) => {
        const store = Layer.succeed(KeyValueStore.KeyValueStore, storeOn(pages, life).store)
        return life.live(program.pipe(
          Effect.provide(
            Vault.layer("photos").pipe(
              Layer.provideMerge(client(http(onStarted))),
              Layer.provideMerge(JobWaiting.layerShared({ every: "1 hour" })),
              Layer.provideMerge(
                Layer.provide(Layer.merge(RetrievalBudget.layerWith(caps), Checkpoint.layerKeyValueStore), store)
              )
            )
          )
        ))
      }

      // The program crashes after a job has started and before it gets the response.
      const first = yield* makeLife
      expect(
        yield* run(first, (count) =>
          Effect.zipRight(onStarted, count === 40 ? Effect.zipRight(first.die, Effect.never) : Effect.void))
      ).toEqual(Option.none())

      // The service is unavailable for some minutes.
      const second = yield* makeLife
      yield* Effect.forkScoped(Effect.gen(function*() {
        yield* Effect.sleep("7 hours")
        yield* service.stop
        yield* Effect.sleep("8 minutes")
        yield* service.start
      }))
      yield* Effect.forkScoped(Effect.delay(second.die, "27 hours"))
      expect(
        yield* run(second, () =>
          onStarted)
      ).toEqual(Option.none())
      yield* Effect.sleep("5 minutes")

      const third = yield* makeLife
      const outcomes = Option.getOrThrow(yield* run(third, () => onStarted))
      const end = yield* Clock.currentTimeMillis

      const others = Chunk.filterMap(outcomes, (outcome) =>
        outcome._tag === "Retrieved" ? Option.none() : Option.some(`${outcome.archive.description}: ${outcome.error}`))
      expect(Chunk.toReadonlyArray(others)).toEqual([])
      // The runs that crashed have retrieved the others.
      const now = Chunk.toReadonlyArray(outcomes).map(({ archive }) =>
        archive.archiveId
      )
      expect(new Set(now).size).toBe(now.length)
      expect(now.length).toBeLessThan(200)
      for (const { bytes, path } of archives) {
        expect(same(yield* fs.readFile(`${folder}/restored/${path}`), bytes), path).toBe(true)
      }

      // One job is billed for each archive, and two for those whose first job yielded no output.
      const jobsOf = (id: string) =>
        started.filter(({ archiveId }) => archiveId === id).length
      const twice = [...bytesOf.keys()].filter((archiveId) => jobsOf(archiveId) > 1)
      expect(twice).toEqual([failsFirst, expiresFirst])
      expect(started).toHaveLength(202)

      const spent = started.map(({ archiveId, at }) => ({ at, bytes: bytesOf.get(archiveId) ?? 0 }))
      expect(most(spent, hour)).toBeLessThanOrEqual(caps.bytesPerHour)
      expect(most(spent, day)).toBeLessThanOrEqual(caps.bytesPerDay)
      expect(end - begin).toBeGreaterThan(2 * day)
      expect(end - begin).toBeLessThan(3 * day)
    }).pipe(
      Effect.withRandom(Random.make("three days")),
      Effect.provide(NodeContext.layer),
      Effect.provide(NodeHashing.layer),
      Effect.provide(Logger.remove(Logger.defaultLogger)),
      inVirtualTimeWithFiles
    ),
  120_000
)
