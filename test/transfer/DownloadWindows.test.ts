/** Downloads by windows: which windows a function receives, and what counts as verified. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import { createHash } from "node:crypto"
import type * as ByteRange from "../../src/protocol/ByteRange.ts"
import { BrokenOutput } from "../../src/protocol/GlacierError.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"
import * as Download from "../../src/transfer/Download.ts"
import * as Support from "./support.ts"

const { flipped, gauge, mebibyte, pattern, provided, retrieved, same, tampering, treeHash, withoutHashes } = Support

const windowSize = mebibyte

const bytes = pattern(Support.outputSize)

const sliceOf = ({ end, start }: ByteRange.ByteRange) => bytes.subarray(start, end + 1)

describe("Download.forEachWindow", () => {
  it.effect("passes each window once, with its tree hash and its SHA-256", () =>
    provided(Effect.gen(function*() {
      const starts: Array<number> = []
      yield* Download.forEachWindow(yield* retrieved(bytes), ({ bytes, hashes, range }) =>
        Effect.sync(() => {
          starts.push(range.start)
          expect(same(bytes, sliceOf(range))).toBe(true)
          expect(hashes).toEqual({
            treeHash: treeHash(bytes),
            contentSha256: Encoding.encodeHex(createHash("sha256").update(bytes).digest())
          })
        }), { windowSize })
      expect(starts.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4].map((index) => index * mebibyte))
    })))

  it.effect("does not fetch the windows that are kept, and verifies the whole with their hashes", () =>
    provided(Effect.gen(function*() {
      const output = yield* retrieved(bytes)
      const run = (hashOf: (range: ByteRange.ByteRange) => TreeHash.TreeHash) => {
        const used: Array<number> = []
        return Download.forEachWindow(output, ({ range }) => Effect.sync(() => void used.push(range.start)), {
          windowSize,
          kept: (range) =>
            Effect.succeed(range.start % (2 * mebibyte) === 0 ? Option.some(hashOf(range)) : Option.none())
        }).pipe(Effect.as(used))
      }
      expect(yield* run((range) => treeHash(sliceOf(range)))).toEqual([mebibyte, 3 * mebibyte])
      const wrong = TreeHash.TreeHash.make("0".repeat(64))
      expect(yield* Effect.flip(run(() => wrong))).toMatchObject({ _tag: "BrokenOutput", start: 0 })
    })))

  it.effect("passes no damaged window, and fetches it again", () =>
    provided(Effect.gen(function*() {
      const output = yield* retrieved(bytes)
      let used = 0
      const run = Download.forEachWindow(output, ({ bytes, range }) =>
        Effect.sync(() => {
          used += bytes.length
          expect(same(bytes, sliceOf(range))).toBe(true)
        }), { windowSize })
      const tampered = tampering(mebibyte, 2, flipped)
      yield* tampered.with(run)
      expect(used).toBe(bytes.length)
      expect(tampered.requested).toHaveLength(7)
    })))

  it.effect("discards and fails when the windows do not make the whole", () =>
    provided(Effect.gen(function*() {
      const events: Array<string> = []
      const run = Download.forEachWindow(
        yield* retrieved(bytes),
        () => Effect.sync(() => void events.push("used")),
        { windowSize, discard: Effect.sync(() => void events.push("discarded")) }
      )
      const tampered = tampering(2 * mebibyte, Number.POSITIVE_INFINITY, flipped)
      expect(yield* Effect.flip(withoutHashes(tampered.with(run)))).toMatchObject({
        _tag: "BrokenOutput",
        start: 0,
        end: bytes.length - 1
      })
      expect(events).toEqual(["used", "used", "used", "used", "used", "discarded"])
    })))

  it.effect("fetches nothing when the job has another tree hash than the caller expects", () =>
    provided(Effect.gen(function*() {
      const output = yield* retrieved(bytes)
      const expected = treeHash(pattern(5))
      const run = Download.forEachWindow(output, () => Effect.dieMessage("fetched"), { windowSize, treeHash: expected })
      expect(yield* Effect.flip(run)).toMatchObject({
        _tag: "BrokenOutput",
        problem: `the whole has tree hash ${treeHash(bytes)} instead of ${expected}`
      })
      const unknown = { ...output, treeHash: Option.none() }
      const late = Download.forEachWindow(unknown, () => Effect.void, { windowSize, treeHash: expected })
      expect(yield* Effect.flip(late)).toBeInstanceOf(BrokenOutput)
    })))

  it.effect("runs no more windows than there is room for, over several downloads", () =>
    provided(Effect.gen(function*() {
      const output = yield* retrieved(bytes)
      const room = yield* Effect.makeSemaphore(3)
      const used = gauge()
      const run = Download.forEachWindow(output, () => used.during(Effect.yieldNow()), {
        windowSize,
        whenRoom: () => room.withPermits(1)
      })
      yield* Effect.all([run, run, run], { concurrency: "unbounded" })
      expect(used.total).toBe(15)
      expect(used.peak).toBeLessThanOrEqual(3)
    })))
})
