/** The way out of a vault: all archives are retrieved within a budget, and then the vault is emptied and deleted. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import type * as Path from "@effect/platform/Path"
import { expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { readFileSync } from "node:fs"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"
import type { Entry } from "../../src/protocol/Inventory.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"
import * as Decommission from "../../src/services/Decommission.ts"
import * as Destination from "../../src/services/Destination.ts"
import * as JobWaiting from "../../src/services/JobWaiting.ts"
import * as RetrievalPlan from "../../src/services/RetrievalPlan.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as FileLock from "../../src/transfer/FileLock.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import { day, hour, makeLife, most, storeOn } from "../policy/support.ts"
import { isFull } from "../support/full.ts"
import { inVirtualTimeWithFiles } from "../support/virtualClock.ts"
import { pattern, same } from "../transfer/support.ts"
import { makeFaultyHttp } from "./faultyService.ts"

const [count, retrievalKills, deletionKills] = isFull ? [5_000, 20, 5] : [100, 2, 1]

/** Archives of up to 3 KB, each with bytes of its own. */
const archives = Array.from({ length: count }, (_, index) => ({
  path: `year ${index % 7}/${index}.bin`,
  bytes: pattern(1_000 + index % 2_000).map((byte) => byte ^ index)
}))

const all = archives.reduce((sum, { bytes }) => sum + bytes.length, 0)

/** A cap under which four days are not enough. */
const caps = { bytesPerDay: Math.ceil(all / 4.5) }

/** The services of a program that retrieves or deletes archives. */
type Provided = Vault.Vault | GlacierClient.GlacierClient | Checkpoint.Checkpoint | FileSystem.FileSystem | Path.Path

const straggler = { path: "straggler.bin", bytes: pattern(500) }

