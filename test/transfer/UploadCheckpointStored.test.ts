/** Uploads with a checkpoint whose process dies after the archive is complete and before its id is recorded elsewhere. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import {
  afterThree,
  archives,
  bytes,
  type Cut,
  inTraffic,
  makeTraffic,
  name,
  once,
  recorded,
  upload,
  versioned
} from "./checkpointUploads.ts"
import * as Support from "./support.ts"

const { address, openUploads, pattern, replacing, same, stored } = Support

/** A hook that fails the first time. `received` has the archives that it was called with. */
const makeHook = (failures = 1) => {
  const received: Array<Upload.StoredArchive> = []
  return {
    received,
    onStored: (archive: Upload.StoredArchive) =>
      Effect.suspend(() => received.push(archive) <= failures ? Effect.fail("not recorded" as const) : Effect.void)
  }
}

/** A checkpoint in which writing entries of a kind fails. */
const failing = (method: "append" | "clear", pattern = /./) =>
  Effect.updateService(Checkpoint.Checkpoint, ({ open }): Checkpoint.Service => ({
    open: (name) =>
      Effect.map(open(name), (log) => {
        const error = new Checkpoint.CheckpointError({ name, problem: "no space left" })
        return method === "clear" ? { ...log, clear: Effect.fail(error) } : {
          ...log,
          append: (entry) => pattern.test(entry) ? Effect.fail(error) : log.append(entry)
        }
      })
  }))

/** The service completes the upload, but its response is lost. */
const completed: Cut = { at: 7, ends: "process", loses: "response" }

