/** Sends generated requests, valid and altered, and expects responses that the service's model allows. */
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { afterAll, describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck as fc, Layer } from "effect"
import { Emulator } from "../../src/emulator/index.ts"
import { operations } from "../../src/protocol/Operations.ts"
import * as Fuzz from "./fuzz.ts"
import * as Support from "./support.ts"

const { call, vault } = Support

const options = { jobDelay: 0, inventoryDelay: 0, bodyTimeout: "20 millis" } as const

const layer = (emulator: Layer.Layer<Emulator.Emulator, Emulator.EmulatorStorageError>) =>
  Layer.provideMerge(Emulator.layerHttpClient, emulator).pipe(Layer.provide(Support.layerSha256))

const requests = fc.array(Fuzz.request, { minLength: 1, maxLength: 16 })

/** The operations whose generated requests succeeded or failed. */
const seen = { succeeded: new Set<string>(), failed: new Set<string>() }

/** Sends the requests one after the other to an emulator with a resource of each kind. */
const sendAll = (requests: ReadonlyArray<Fuzz.Request>) =>
  Effect.gen(function*() {
    const ids = yield* Fuzz.fill
    for (const request of requests) {
      const response = yield* Fuzz.send(request, ids)
      Fuzz.expectValidResponse(response)
      seen[response.status < 300 ? "succeeded" : "failed"].add(request.operation)
    }
    expect((yield* call("GET", "/-/vaults")).status).toBe(200)
    return ids
  })

/** Reads everything that the API can return about these resources. */
const reads = (ids: Effect.Effect.Success<typeof Fuzz.fill>) =>
  Effect.gen(function*() {
    const paths = ["/-/vaults", "/-/policies/data-retrieval", "/-/provisioned-capacity"]
    for (const name of ["photos", "films", "locked", "never"]) {
      paths.push(
        ...["", "/jobs", "/multipart-uploads", "/tags", "/notification-configuration", "/access-policy", "/lock-policy"]
          .map((path) => vault(name) + path)
      )
    }
    paths.push(`${vault("photos")}/multipart-uploads/${ids.upload}`)
    for (const { JobId } of Support.list(yield* call("GET", `${vault("photos")}/jobs`), "JobList") ?? []) {
      paths.push(`${vault("photos")}/jobs/${String(JobId)}`, `${vault("photos")}/jobs/${String(JobId)}/output`)
    }
    return yield* Effect.forEach(paths, (path) =>
      Effect.map(call("GET", path), ({ status, text }) => ({ path, status, text })))
  })

/** The files of a folder with their contents. */
const contents = (folder: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const names = (yield* fs.readDirectory(folder, { recursive: true })).filter((name) => !name.startsWith("data/"))
    return yield* Effect.forEach(names.sort(), (name) =>
      Effect.zip(Effect.succeed(name), Effect.option(fs.readFileString(`${folder}/${name}`))))
  })

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
