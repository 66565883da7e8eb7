/** Moves to an object store whose program dies, or whose connection breaks, at any call and at any write of the checkpoint. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import { fates } from "../policy/support.ts"
import { same } from "../transfer/support.ts"
import * as Support from "./support.ts"

const { archive, makeMachine, mebibyte, move, onEmulator, pattern } = Support

/** An archive that is moved in one request, and an archive that is moved in parts. */
const sizes = [mebibyte, 3.5 * mebibyte]

const partsOf = (size: number): number => size > mebibyte ? Math.ceil(size / mebibyte) : 0

const isPart = (call: string): boolean => call.startsWith("UploadPart")

/** Whether the bucket has the copy, and neither it nor the checkpoint has anything else of the program. */
const expectMoved = ({ bucket, pages }: Support.Machine, { archive, bytes }: Support.Given) => {
  expect(Array.from(bucket.objects.keys())).toEqual(["a.txt"])
  expect(same(bucket.objects.get("a.txt")?.bytes ?? new Uint8Array(), bytes)).toBe(true)
  expect(bucket.objects.get("a.txt")?.metadata).toMatchObject({ "glacier-archive-id": archive.archiveId })
  expect(bucket.uploads.size).toBe(0)
  expect(pages.size).toBe(0)
}

/** The number of calls and of writes of a program that does not die. */
const lengthOf = Effect.fnUntraced(function*(given: Support.Given) {
  const machine = yield* makeMachine()
  const { count, writes } = yield* machine.run(move(given))
  expectMoved(machine, given)
  return { count, writes }
})

describe.each(sizes)("a program that moves %i bytes", (size) => {
  it.effect("can be killed at any call, before or after it has an effect, and sends only parts in flight again", () =>
    Effect.gen(function*() {
      const given = yield* archive(pattern(size))
      const { count } = yield* lengthOf(given)
      for (const loses of ["request", "response"] as const) {
        for (let at = 1; at <= count; at++) {
          const machine = yield* makeMachine()
          const { end } = yield* machine.run(move(given), { cut: { at, ends: "process", loses } })
          expect(Option.isNone(end)).toBe(true)
          yield* machine.done(move(given))
          expectMoved(machine, given)
          expect(machine.taken().filter(isPart).length).toBeLessThanOrEqual(partsOf(size) + 1)
        }
      }
    }).pipe(onEmulator))

  it.effect("can be killed at any write of its checkpoint, whatever the disk has of that write", () =>
    Effect.gen(function*() {
      const given = yield* archive(pattern(size))
      const { writes } = yield* lengthOf(given)
      // A checkpoint loses no write that it has acknowledged.
      for (const fate of fates.filter((fate) => fate !== "lost")) {
        for (let at = 1; at <= writes; at++) {
          const machine = yield* makeMachine()
          yield* machine.run(move(given), { writes: at, fate })
          yield* machine.done(move(given))
          expectMoved(machine, given)
          expect(machine.taken().filter(isPart).length).toBeLessThanOrEqual(partsOf(size) + 1)
        }
      }
    }).pipe(onEmulator))

  it.effect("can be killed again and again, at each call of each run", () =>
    Effect.gen(function*() {
      const given = yield* archive(pattern(size))
      const machine = yield* makeMachine()
      let runs = 0
      for (let at = 1; runs < 100; at = at % 7 + 1) {
        runs++
        const { end } = yield* machine.run(move(given), { cut: { at, ends: "process", loses: "response" } })
        if (Option.isSome(end)) break
      }
      expect(runs).toBeLessThan(100)
      expectMoved(machine, given)
    }).pipe(onEmulator))

  it.effect("succeeds when a request or its response is lost and the call is retried, whichever call it is", () =>
    Effect.gen(function*() {
      const given = yield* archive(pattern(size))
      const { count } = yield* lengthOf(given)
      for (const loses of ["request", "response"] as const) {
        for (let at = 1; at <= count; at++) {
          const machine = yield* makeMachine()
          const { end } = yield* machine.run(move(given), { cut: { at, ends: "connection", loses } })
          expect(Option.isSome(end)).toBe(true)
          expectMoved(machine, given)
        }
      }
    }).pipe(onEmulator))

  it.effect("succeeds in its second run when the first one failed with a lost request or response", () =>
    Effect.gen(function*() {
      const given = yield* archive(pattern(size))
      const { count } = yield* lengthOf(given)
      for (const loses of ["request", "response"] as const) {
        for (let at = 1; at <= count; at++) {
          const machine = yield* makeMachine()
          const { end } = yield* machine.run(Effect.exit(move(given)), { cut: { at, ends: "connection", loses } }).pipe(
            Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none)
          )
          expect(Option.isSome(end)).toBe(true)
          yield* machine.done(move(given))
          expectMoved(machine, given)
        }
      }
    }).pipe(onEmulator))
})