it.scoped(
  `retrieves ${count} archives within six days and empties and deletes their vault, through ${
    retrievalKills + deletionKills
  } ` +
    "kills, throttles, lost responses, and failed and expired jobs [W1]",
  () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped({ prefix: "way-out-" })
      const directory = `${folder}/restored`
      const emulator = Layer.provide(Emulator.layerHttpClient, Emulator.layerMemory())
      const service = Context.get(yield* Layer.build(emulator), HttpClient.HttpClient)
      const client = (http: HttpClient.HttpClient) =>
        Vault.layer("photos").pipe(Layer.provideMerge(GlacierClient.layer.pipe(Layer.provide([
          Layer.succeed(HttpClient.HttpClient, http),
          Credentials.layer(Emulator.defaultKey),
          Endpoint.layer({ region: "us-east-1" })
        ]))))

      const upload = ({ bytes, path }: typeof straggler) =>
        Effect.flatMap(Vault.Vault, (vault) => vault.upload(Source.bytes(bytes), { description: path })).pipe(
          Effect.map(({ archiveId }) => [String(archiveId), { bytes, path }] as const)
        )
      const stored = yield* Effect.gen(function*() {
        yield* Effect.flatMap(Vault.Vault, (vault) => vault.create)
        return new Map(yield* Effect.forEach(archives, upload))
      }).pipe(Effect.provide(client(service)))
      yield* Effect.sleep("100 days")
      const begin = yield* Clock.currentTimeMillis

      // Every 50th job fails, and every 70th output expires before it is read: once for an archive.
      const { expiring, failing, http, started } = makeFaultyHttp(service)
      const onStarted = Effect.sync(() => {
        const last = started.at(-1)
        if (last === undefined || started.filter(({ archiveId }) => archiveId === last.archiveId).length > 1) return
        if (started.length % 50 === 0) failing.add(last.jobId)
        else if (started.length % 70 === 0) expiring.add(last.jobId)
      })

      /** The deletions for which no file with the same bytes existed at their time. */
      const wrong: Array<string> = []
      const deleted = new Set<string>()
      const watched = HttpClient.transform(http(() => onStarted), (send, request) =>
        Effect.suspend(() => {
          const archiveId = request.method === "DELETE" ? request.url.split("/archives/")[1] : undefined
          if (archiveId === undefined) return send
          deleted.add(archiveId)
          const archive = stored.get(archiveId)
          if (archive === undefined || !same(readFileSync(`${directory}/${archive.path}`), archive.bytes)) {
            wrong.push(archiveId)
          }
          return send
        }))

      const pages = new Map<string, string>()
      /** Runs a program until it ends. Kills it so many times, each after some hours. Only what it has stored survives. */
      const run = Effect.fnUntraced(function*<A, E>(program: Effect.Effect<A, E, Provided>, kills: number) {
        for (let killed = 0;; killed++) {
          const life = yield* makeLife
          if (killed < kills) {
            yield* Effect.forkScoped(Effect.delay(life.die, (yield* Random.nextIntBetween(1, 6)) * hour))
          }
          const store = Layer.succeed(KeyValueStore.KeyValueStore, storeOn(pages, life).store)
          const kept = Layer.provide(Layer.merge(RetrievalBudget.layerWith(caps), Checkpoint.layerKeyValueStore), store)
          const end = yield* life.live(program.pipe(
            Effect.provide(
              client(watched).pipe(
                Layer.provideMerge(JobWaiting.layerShared({ every: "4 hours" })),
                Layer.provideMerge(kept)
              )
            ),
            // The locks of a process die with it.
            Effect.provideService(FileLock.FileLock, FileLock.makeInProcess())
          ))
          if (Option.isSome(end)) return { value: end.value, killed }
        }
      })

      const inventory = Effect.gen(function*() {
        const vault = yield* Vault.Vault
        const job = yield* vault.retrieveInventory({ reuse: "1 hour" })
        yield* job.wait()
        return (yield* job.inventory).archives()
      })
      const retrieval = Effect.gen(function*() {
        const plan = yield* RetrievalPlan.make("photos", Stream.unwrap(inventory))
        expect([plan.count, plan.bytes]).toEqual([count, all])
        const destination = yield* Destination.directory(directory, { download: { concurrency: 1 } })
        const failed = Stream.filterMap(RetrievalPlan.run(plan, destination, { concurrency: count }), (outcome) =>
          outcome._tag === "Failed" ? Option.some(outcome.error.message) : Option.none())
        return Chunk.toReadonlyArray(yield* Stream.runCollect(failed))
      })
      expect(yield* run(retrieval, retrievalKills)).toEqual({ value: [], killed: retrievalKills })
      const retrieved = yield* Clock.currentTimeMillis
      for (const { bytes, path } of archives) {
        expect(same(yield* fs.readFile(`${directory}/${path}`), bytes), path).toBe(true)
      }

      // One job is billed for each archive, and one more for each job that yielded no output.
      expect(
        new Set(started.map(({ archiveId }) =>
          archiveId
        )).size
      ).toBe(count)
      expect(started).toHaveLength(count + failing.size + expiring.size)
      expect(Math.min(failing.size, expiring.size)).toBeGreaterThan(0)
      const spent = started.map(({ archiveId, at }) => ({ at, bytes: stored.get(archiveId)?.bytes.length ?? 0 }))
      expect(most(spent, day)).toBeLessThanOrEqual(caps.bytesPerDay)
      expect((retrieved - begin) / day).toBeGreaterThan(4)
      expect((retrieved - begin) / day).toBeLessThan(6)

      // An archive is stored while the vault is emptied.
      yield* Effect.forkScoped(
        Effect.gen(function*() {
          yield* Effect.sleep("30 hours")
          yield* fs.writeFile(`${directory}/${straggler.path}`, straggler.bytes)
          stored.set(...yield* upload(straggler))
        }).pipe(Effect.provide(client(service)))
      )
      yield* Effect.sleep("25 hours")
      const proof = ({ description, treeHash }: Entry) =>
        TreeHash.ofStream(fs.stream(`${directory}/${description}`)).pipe(
          Effect.map((found) => found === treeHash),
          Effect.orElseSucceed(() => false)
        )
      const decommission = Stream.runLast(Decommission.run("photos", { proof, youngArchives: "delete" }))
      const { killed, value: last } = yield* run(decommission, deletionKills)
      expect(killed).toBe(deletionKills)
      expect(Option.map(last, ({ _tag }) => _tag)).toEqual(Option.some("VaultDeleted"))
      expect(wrong).toEqual([])
      expect(deleted).toEqual(new Set(stored.keys()))
      expect(
        yield* Effect.flip(Effect.provide(Effect.flatMap(Vault.Vault, ({ describe }) => describe), client(service)))
      )
        .toMatchObject({ _tag: "VaultNotFound" })
    }).pipe(
      Effect.withRandom(Random.make("way out")),
      Effect.provide(NodeContext.layer),
      Effect.provide(NodeHashing.layer),
      Effect.provide(Logger.remove(Logger.defaultLogger)),
      inVirtualTimeWithFiles
    ),
  1_200_000
)
