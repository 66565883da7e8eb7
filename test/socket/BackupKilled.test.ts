/** A backup whose process is killed and started again: each file is stored exactly once. */
import { expect, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as ArchiveName from "../../src/protocol/ArchiveName.ts"
import * as Vault from "../../src/services/Vault.ts"
import { temporaryFolder } from "../support/folders.ts"
import { isFull } from "../support/full.ts"
import { treeHash } from "../support/hashes.ts"
import { makeRunnerOf, withEmulator } from "./killedTransfers.ts"
import * as Support from "./support.ts"

const { mebibyte, ramp } = Support

const [files, kills] = isFull ? [300, 14] : [24, 3]

/** Each tenth file has several parts. */
const sizeOf = (index: number) => index % 10 === 9 ? 2.5 * mebibyte + index : 100 + index

/** Writes the files, in folders of 20. Returns their bytes by their paths. */
const writeFiles = (folder: string) =>
  new Map(Array.from({ length: files }, (_, index) => {
    const path = `${Math.floor(index / 20)}/${index}`
    // The number comes first, so that all files differ.
    const bytes = Buffer.concat([Buffer.from(`${index} `), ramp(sizeOf(index))])
    mkdirSync(join(folder, path, ".."), { recursive: true })
    writeFileSync(join(folder, path), bytes)
    return [path, bytes]
  }))

it.scopedLive(
  `stores each of ${files} files exactly once when the process is killed ${kills} times [I9]`,
  () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const checkpoints = yield* temporaryFolder
      const expected = writeFiles(folder)
      yield* withEmulator(Effect.gen(function*() {
        const { runToEnd, runUntil, runUntilLines } = yield* makeRunnerOf("backup.ts")
        const lines = Math.floor(files / (kills + 1))
        for (let kill = 0; kill < kills; kill++) {
          // By turns a response is lost with its process, or the process is killed between two steps of its own.
          yield* kill % 2 === 0
            ? runUntil(({ methods }) => methods.length >= 3 * lines + kill, folder, checkpoints)
            : runUntilLines(lines * (kill + 1), folder, checkpoints)
        }
        const printed = (yield* runToEnd(folder, checkpoints)).split("\n").sort()
        expect(printed).toEqual(Array.from(expected.keys(), (path) => `Stored ${path}`).sort())

        const vault = yield* Vault.make("films")
        const { archives } = yield* Effect.flatMap(vault.retrieveInventory(), ({ inventory }) => inventory)
        const stored = yield* Stream.runCollect(archives())
        const pathOf = (description: string) =>
          Option.match(ArchiveName.read(description), { onNone: () => "", onSome: ({ path }) => path })
        // The service computes the tree hash of the bytes that it has.
        expect(Array.from(stored, ({ description, treeHash }) => `${pathOf(description)} ${treeHash}`).sort())
          .toEqual(Array.from(expected, ([path, bytes]) => `${path} ${treeHash(bytes)}`).sort())

        // An upload whose id the program never received has no parts.
        const glacier = yield* GlacierClient
        const parts = yield* Stream.runCollect(
          Stream.mapEffect(vault.uploads, ({ uploadId }) => glacier.listParts({ vaultName: "films", uploadId }))
        )
        expect(Array.from(parts).filter(({ parts }) => parts.length > 0)).toEqual([])
        expect(readdirSync(checkpoints)).toEqual([expect.stringMatching(/^films-.*checkpoint$/)])
      }))
    }),
  600_000
)
