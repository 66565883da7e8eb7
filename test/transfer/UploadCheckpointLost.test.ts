/** Uploads with a checkpoint that are not open any more, or whose id was never recorded. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as Source from "../../src/transfer/Source.ts"
import {
  afterThree,
  archives,
  bytes,
  type Cut,
  inTraffic,
  makeTraffic,
  name,
  upload,
  versioned
} from "./checkpointUploads.ts"
import * as Support from "./support.ts"

const { address, mebibyte, openUploads, pattern, replacing, same, stored } = Support

describe("an upload with a checkpoint that is not open any more", () => {
  const gone = {
    "was aborted": Effect.gen(function*() {
      const [upload] = yield* openUploads
      const glacier = yield* GlacierClient
      yield* glacier.abortMultipartUpload({ ...address, uploadId: upload?.uploadId ?? "" })
    }),
    "has expired": TestClock.adjust("2 days")
  }
  it.effect.each(Object.entries(gone))("is replaced by a new upload: it %s", ([, ends]) => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const { source, taken } = versioned(bytes)
      yield* traffic.living(upload(source), afterThree)
      yield* ends
      taken()
      const { archiveId } = yield* upload(source)
      expect(taken()).toEqual([0, 1, 2, 3, 4])
      expect(same((yield* stored(archiveId)).bytes, bytes)).toBe(true)
      expect(yield* openUploads).toEqual([])
    }).pipe(inTraffic(traffic))
  })

  /** All parts are sent, and the service completes the upload, but its response is lost. */
  const completed: Cut = { at: 7, ends: "process", loses: "response" }

  it.effect("returns the archive that was completed a short while ago, and neither reads nor sends", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const { source, taken } = versioned(bytes)
      yield* traffic.living(upload(source), completed)
      taken()
      traffic.taken()
      const { archiveId } = yield* upload(source)
      expect(taken()).toEqual([])
      expect(traffic.taken()).toEqual(["GET", "POST"])
      expect(same((yield* stored(archiveId)).bytes, bytes)).toBe(true)
      expect(yield* archives).toBe(1)
    }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
  })

  /** The responses to completions have no tree hash. */
  const silently = replacing((glacier) => ({
    completeMultipartUpload: (input) =>
      Effect.map(glacier.completeMultipartUpload(input), (response) => ({ ...response, treeHash: Option.none() }))
  }))

  it.effect("returns the archive by the tree hash in the checkpoint when the response has none", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      yield* traffic.living(upload(Source.bytes(bytes)), completed)
      const { archiveId } = yield* silently(upload(Source.bytes(bytes)))
      expect(same((yield* stored(archiveId)).bytes, bytes)).toBe(true)
      expect(yield* archives).toBe(1)
    }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
  })

  it.effect("fails with SourceChanged when the source has other bytes than those that were completed", () => {
    const traffic = makeTraffic()
    const others = pattern(bytes.length).fill(9, 0, 10)
    return Effect.gen(function*() {
      yield* traffic.living(upload(Source.bytes(bytes)), completed)
      expect(yield* Effect.flip(silently(upload(Source.bytes(others))))).toMatchObject({ _tag: "SourceChanged" })
      expect(yield* archives).toBe(1)
    }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
  })

  it.effect("makes no second archive when it is unknown whether there is one", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      yield* traffic.living(upload(Source.bytes(bytes)), completed)
      yield* TestClock.adjust("2 days")
      for (let n = 0; n < 2; n++) {
        const error = yield* Effect.flip(upload(Source.bytes(bytes)))
        expect(error).toMatchObject({ _tag: "OutcomeUnknown", operation: "CompleteMultipartUpload" })
        expect(error.message).toContain("clear checkpoint \"holiday\"")
      }
      expect(yield* archives).toBe(1)
      yield* Checkpoint.clear(name)
      yield* upload(Source.bytes(bytes))
      expect(yield* archives).toBe(2)
    }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
  })
})

describe("an upload with a checkpoint that has not recorded its id", () => {
  const opening: Cut = { at: 1, ends: "process", loses: "response" }

  it.effect("opens another upload, and leaves the first one, which is empty and expires", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      yield* traffic.living(upload(Source.bytes(bytes), { description: "mine" }), opening)
      const [orphan] = yield* openUploads
      traffic.taken()
      const archive = yield* upload(Source.bytes(bytes), { description: "mine" })
      expect(traffic.taken()).toEqual(["POST", "PUT 0", "PUT 1", "PUT 2", "PUT 3", "PUT 4", "POST"])
      expect(same((yield* stored(archive.archiveId)).bytes, bytes)).toBe(true)
      expect((yield* openUploads).map(({ uploadId }) => uploadId)).toEqual([orphan?.uploadId])
      yield* TestClock.adjust("1 day")
      expect(yield* openUploads).toEqual([])
    }).pipe(inTraffic(traffic))
  })

  it.effect("does not touch an upload of another host that looks the same", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const glacier = yield* GlacierClient
      const mine = upload(Source.bytes(bytes), { description: "mine" })
      yield* traffic.living(mine, { ...opening, loses: "request" })
      // The only open upload has the same description and part size, is as old, and has no part yet.
      const { uploadId } = yield* glacier.initiateMultipartUpload({
        ...address,
        description: "mine",
        partSize: mebibyte
      })
      const archive = yield* mine
      expect(same((yield* stored(archive.archiveId)).bytes, bytes)).toBe(true)
      expect((yield* openUploads).map((upload) => upload.uploadId)).toEqual([uploadId])
      expect((yield* glacier.listParts({ ...address, uploadId })).parts).toEqual([])
    }).pipe(inTraffic(traffic))
  })

  it.effect("accepts another description or a changed source", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const { source, state } = versioned(bytes)
      yield* traffic.living(upload(source), { ...opening, loses: "request" })
      state.version = "2"
      const { archiveId } = yield* upload(source, { description: "another" })
      expect((yield* stored(archiveId)).description).toEqual(Option.some("another"))
    }).pipe(inTraffic(traffic))
  })
})
