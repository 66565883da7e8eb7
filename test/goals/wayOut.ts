/**
 * The way out of a vault in virtual time: programs retrieve its archives within a budget and delete them. They are killed over
 * and over, and the service throttles, loses responses, and lets jobs fail and expire.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import type * as Path from "@effect/platform/Path"
import { expect } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"
import type { Entry } from "../../src/protocol/Inventory.ts"
import type { Destination } from "../../src/services/Destination.ts"
import * as JobWaiting from "../../src/services/JobWaiting.ts"
import * as RetrievalPlan from "../../src/services/RetrievalPlan.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as FileLock from "../../src/transfer/FileLock.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import { day, hour, type Life, makeLife, most, storeOn } from "../policy/support.ts"
import { makeFaultyHttp } from "./faultyService.ts"

/** An archive of the vault. Its description is its path. */
export interface Archive {
  readonly path: string
  readonly bytes: Uint8Array
}

/** The services of a program that retrieves or deletes archives. */
type Provided = Vault.Vault | GlacierClient.GlacierClient | Checkpoint.Checkpoint | FileSystem.FileSystem | Path.Path

const sumOf = (archives: Iterable<Archive>): number => {
  let sum = 0
  for (const { bytes } of archives) sum += bytes.length
  return sum
}

/** Stores archives in a vault, and lets 100 days pass. `hasCopy` returns whether a complete copy of an archive exists now. */
export const make = Effect.fnUntraced(
  function*(archives: ReadonlyArray<Archive>, hasCopy: (archive: Archive) => boolean) {
    const emulator = Layer.provide(Emulator.layerHttpClient, Emulator.layerMemory())
    const service = Context.get(yield* Layer.build(emulator), HttpClient.HttpClient)
    const clientOf = (http: HttpClient.HttpClient) =>
      Vault.layer("photos").pipe(Layer.provideMerge(GlacierClient.layer.pipe(Layer.provide([
        Layer.succeed(HttpClient.HttpClient, http),
        Credentials.layer(Emulator.defaultKey),
        Endpoint.layer({ region: "us-east-1" })
      ]))))
    const client = clientOf(service)

    const stored = new Map<string, Archive>()
    const upload = Effect.fnUntraced(function*(archive: Archive) {
      const vault = yield* Vault.Vault
      const { archiveId } = yield* vault.upload(Source.bytes(archive.bytes), { description: archive.path })
      stored.set(archiveId, archive)
    }, Effect.provide(client))
    yield* Effect.provide(Effect.flatMap(Vault.Vault, ({ create }) => create), client)
    yield* Effect.forEach(archives, upload)
    yield* Effect.sleep("100 days")

    // Every 25th job fails, and every 35th output expires before it is read: once for an archive.
    const { expiring, failing, http, started } = makeFaultyHttp(service)
    const onStarted = Effect.sync(() => {
      const last = started.at(-1)
      if (last === undefined || started.filter(({ archiveId }) => archiveId === last.archiveId).length > 1) return
      if (started.length % 25 === 0) failing.add(last.jobId)
      else if (started.length % 35 === 0) expiring.add(last.jobId)
    })

    /** The archives that were deleted although no complete copy existed at that time. */
    const wrong: Array<string> = []
    const deleted = new Set<string>()
    /** The client of a program, which dies in its deletion number `at`, after the service has executed it. */
    const watchedBy = (life: Life, at: number) => {
      let deletions = 0
      return HttpClient.transform(http(() => onStarted), (send, request) =>
        Effect.gen(function*() {
          if (!life.isAlive) return yield* Effect.never
          const archiveId = request.method === "DELETE" ? request.url.split("/archives/")[1] : undefined
          if (archiveId === undefined) return yield* send
          deleted.add(archiveId)
          const archive = stored.get(archiveId)
          if (archive === undefined || !hasCopy(archive)) wrong.push(archiveId)
          const isLast = ++deletions === at
          const response = yield* send
          return isLast ? yield* Effect.zipRight(life.die, Effect.never) : response
        }))
    }

    // A cap under which four days are not enough.
    const caps = { bytesPerDay: Math.ceil(sumOf(archives) / 4.5) }
    const pages = new Map<string, string>()
    /**
     * Runs a program until it ends. Kills it so many times: each time after some hours, or in its deletion number `deletions`.
     * Only what it has stored survives.
     */
    const run = Effect.fnUntraced(
      function*<A, E>(
        program: (life: Life, isKilled: boolean) => Effect.Effect<A, E, Provided>,
        kills: number,
        deletions = Infinity
      ) {
        for (let killed = 0;; killed++) {
          const life = yield* makeLife
          const isKilled = killed < kills
          if (isKilled) {
            yield* Effect.forkScoped(Effect.delay(life.die, (yield* Random.nextIntBetween(1, 6)) * hour))
          }
          const store = Layer.succeed(KeyValueStore.KeyValueStore, storeOn(pages, life).store)
          const kept = Layer.provide(Layer.merge(RetrievalBudget.layerWith(caps), Checkpoint.layerKeyValueStore), store)
          const end = yield* life.live(
            program(life, isKilled).pipe(
              Effect.provide(
                clientOf(watchedBy(life, isKilled ? deletions : Infinity)).pipe(
                  Layer.provideMerge(JobWaiting.layerShared({ every: "4 hours" })),
                  Layer.provideMerge(kept)
                )
              ),
              // The locks of a process die with it.
              Effect.provideService(FileLock.FileLock, FileLock.makeInProcess())
            )
          )
          if (Option.isSome(end)) return { value: end.value, killed }
        }
      }
    )

    const begin = yield* Clock.currentTimeMillis
    /** Checks that each archive was paid for once, and once more for a job without output, within the caps. */
    const expectPaidOnce = Effect.sync(() => {
      expect(new Set(started.map(({ archiveId }) => archiveId))).toEqual(new Set(stored.keys()))
      expect(started).toHaveLength(stored.size + failing.size + expiring.size)
      const spent = started.map(({ archiveId, at }) => ({ at, bytes: stored.get(archiveId)?.bytes.length ?? 0 }))
      expect(most(spent, day)).toBeLessThanOrEqual(caps.bytesPerDay)
    })
    /** Checks that the retrieval has ended after more than 4 days and less than 6, and that jobs have failed and expired. */
    const expectSlow = Effect.map(Clock.currentTimeMillis, (now) => {
      expect((now - begin) / day).toBeGreaterThan(4)
      expect((now - begin) / day).toBeLessThan(6)
      expect(Math.min(failing.size, expiring.size)).toBeGreaterThan(0)
    })
    /** Checks that all archives were deleted while copies existed, and that the vault is gone. */
    const expectGone = Effect.gen(function*() {
      expect(wrong).toEqual([])
      expect(deleted).toEqual(new Set(stored.keys()))
      expect(yield* Effect.flip(Effect.flatMap(Vault.Vault, ({ describe }) => describe))).toMatchObject({
        _tag: "VaultNotFound"
      })
    }).pipe(Effect.provide(client))

    return { stored, upload, deleted, run, expectGone, expectPaidOnce, expectSlow }
  }
)

/** The archives in an inventory of the vault. */
const inventory = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  const job = yield* vault.retrieveInventory({ reuse: "1 hour" })
  yield* job.wait()
  return (yield* job.inventory).archives()
})

/** Makes the plan to retrieve the archives for which `isWanted` holds. */
export const planOf = (name: string, isWanted: (archive: Entry) => boolean = () => true) =>
  RetrievalPlan.make(name, Stream.filter(Stream.unwrap(inventory), isWanted))

/** Runs a plan. Returns the messages of the archives that failed. */
export const retrieve = <E extends { readonly message: string }, R>(
  plan: RetrievalPlan.Plan,
  destination: Destination<E, R>,
  concurrency: number
) =>
  RetrievalPlan.run(plan, destination, { concurrency }).pipe(
    Stream.filterMap((outcome) => outcome._tag === "Failed" ? Option.some(outcome.error.message) : Option.none()),
    Stream.runCollect,
    Effect.map(Chunk.toReadonlyArray)
  )
