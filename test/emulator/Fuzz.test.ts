/** Sends generated requests, valid and altered, and expects responses that the service's model allows. */
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { afterAll, describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Emulator } from "../../src/emulator/index.ts"
import { operations } from "../../src/protocol/Operations.ts"
import { contents, layer, options, reads, requests, seen, sendAll } from "./fuzzRuns.ts"

describe("requests of all kinds, valid and altered", () => {
  it.live.prop(
    "get responses that the service's model allows",
    [requests],
    ([requests]) => Effect.provide(Effect.asVoid(sendAll(requests)), layer(Emulator.layerMemory(options))),
    { timeout: 60_000, fastCheck: { numRuns: 140, seed: 1 } }
  )

  it.live.prop(
    "change no file outside the folder, and after a restart reads return the same",
    [requests],
    ([requests]) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const parent = yield* fs.makeTempDirectoryScoped({ prefix: "fuzz-" })
        const directory = `${parent}/data`
        for (const folder of ["/data/blobs", "/-/vaults/photos"]) {
          yield* fs.makeDirectory(parent + folder, { recursive: true })
        }
        for (const file of ["archives", "-/vaults/photos/jobs"]) {
          yield* fs.writeFileString(`${parent}/${file}`, "untouched")
        }
        // A symlink out of the folder. The emulator must remove it as a blob of an earlier process, not follow it.
        yield* fs.symlink(`${parent}/-`, `${directory}/blobs/outside`)
        const untouched = yield* contents(parent)
        const emulator = layer(
          Emulator.layerFileSystem({ ...options, directory }).pipe(Layer.provide(NodeContext.layer))
        )
        const [ids, before] = yield* sendAll(requests).pipe(
          Effect.flatMap((ids) => Effect.zip(Effect.succeed(ids), reads(ids))),
          Effect.provide(emulator)
        )
        expect(yield* Effect.provide(reads(ids), emulator)).toEqual(before)
        expect(yield* contents(parent)).toEqual(untouched)
      }).pipe(Effect.scoped, Effect.provide(NodeContext.layer)),
    { timeout: 60_000, fastCheck: { numRuns: 40, seed: 2 } }
  )

  // Otherwise the requests might not have reached most of the emulator.
  afterAll(() => {
    const names = Object.values(operations).map(({ name }) => name).sort()
    for (const reached of [seen.succeeded, seen.failed]) expect([...reached].sort()).toEqual(names)
  })
})
