/** The way out of a vault into an object store: all archives are moved within a budget, and deleted because of their proofs. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import type { Entry } from "../../src/protocol/Inventory.ts"
import * as ArchiveMetadata from "../../src/s3/ArchiveMetadata.ts"
import * as S3Destination from "../../src/s3/S3Destination.ts"
import * as Decommission from "../../src/services/Decommission.ts"
import * as RetrievalPlan from "../../src/services/RetrievalPlan.ts"
import * as TestObjectStore from "../../src/testing/TestObjectStore.ts"
import { isFull } from "../support/full.ts"
import { treeHash } from "../support/hashes.ts"
import { inVirtualTimeWithFiles } from "../support/virtualClock.ts"
import { mebibyte, pattern, same } from "../transfer/support.ts"
import { makeFaultyStore } from "./faultyStore.ts"
import * as WayOut from "./wayOut.ts"

const [count, moveKills, deletionKills] = isFull ? [2_000, 20, 5] : [60, 4, 2]

/** Archives of up to 3 KB, each with bytes of its own. Some have 2 or 3 parts. */
const archives = Array.from({ length: count }, (_, index) => ({
  path: `year ${index % 7}/${index}.bin`,
  bytes: pattern(
    index % (isFull ? 40 : 4) === 0 ? (1.1 + index % (isFull ? 7 : 3) / 4) * mebibyte : 1_000 + index % 2_000
  )
    .map((byte) => byte ^ index)
}))

const straggler = { path: "straggler.bin", bytes: pattern(2.5 * mebibyte) }

const prefix = "moved/"

/** The options of the destination: parts of 1 MiB. */
const options = { prefix, partSize: mebibyte, readBack: "sample" } as const

it.scoped(
  `moves ${count} archives to an object store within six days and deletes those with a proof, through ${
    moveKills + deletionKills
  } kills, throttles, lost responses, and failed and expired jobs [W3]`,
  () =>
    Effect.gen(function*() {
      const bucket = yield* TestObjectStore.makeBucket()
      const store = makeFaultyStore(bucket)
      const wayOut = yield* WayOut.make(archives, ({ bytes, path }) => {
        const object = bucket.objects.get(prefix + path)
        return object !== undefined && same(object.bytes, bytes)
      })

      /** Moves archives by a plan through kills. Every second kill is in a call of a multipart upload. */
      const move = (name: string, kills: number, isWanted?: (archive: Entry) => boolean) =>
        wayOut.run((life, isKilled) =>
          Effect.gen(function*() {
            const plan = yield* WayOut.planOf(name, isWanted)
            const failed = yield* WayOut.retrieve(plan, yield* S3Destination.make(options), 500)
            return { failed, proofs: yield* Stream.runCount(plan.proofs) }
          }).pipe(
            Effect.provide(store.layer(life, isKilled ? nextDeath() : Infinity))
          ), kills)
      let lives = 0
      const nextDeath = () => ++lives % 2 === 0 ? Infinity : 1 + lives * 7 % 10

      /** Deletes the archives with a proof in one of the plans through kills. Returns the reason of a stop. */
      const decommission = (plans: ReadonlyArray<string>, kills: number) =>
        wayOut.run(
          (life) =>
            Effect.gen(function*() {
              const destination = yield* S3Destination.make(options)
              const provers = yield* Effect.forEach(
                plans,
                (name) => Effect.flatMap(WayOut.planOf(name), (plan) => RetrievalPlan.prover(plan, destination))
              )
              const proof = (archive: Entry) => Effect.exists(provers, (isProven) => isProven(archive))
              const last = yield* Effect.either(
                Stream.runLast(Decommission.run("photos", { proof, youngArchives: "delete" }))
              )
              return Either.match(last, {
                onLeft: (error) => error._tag === "DecommissionStopped" ? error.reason : error,
                onRight: (event) => Option.getOrThrow(event)
              })
            }).pipe(Effect.provide(store.layer(life))),
          kills,
          Math.ceil(count / (deletionKills + 1))
        )

      expect(yield* move("photos", moveKills)).toEqual({ value: { failed: [], proofs: count }, killed: moveKills })
      yield* wayOut.expectSlow
      yield* wayOut.expectPaidOnce

      // An archive that no plan has moved remains.
      yield* wayOut.upload(straggler)
      yield* Effect.sleep("50 hours")
      expect(yield* decommission(["photos"], deletionKills)).toMatchObject({
        value: { _tag: "Unproven", archives: 1 },
        killed: deletionKills
      })
      expect(wayOut.deleted.size).toBe(count)
      const stragglers = yield* move("stragglers", 0, ({ description }) => description === straggler.path)
      expect(stragglers.value).toEqual({ failed: [], proofs: 1 })
      yield* wayOut.expectPaidOnce
      expect((yield* decommission(["photos", "stragglers"], 0)).value._tag).toBe("VaultDeleted")
      yield* wayOut.expectGone

      expect(bucket.objects.size).toBe(count + 1)
      for (const [archiveId, { bytes, path }] of wayOut.stored) {
        const object = bucket.objects.get(prefix + path)
        expect(object !== undefined && same(object.bytes, bytes), path).toBe(true)
        expect(Option.map(ArchiveMetadata.decode(object?.metadata ?? {}), ({ creationDate: _, ...named }) => named))
          .toEqual(Option.some({ vaultName: "photos", archiveId, treeHash: treeHash(bytes), description: path }))
      }
      expect(new Set(store.created.values())).toEqual(new Set([1]))
      expect(bucket.uploads.size).toBe(0)
      expect([...store.lost.keys()].sort()).toEqual([
        "AbortMultipartUpload",
        "CompleteMultipartUpload",
        "CreateMultipartUpload",
        "PutObject",
        "UploadPart"
      ])
    }).pipe(
      Effect.withRandom(Random.make("move out")),
      Effect.provide(NodeContext.layer),
      Effect.provide(NodeHashing.layer),
      Effect.provide(Logger.remove(Logger.defaultLogger)),
      inVirtualTimeWithFiles
    ),
  2_400_000
)
