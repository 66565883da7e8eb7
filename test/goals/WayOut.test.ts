/** The way out of a vault: all archives are retrieved within a budget, and then the vault is emptied and deleted. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { readFileSync } from "node:fs"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import type { Entry } from "../../src/protocol/Inventory.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"
import * as Decommission from "../../src/services/Decommission.ts"
import * as Destination from "../../src/services/Destination.ts"
import { isFull } from "../support/full.ts"
import { inVirtualTimeWithFiles } from "../support/virtualClock.ts"
import { pattern, same } from "../transfer/support.ts"
import * as WayOut from "./wayOut.ts"

const [count, retrievalKills, deletionKills] = isFull ? [5_000, 20, 5] : [100, 2, 1]

/** Archives of up to 3 KB, each with bytes of its own. */
const archives = Array.from({ length: count }, (_, index) => ({
  path: `year ${index % 7}/${index}.bin`,
  bytes: pattern(1_000 + index % 2_000).map((byte) => byte ^ index)
}))

const all = archives.reduce((sum, { bytes }) => sum + bytes.length, 0)

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
      const wayOut = yield* WayOut.make(
        archives,
        ({ bytes, path }) => same(readFileSync(`${directory}/${path}`), bytes)
      )

      const retrieval = Effect.gen(function*() {
        const plan = yield* WayOut.planOf("photos")
        expect([plan.count, plan.bytes]).toEqual([count, all])
        return yield* WayOut.retrieve(
          plan,
          yield* Destination.directory(directory, { download: { concurrency: 1 } }),
          count
        )
      })
      expect(yield* wayOut.run(() => retrieval, retrievalKills)).toEqual({ value: [], killed: retrievalKills })
      for (const { bytes, path } of archives) {
        expect(same(yield* fs.readFile(`${directory}/${path}`), bytes), path).toBe(true)
      }
      yield* wayOut.expectSlow
      yield* wayOut.expectPaidOnce

      // An archive is stored while the vault is emptied.
      yield* Effect.forkScoped(
        Effect.gen(function*() {
          yield* Effect.sleep("30 hours")
          yield* fs.writeFile(`${directory}/${straggler.path}`, straggler.bytes)
          yield* wayOut.upload(straggler)
        })
      )
      yield* Effect.sleep("25 hours")
      const proof = ({ description, treeHash }: Entry) =>
        TreeHash.ofStream(fs.stream(`${directory}/${description}`)).pipe(
          Effect.map((found) => found === treeHash),
          Effect.orElseSucceed(() => false)
        )
      const decommission = Stream.runLast(Decommission.run("photos", { proof, youngArchives: "delete" }))
      const { killed, value: last } = yield* wayOut.run(() => decommission, deletionKills)
      expect(killed).toBe(deletionKills)
      expect(Option.map(last, ({ _tag }) => _tag)).toEqual(Option.some("VaultDeleted"))
      yield* wayOut.expectGone
    }).pipe(
      Effect.withRandom(Random.make("way out")),
      Effect.provide(NodeContext.layer),
      Effect.provide(NodeHashing.layer),
      Effect.provide(Logger.remove(Logger.defaultLogger)),
      inVirtualTimeWithFiles
    ),
  2_400_000
)
