import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import { RetryPolicy } from "../../src/policy/RetryPolicy.ts"
import type { MalformedEntry } from "../../src/protocol/GlacierError.ts"
import { JobRunning } from "../../src/protocol/GlacierError.ts"
import * as Job from "../../src/services/Job.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import { promptly } from "../support/retryPolicies.ts"
import * as Support from "../transfer/support.ts"
import { bytes, changed, day, filled, hour, listed, prompt } from "./inventoryJobs.ts"
import { layer } from "./support.ts"

const { address, mebibyte } = Support

describe("Job.inventory", () => {
  it.effect("has its date, its age and its archives", () =>
    Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const archive = yield* vault.upload(Source.bytes(bytes), { description: "holiday.tar" })
      yield* TestClock.adjust("1 day")
      const job = yield* vault.retrieveInventory()
      expect(yield* Effect.flip(job.inventory)).toBeInstanceOf(JobRunning)
      yield* TestClock.adjust("4 hours")
      const inventory = yield* job.inventory
      expect(inventory).toMatchObject({
        _tag: "Full",
        vaultArn: "arn:aws:glacier:us-east-1:123456789012:vaults/photos",
        format: "JSON",
        size: Option.getOrThrow((yield* job.describe).inventorySizeInBytes),
        verification: yield* job.verification(),
        inventoryDate: Option.some(DateTime.unsafeMake(day))
      })
      expect(Chunk.toReadonlyArray(yield* Stream.runCollect(inventory.archives()))).toEqual([{
        archiveId: archive.archiveId,
        description: "holiday.tar",
        creationDate: DateTime.unsafeMake(0),
        size: bytes.length,
        treeHash: archive.treeHash
      }])
      expect(yield* inventory.age).toEqual(Option.some(Duration.hours(4)))
      yield* TestClock.adjust("1 hour")
      expect(yield* inventory.age).toEqual(Option.some(Duration.hours(5)))
    }).pipe(Effect.provide(layer())))

  it.effect("lists the same archives in CSV, without a date", () =>
    Effect.gen(function*() {
      const descriptions = ["a, \"b\"", "c\\", "", "1\\\"2", "\"", "\\\""]
      const vault = yield* filled(...descriptions)
      const json = yield* Effect.flatMap(vault.retrieveInventory(), (job) => job.inventory)
      const csv = yield* Effect.flatMap(vault.retrieveInventory({ format: "CSV" }), (job) => job.inventory)
      expect(csv).toMatchObject({ _tag: "Full", format: "CSV", vaultArn: json.vaultArn, inventoryDate: Option.none() })
      expect(yield* csv.age).toEqual(Option.none())
      expect(yield* listed(csv)).toEqual(descriptions)
      expect(yield* Stream.runCollect(csv.archives())).toEqual(yield* Stream.runCollect(json.archives()))
    }).pipe(Effect.provide(prompt)))

  it.effect("is Partial when it lists a selection, and has the marker of the next page", () =>
    Effect.gen(function*() {
      const vault = yield* filled("1", "2", "3", "4")
      const startDate = DateTime.unsafeMake(hour)
      const endDate = DateTime.unsafeMake(4 * hour)
      const none = { startDate: Option.none(), endDate: Option.none(), limit: Option.none(), next: Option.none() }
      const retrieved = (selection: Vault.RetrieveInventory["selection"]) =>
        Effect.flatMap(vault.retrieveInventory({ selection }), (job) => job.inventory)

      const dated = yield* retrieved({ startDate })
      expect(dated).toMatchObject({ _tag: "Partial", ...none, startDate: Option.some(startDate) })
      expect(yield* listed(dated)).toEqual(["2", "3", "4"])
      expect(yield* retrieved({ endDate })).toMatchObject({ _tag: "Partial", ...none, endDate: Option.some(endDate) })

      const page = yield* retrieved({ startDate, limit: 2 })
      expect(page).toMatchObject({ _tag: "Partial", limit: Option.some(2), next: Option.some(expect.any(String)) })
      expect(yield* listed(page)).toEqual(["2", "3"])
      const marker = page._tag === "Partial" ? Option.getOrUndefined(page.next) : undefined
      const last = yield* retrieved({ startDate, limit: 2, marker })
      expect(last).toMatchObject({ _tag: "Partial", next: Option.none() })
      expect(yield* listed(last)).toEqual(["4"])
      expect(yield* retrieved({ limit: 4 })).toMatchObject({ _tag: "Partial", limit: Option.some(4) })
      expect(yield* retrieved({})).toMatchObject({ _tag: "Full" })
    }).pipe(Effect.provide(prompt)))

  it.effect("fails for a job that retrieves an archive", () =>
    Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const { archiveId } = yield* vault.upload(Source.bytes(bytes))
      const job = yield* vault.retrieveArchive(archiveId)
      expect(yield* Effect.flip(job.inventory)).toMatchObject({
        _tag: "InvalidInput",
        operation: "inventory",
        value: "ArchiveRetrieval",
        rule: "must be an inventory job"
      })
    }).pipe(Effect.provide(prompt)))

  it.effect.each([-1, 1])(
    "verifies the size of the document: %d extra bytes",
    (more) =>
      Effect.gen(function*() {
        const vault = yield* filled("1")
        const job = yield* vault.retrieveInventory()
        const { inventorySizeInBytes } = yield* job.describe
        const size = Option.getOrThrow(inventorySizeInBytes)
        const error = yield* Job.attach(address, job.id).pipe(
          Effect.flatMap((job) => Effect.flip(job.inventory)),
          Support.replacing((glacier) => ({
            getJobOutput: (input) =>
              Effect.map(glacier.getJobOutput(input), (response) => ({
                ...response,
                body: more > 0
                  ? Stream.concat(response.body, Stream.succeed(new Uint8Array(more)))
                  : Stream.map(response.body, (piece) => piece.subarray(0, piece.length + more))
              }))
          })),
          Effect.provideService(RetryPolicy, promptly(2))
        )
        expect(error).toMatchObject({
          _tag: "BrokenOutput",
          start: 0,
          end: size - 1,
          problem: more > 0
            ? `more than the requested ${size} bytes arrived`
            : `only ${size - 1} of the requested ${size} bytes arrived`
        })
      }).pipe(Effect.provide(layer(undefined, { jobDelay: 0 })))
  )

  it.effect("fetches one window again when a connection breaks", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      const vault = yield* Vault.Vault
      const archive = {
        ...address,
        body: bytes,
        description: "\"".repeat(1_024),
        treeHash: Support.treeHash(bytes),
        contentSha256: Support.treeHash(bytes)
      }
      // The JSON document has more than a MiB.
      yield* Effect.replicateEffect(glacier.uploadArchive(archive), 500, { discard: true })
      yield* TestClock.adjust("1 day")
      const asked: Array<number> = []
      const job = yield* changed(yield* vault.retrieveInventory(), (body, start) => {
        asked.push(start)
        const isBroken = start > 0 && asked.filter((other) => other === start).length === 1
        return isBroken ? Stream.orDie(Stream.take(body, 1)) : Stream.orDie(body)
      })
      const inventory = yield* job.inventory
      expect(asked).toEqual([0])
      asked.length = 0
      const archives = inventory.archives({ windowSize: mebibyte, concurrency: 1 })
      expect(yield* Effect.provideService(Stream.runCount(archives), RetryPolicy, promptly(2))).toBe(500)
      expect(asked).toEqual([0, mebibyte, mebibyte])
    }).pipe(Effect.provide(prompt)), 60_000)

  it.effect("fails at a malformed entry, or reports it to onMalformed and continues", () =>
    Effect.gen(function*() {
      const vault = yield* filled("1", "broken", "3")
      const job = yield* changed(yield* vault.retrieveInventory(), (body) =>
        Stream.orDie(body).pipe(
          Stream.decodeText(),
          Stream.map((text) => text.replace(/(?<=broken.*?"SHA256TreeHash":")../, "??")),
          Stream.encodeText
        ))
      const inventory = yield* job.inventory
      const error = yield* Effect.flip(Stream.runDrain(inventory.archives()))
      expect(error).toMatchObject({ _tag: "MalformedEntry", entry: 2, text: expect.stringContaining("\"broken\"") })
      const gathered = yield* Ref.make(Chunk.empty<MalformedEntry>())
      const rest = inventory.archives({ onMalformed: (entry) => Ref.update(gathered, Chunk.append(entry)) })
      expect(Chunk.toReadonlyArray(yield* Stream.runCollect(rest)).map(({ description }) => description)).toEqual([
        "1",
        "3"
      ])
      expect(yield* Ref.get(gathered)).toEqual(Chunk.of(error))
    }).pipe(Effect.provide(prompt)))
})
