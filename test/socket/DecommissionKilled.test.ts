/** A decommission whose process is killed and started again: the vault is emptied and deleted, and little is repeated. */
import { expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import type * as Upload from "../../src/transfer/Upload.ts"
import { temporaryFolder } from "../support/folders.ts"
import { isFull } from "../support/full.ts"
import { makeRunnerOf } from "./killedTransfers.ts"

const kills = isFull ? 25 : 5

const archives = isFull ? 250 : 60

/** The number of requests after which a process is killed. The first seven look at the vault. */
const killPoint = (kill: number): number => 8 + (kill * 7) % 9

const store = (description: string) =>
  Effect.flatMap(Vault.Vault, (vault) => vault.upload(Source.bytes(new Uint8Array(100)), { description }))

it.scopedLive(
  `empties and deletes a vault through ${kills} kills, and repeats no more than the requests in flight [W2]`,
  () =>
    Effect.gen(function*() {
      const checkpoints = yield* temporaryFolder
      const directory = yield* temporaryFolder
      yield* Effect.gen(function*() {
        const glacier = yield* GlacierClient
        yield* Effect.flatMap(Vault.Vault, ({ create }) => create)
        const stored = yield* Effect.forEach(Array.from({ length: archives }, (_, index) => `${index}`), store)
        // The inventory of the first round has all of them.
        yield* Effect.sleep("2 seconds")

        const { runToEnd, runUntil, traffic } = yield* makeRunnerOf("decommission.ts")
        const stragglers = new Array<Upload.UploadedArchive>()
        for (let kill = 0; kill < kills; kill++) {
          yield* runUntil(({ methods }) => methods.length >= killPoint(kill), checkpoints)
          if (kill === Math.floor(kills / 2)) stragglers.push(yield* store("straggler"))
        }
        const lines = (yield* runToEnd(checkpoints)).split("\n")
        expect(lines.at(-1)).toMatch(/vaults\/films is deleted$/)
        expect(yield* Effect.flip(glacier.describeVault({ vaultName: "films" }))).toMatchObject({
          _tag: "VaultNotFound"
        })

        const deleted = traffic.requests.flatMap((request) => /^DELETE .*\/archives\/(.*)$/.exec(request)?.[1] ?? [])
        const ids = [...stored, ...stragglers].map(({ archiveId }) => `${archiveId}`)
        expect([...new Set(deleted)].sort()).toEqual(ids.sort())
        // Each kill repeats the 2 deletions in flight, and one that was not recorded.
        expect(deleted.length).toBeLessThanOrEqual(ids.length + 3 * kills)
        const jobs = traffic.requests.filter((request) => request.startsWith("POST") && request.endsWith("/jobs"))
        expect(jobs.length).toBeLessThanOrEqual(2)
      }).pipe(
        Effect.provide(
          Layer.provideMerge(
            Vault.layer("films"),
            NodeEmulator.layer({ directory, jobDelay: "500 millis", inventoryDelay: "1 second" })
          )
        )
      )
    }),
  300_000
)
