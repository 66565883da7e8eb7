import * as NodeContext from "@effect/platform-node/NodeContext"
import { expect, layer } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Globals } from "../../src/cli/Globals.ts"
import * as Selection from "../../src/cli/Selection.ts"
import * as State from "../../src/cli/State.ts"
import { archive, make, record, upload } from "./commands/vaultFolders.ts"
import { globalsOf } from "./globals.ts"

const select = (
  globs: ReadonlyArray<string>,
  archives: ReadonlyArray<ReturnType<typeof archive>>,
  records: ReadonlyArray<object>,
  options?: { readonly locations: boolean }
) =>
  Effect.gen(function*() {
    const state = yield* make("photos", archives, records)
    return yield* Effect.flatMap(State.offline, (vault) => Selection.make(vault, globs, options)).pipe(
      Effect.provideService(Globals, globalsOf(state))
    )
  })

const collect = ({ items }: Selection.Selection) => Effect.map(Stream.runCollect(items), Chunk.toReadonlyArray)

const names = (selection: Selection.Selection) =>
  Effect.map(collect(selection), (items) => items.map(Selection.shownName))

layer(NodeContext.layer)("Selection", (it) => {
  it.scoped("streams the same archives each time that it is run", () =>
    Effect.gen(function*() {
      const selection = yield* select([], [archive("a", "a.jpg", 1)], [
        upload("b", "b.jpg", 2, "2020-01-02T00:00:00.000Z")
      ])
      expect(yield* names(selection)).toEqual(["a.jpg", "b.jpg"])
      expect(yield* collect(selection)).toEqual(yield* collect(selection))
    }))

  it.scoped("applies the patterns to archives that were uploaded since, too", () =>
    Effect.gen(function*() {
      const uploads = [
        upload("b", "b.jpg", 2, "2020-01-02T00:00:00.000Z"),
        upload("c", "c.mov", 2, "2020-01-02T00:00:00.000Z")
      ]
      const selection = yield* select(["*.mov"], [archive("a", "a.jpg", 1)], uploads)
      expect(yield* names(selection)).toEqual(["c.mov"])
    }))

  it.scoped("lists an upload of the day before the inventory, which may miss it, but no older one", () =>
    Effect.gen(function*() {
      const selection = yield* select([], [], [
        upload("a", "missed", 1, "2019-12-31T12:00:00.000Z"),
        upload("b", "deleted by another program", 1, "2019-12-30T12:00:00.000Z")
      ])
      expect(yield* names(selection)).toEqual(["missed"])
    }))

  it.scoped("gives archives the location in the record that counts, if the command asks for it", () =>
    Effect.gen(function*() {
      const records = [
        record("a", "retrieved", "2020-02-02T00:00:00.000Z", "/new/a"),
        record("a", "retrieved", "2020-02-01T00:00:00.000Z", "/old/a")
      ]
      const archives = [archive("a", "a", 1), archive("b", "b", 1)]
      const locations = (options?: { readonly locations: boolean }) =>
        Effect.flatMap(
          select([], archives, records, options),
          (selection) =>
            Effect.map(collect(selection), (items) => items.map(({ location }) => Option.getOrNull(location)))
        )
      expect(yield* locations({ locations: true })).toEqual(["/new/a", null])
      expect(yield* locations()).toEqual([null, null])
    }))

  it.scoped("keeps deleted archives, for which `exists` returns false", () =>
    Effect.gen(function*() {
      const archives = [archive("a", "a", 1), archive("b", "b", 1)]
      const selection = yield* select([], archives, [record("a", "deleted", "2020-02-01T00:00:00.000Z")])
      expect((yield* collect(selection)).map(Selection.exists)).toEqual([false, true])
    }))
})
