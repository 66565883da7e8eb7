/** Two processes that download to one target: the file is complete or missing, and the first download is not disturbed. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, readFileSync, symlinkSync } from "node:fs"
import { join, relative } from "node:path"
import { allWindows, expectComplete, inFolder } from "./rivalDownloads.ts"
import * as Support from "./support.ts"

describe.concurrent("two processes that download to one target", () => {
  it.scopedLive(
    "do not disturb each other: the second is rejected, by any path to the target",
    () =>
      inFolder(({ start, directory, names, run, target }) =>
        Effect.gen(function*() {
          mkdirSync(join(directory, "sub"))
          symlinkSync(directory, join(directory, "linked"))
          const first = yield* start(target)
          yield* first.blocked
          const before = names()
          expect(before).toHaveLength(5)
          for (const path of [target, relative(process.cwd(), target), join(directory, "linked", "film")]) {
            const output = yield* run(path)
            expect(output).toMatch(
              /^FileInUse: .*\/film is in use by process \d+\. If that process no longer runs, remove /
            )
            expect(output).toContain(`${target} is in use`)
            expect(names()).toEqual(before)
          }
          const stopped = yield* start(`${directory}/sub/../film`)
          yield* stopped.kill("SIGINT")
          expect(names()).toEqual(before)
          yield* first.open
          expect(yield* first.output).toBe("done")
          expectComplete(target)
          expect(names()).toEqual(["film", "linked", "sub"])
        })
      ),
    180_000
  )

  it.scopedLive(
    "share verified windows: the second process resumes after the first was killed",
    () =>
      inFolder(({ start, directory, names, run, target }) =>
        Effect.gen(function*() {
          const first = yield* start(target, 4)
          yield* first.blocked
          const checkpoint = names().find((name) => name.endsWith(".checkpoint")) ?? ""
          const recorded = Effect.sync(() => readFileSync(join(directory, checkpoint), "utf8").match(/^\d+-/gm) ?? [])
          yield* Support.until(recorded, ({ length }) => length >= 3)
          yield* first.kill("SIGKILL")
          expect(names()).toHaveLength(3)
          const rest = yield* start(target, 6)
          expect(yield* rest.output).toBe("done")
          expectComplete(target)
          expect(names()).toEqual(["film"])
          expect(yield* run(target, allWindows)).toBe("done")
        })
      ),
    180_000
  )

  it.scopedLive(
    "leave no files when the first is interrupted, so the second starts from the beginning",
    () =>
      inFolder(({ start, names, run, target }) =>
        Effect.gen(function*() {
          const first = yield* start(target)
          yield* first.blocked
          yield* first.kill("SIGINT")
          expect(names()).toEqual([])
          expect(yield* run(target, allWindows)).toBe("done")
          expectComplete(target)
          expect(names()).toEqual(["film"])
        })
      ),
    180_000
  )

  it.scopedLive(
    "never mix their bytes, even without a lock: the first fails when the second replaces its file",
    () =>
      inFolder(({ start, names, run, target }) =>
        Effect.gen(function*() {
          const first = yield* start(target, 3, "unlocked")
          yield* first.blocked
          const stopped = yield* start(target, 0, "unlocked")
          yield* stopped.blocked
          yield* stopped.kill("SIGINT")
          expect(names()).toEqual([])
          const again = yield* start(target, 2, "unlocked")
          yield* again.blocked
          yield* first.open
          expect(yield* first.output).toMatch(
            /^FileReplaced: .*\/film is not written: another process removed or replaced /
          )
          expect(names()).not.toContain("film")
          yield* again.open
          expect(yield* again.output).toBe("done")
          expectComplete(target)
          expect(names()).toEqual(["film"])
          expect(yield* run(target, allWindows, "unlocked")).toBe("done")
        })
      ),
    180_000
  )
})