describe("onStored", () => {
  const sources = { "a versioned source": versioned(bytes).source, bytes: Source.bytes(bytes), "a Stream": once(bytes) }

  it.effect.each(Object.entries(sources))(
    "receives the same archive again after it failed, without a request, days later: %s [I9]",
    ([kind, source]) => {
      const traffic = makeTraffic()
      const hook = makeHook()
      return Effect.gen(function*() {
        expect(yield* Effect.flip(upload(source, hook))).toBe("not recorded")
        yield* TestClock.adjust("30 days")
        traffic.taken()
        const archive = yield* upload(source, hook)
        expect(traffic.taken()).toEqual([])
        const version = kind === "a versioned source" ? Option.some("1") : Option.none()
        expect(hook.received).toEqual([{ ...archive, version }, { ...archive, version }])
        expect(same((yield* stored(archive.archiveId)).bytes, bytes)).toBe(true)
        expect(yield* archives).toBe(1)
        expect(yield* recorded).toEqual([])
      }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
    }
  )

  it.effect("runs before the checkpoint is cleared", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const { open } = yield* Checkpoint.Checkpoint
      const steps: Array<string> = []
      const watched: Checkpoint.Service = {
        open: (name) =>
          Effect.map(open(name), (log) => ({
            ...log,
            append: (entry) => Effect.zipRight(log.append(entry), Effect.sync(() => steps.push(entry.slice(0, 30)))),
            clear: Effect.zipRight(Effect.sync(() => steps.push("clear")), log.clear)
          }))
      }
      yield* upload(Source.bytes(bytes), { onStored: () => Effect.sync(() => void steps.push("hook")) }).pipe(
        Effect.provideService(Checkpoint.Checkpoint, watched)
      )
      expect(steps.slice(-3)).toEqual([expect.stringContaining("archiveId"), "hook", "clear"])
    }).pipe(inTraffic(traffic))
  })

  it.effect("does not read a source with the same version again", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const { source, taken } = versioned(bytes)
      yield* Effect.flip(upload(source, makeHook()))
      taken()
      yield* upload(source)
      expect(taken()).toEqual([])
    }).pipe(inTraffic(traffic))
  })

  it.effect("is called again if the checkpoint could not be cleared", () => {
    const traffic = makeTraffic()
    const hook = makeHook(0)
    return Effect.gen(function*() {
      yield* failing("clear")(upload(Source.bytes(bytes), hook))
      yield* upload(Source.bytes(bytes), hook)
      expect(new Set(hook.received.map(({ archiveId }) => archiveId)).size).toBe(1)
      expect([hook.received.length, yield* archives]).toEqual([2, 1])
    }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
  })

  it.effect("receives the archive even if it cannot be recorded in the checkpoint", () => {
    const traffic = makeTraffic()
    const hook = makeHook(0)
    return Effect.gen(function*() {
      const { archiveId } = yield* failing("append", /archiveId/)(upload(Source.bytes(bytes), hook))
      expect(hook.received).toMatchObject([{ archiveId }])
      expect(yield* recorded).toEqual([])
    }).pipe(inTraffic(traffic))
  })

  it.effect("leads to no second archive if it fails and the archive cannot be recorded", () => {
    const traffic = makeTraffic()
    const hook = makeHook()
    return Effect.gen(function*() {
      yield* Effect.flip(failing("append", /archiveId/)(upload(Source.bytes(bytes), hook)))
      const { archiveId } = yield* upload(Source.bytes(bytes), hook)
      expect(hook.received).toMatchObject([{ archiveId }, { archiveId }])
      expect(yield* archives).toBe(1)
    }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
  })

  it.effect("is not called for a source with another version, size or bytes", () => {
    const traffic = makeTraffic()
    const hook = makeHook()
    return Effect.gen(function*() {
      const { source, state } = versioned(bytes)
      yield* Effect.flip(upload(source, hook))
      state.version = "2"
      const other = Source.bytes(pattern(bytes.length).fill(9, 0, 10))
      for (const changed of [source, Source.bytes(bytes.subarray(1)), other]) {
        expect(yield* Effect.flip(upload(changed, hook))).toMatchObject({ _tag: "SourceChanged" })
      }
      expect((yield* Effect.flip(upload(source, hook))).toString()).toContain(hook.received[0]?.archiveId)
      expect(hook.received.length).toBe(1)
      expect(yield* archives).toBe(1)
    }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
  })
})

describe("Upload.discard", () => {
  it.effect("aborts the upload and clears the checkpoint, so that another source can be uploaded", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      yield* traffic.living(upload(Source.bytes(bytes)), afterThree)
      expect((yield* openUploads).length).toBe(1)
      expect(yield* Upload.discard(address, name)).toEqual(Option.none())
      expect(yield* openUploads).toEqual([])
      yield* upload(Source.bytes(bytes.subarray(1)), { description: "another" })
      expect(yield* archives).toBe(1)
    }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
  })

  it.effect("sends nothing when the checkpoint is empty", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      expect(yield* Upload.discard(address, name)).toEqual(Option.none())
      expect(traffic.taken()).toEqual([])
    }).pipe(inTraffic(traffic))
  })

  it.effect("clears the checkpoint of an upload that is not open any more", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      yield* traffic.living(upload(Source.bytes(bytes)), afterThree)
      yield* TestClock.adjust("2 days")
      expect(yield* Upload.discard(address, name)).toEqual(Option.none())
      expect(yield* recorded).toEqual([])
    }).pipe(inTraffic(traffic))
  })

  const cases = {
    "its process died before it received the id": (traffic: ReturnType<typeof makeTraffic>) =>
      traffic.living(upload(versioned(bytes).source), completed),
    "its hook failed": () => Effect.flip(upload(versioned(bytes).source, makeHook()))
  }
  it.effect.each(Object.entries(cases))("passes the archive of a completed upload to onStored: %s", ([, ends]) => {
    const traffic = makeTraffic()
    const hook = makeHook()
    return Effect.gen(function*() {
      yield* ends(traffic)
      expect(yield* Effect.flip(Upload.discard(address, name, hook))).toBe("not recorded")
      const archive = Option.getOrThrow(yield* Upload.discard(address, name, hook))
      expect(hook.received).toMatchObject([archive, { ...archive, version: Option.some("1") }])
      expect(archive).toMatchObject({ size: bytes.length, treeHash: Support.treeHash(bytes), parts: 5 })
      expect(same((yield* stored(archive.archiveId)).bytes, bytes)).toBe(true)
      expect(yield* recorded).toEqual([])
    }).pipe(inTraffic(traffic))
  })

  it.effect("keeps the checkpoint while it is unknown whether the upload was completed", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      yield* traffic.living(upload(versioned(bytes).source), completed)
      yield* TestClock.adjust("2 days")
      const error = yield* Effect.flip(Upload.discard(address, name))
      expect(error).toMatchObject({ _tag: "OutcomeUnknown" })
      expect(error.message).toContain(Support.treeHash(bytes))
      expect(yield* recorded).not.toEqual([])
    }).pipe(inTraffic(traffic))
  })

  it.effect("does not guess the archive of a Stream, whose size is not recorded", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      yield* traffic.living(upload(once(bytes)), completed)
      expect(yield* Effect.flip(Upload.discard(address, name))).toMatchObject({ _tag: "OutcomeUnknown" })
      expect(yield* archives).toBe(1)
    }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
  })

  it.effect("rejects the checkpoint of another vault or account, and sends nothing", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      yield* traffic.living(upload(Source.bytes(bytes)), afterThree)
      traffic.taken()
      for (const other of [{ vaultName: "music" }, { ...address, accountId: "123456789012" }]) {
        expect(yield* Effect.flip(Upload.discard(other, name))).toMatchObject({ _tag: "InvalidInput" })
      }
      expect(traffic.taken()).toEqual([])
    }).pipe(inTraffic(traffic))
  })

  it.effect("keeps the checkpoint when the abort fails", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      yield* traffic.living(upload(Source.bytes(bytes)), afterThree)
      const cut: Cut = { at: 1, ends: "connection", loses: "request" }
      const error = yield* Effect.flip(traffic.living(Upload.discard(address, name), cut))
      expect(error).toMatchObject({ _tag: "ConnectionError" })
      yield* Upload.discard(address, name)
      expect(yield* openUploads).toEqual([])
    }).pipe(inTraffic(traffic))
  })
})

it.effect("returns the archive of an upload whose process died before the checkpoint was cleared, days later", () => {
  const traffic = makeTraffic()
  return Effect.gen(function*() {
    const { archiveId } = yield* failing("clear")(upload(once(bytes)))
    yield* TestClock.adjust("30 days")
    const never = replacing(() => ({ completeMultipartUpload: () => Effect.die("completed again") }))
    expect(yield* never(upload(once(bytes)))).toMatchObject({ archiveId })
    expect(yield* archives).toBe(1)
  }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
})
