/** Vaults of an emulator, for tests of commands that run as processes. */
import { expect } from "@effect/vitest"
import { type Duration, Effect, Stream } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as NodeEmulator from "../../../src/node/NodeEmulator.ts"
import * as Source from "../../../src/transfer/Source.ts"
import * as FakeS3 from "../../s3/fakeS3.ts"
import { makePrograms } from "./programs.ts"

/** The bytes of an archive: different for each name. */
export const bytesOf = (name: string, size = 1_000): Uint8Array =>
  Uint8Array.from(
    { length: size },
    (_, index) => (name.length * 31 + name.charCodeAt(index % name.length) + index) % 256
  )

/** Makes a vault of archives with these names and sizes, and keeps its inventory in a new state folder. */
export const makeVault = (name: string, archives: ReadonlyArray<readonly [description: string, size?: number]>) =>
  Effect.gen(function*() {
    const programs = yield* makePrograms(name)
    const { folder, run, vault } = programs
    yield* Effect.forEach(
      archives,
      ([description, size]) => vault.upload(Source.bytes(bytesOf(description, size)), { description }),
      { concurrency: 8 }
    )
    const inventory = yield* run("inventory", "--wait")
    if (inventory.code !== 0) return yield* Effect.dieMessage(inventory.stderr)
    return {
      ...programs,
      state: join(folder, "state"),
      /** How many jobs each archive has. */
      jobs: Effect.map(
        Stream.runCollect(Stream.filter(vault.jobs(), ({ action }) => action === "ArchiveRetrieval")),
        (jobs) => jobs.length
      )
    }
  })

/** An emulator whose inventories are always new. */
export const emulator = (jobDelay: Duration.DurationInput = "300 millis") =>
  NodeEmulator.layer({ jobDelay, inventoryDelay: 0 })

/** The paths of all files below a folder. */
export const filesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => join(parentPath, name).slice(folder.length + 1))
    .sort()

/** 30 archives by name and size. */
export const photos = Array.from(
  { length: 30 },
  (_, index) => [`photos/${2_010 + index % 4}/${index}.jpg`, 500 + index * 1_000] as const
)

/** Checks that a folder has the files of archives, and no others. */
export const checkFiles = (folder: string, archives: ReadonlyArray<readonly [name: string, size: number]>) => {
  expect(filesIn(folder)).toEqual(archives.map(([name]) => name).sort())
  for (const [name, size] of archives) {
    expect(readFileSync(join(folder, name)).equals(bytesOf(name, size)), name).toBe(true)
  }
}

/** 12 archives by name and size. */
export const films = Array.from({ length: 12 }, (_, index) => [`films/${index}.avi`, 1_000 + index * 300_000] as const)

/** A fake S3 with a bucket `bucket`: its objects and open uploads, and the options of a command. */
export const fakeS3 = Effect.gen(function*() {
  const { handle, objects, uploads } = FakeS3.make({ region: "us-east-1" })
  const url = yield* FakeS3.serve(handle, false)
  return { objects, uploads, options: ["--s3-endpoint", url, "--path-style"] }
})
