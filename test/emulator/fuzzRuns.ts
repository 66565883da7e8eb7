/** Emulators that receive generated requests, and everything that their API returns. */
import { FileSystem } from "@effect/platform"
import { expect } from "@effect/vitest"
import { Effect, FastCheck as fc, Layer } from "effect"
import { Emulator } from "../../src/emulator/index.ts"
import * as Fuzz from "./fuzz.ts"
import * as Support from "./support.ts"

const { call, vault } = Support

export const options = { jobDelay: 0, inventoryDelay: 0, bodyTimeout: "20 millis" } as const

export const layer = (emulator: Layer.Layer<Emulator.Emulator, Emulator.EmulatorStorageError>) =>
  Layer.provideMerge(Emulator.layerHttpClient, emulator).pipe(Layer.provide(Support.layerSha256))

export const requests = fc.array(Fuzz.request, { minLength: 1, maxLength: 16 })

/** The operations whose generated requests succeeded or failed. */
export const seen = { succeeded: new Set<string>(), failed: new Set<string>() }

/** Sends the requests one after the other to an emulator with a resource of each kind. */
export const sendAll = (requests: ReadonlyArray<Fuzz.Request>) =>
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
export const reads = (ids: Effect.Effect.Success<typeof Fuzz.fill>) =>
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
export const contents = (folder: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const names = (yield* fs.readDirectory(folder, { recursive: true })).filter((name) => !name.startsWith("data/"))
    return yield* Effect.forEach(names.sort(), (name) =>
      Effect.zip(Effect.succeed(name), Effect.option(fs.readFileString(`${folder}/${name}`))))
  })
