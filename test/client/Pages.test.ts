import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Pages from "../../src/client/Pages.ts"
import { errorResponseOf, respondWith, responseOf } from "../transport/support.ts"
import { json, lists, running } from "./pagedLists.ts"

describe.each(lists)("Pages of $name", ({ page, query, stream, target }) => {
  const numbers = Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)
  const following = (marker: string) => [query, `marker=${marker}`].filter((text) => text !== "").join("&")
  const three = respondWith(json(page("a/1", 1, 2)), json(page("b 2")), json(page(null, 3)))

  it.effect("follow the markers to the last page, also over empty pages", () =>
    Effect.gen(function*() {
      const { queries, result, targets } = yield* running(numbers, three)
      expect(result).toMatchObject({ _tag: "Right", right: [1, 2, 3] })
      expect(queries).toEqual([query, following("a%2F1"), following("b%202")])
      expect(targets).toEqual([target, target, target])
    }))

  it.effect("end after the first page if it has no marker", () =>
    Effect.gen(function*() {
      const { queries, result } = yield* running(numbers, respondWith(json(page(null))))
      expect(result).toMatchObject({ _tag: "Right", right: [] })
      expect(queries).toEqual([query])
    }))

  it.effect.each([[1, 1], [2, 1], [3, 3]] as const)(
    "send only as many requests as needed: for %i entries %i",
    ([wanted, asked]) =>
      Effect.gen(function*() {
        const { queries, result } = yield* running(Stream.runCount(Stream.take(stream, wanted)), three)
        expect(result).toMatchObject({ right: wanted })
        expect(queries).toHaveLength(asked)
      })
  )

  it.effect("end after a page with an empty marker", () =>
    Effect.gen(function*() {
      const { queries, result } = yield* running(numbers, respondWith(json(page("a", 1)), json(page("", 2))))
      expect(result).toMatchObject({ _tag: "Right", right: [1, 2] })
      expect(queries).toEqual([query, following("a")])
    }))

  it.effect.each([[["a", "a"]], [["a", "b", "a"]], [["a", "b", "c", "b"]]] as const)(
    "fail when a marker repeats, because the list would never end: %s",
    ([markers]) =>
      Effect.gen(function*() {
        const seen: Array<number> = []
        const pages = markers.map((marker, index) => json(page(marker, index)))
        const { queries, result } = yield* running(
          Stream.runForEach(stream, (entry) => Effect.sync(() => seen.push(entry))),
          (_, attempt) => Effect.sync(pages[(attempt - 1) % pages.length]!)
        )
        expect(result).toMatchObject({ _tag: "Left", left: { _tag: "MalformedResponse" } })
        expect(queries).toHaveLength(markers.length)
        expect(seen).toEqual(markers.slice(1).map((_, index) => index))
      })
  )

  it.effect("start from the first page each time they are run", () =>
    Effect.gen(function*() {
      const { queries } = yield* running(
        Effect.replicateEffect(Stream.runHead(stream), 2),
        respondWith(json(page("a", 1)))
      )
      expect(queries).toEqual([query, query])
    }))

  it.effect("emit the entries of earlier pages before they fail", () =>
    Effect.gen(function*() {
      const seen: Array<number> = []
      const { queries, result } = yield* running(
        Stream.runForEach(stream, (entry) => Effect.sync(() => seen.push(entry))),
        respondWith(json(page("a", 1, 2)), () => errorResponseOf(404, "ResourceNotFoundException", "gone"))
      )
      expect(result).toMatchObject({ _tag: "Left", left: { _tag: "ResourceNotFound", message: "gone" } })
      expect(seen).toEqual([1, 2])
      expect(queries).toHaveLength(2)
    }))
})

describe("Pages", () => {
  it.effect("fail with InvalidInput for an invalid vault name", () =>
    Effect.gen(function*() {
      const { queries, result } = yield* running(
        Stream.runDrain(Pages.jobs({ vaultName: "a/b" })),
        respondWith(() => responseOf(500))
      )
      expect(result).toMatchObject({ _tag: "Left", left: { _tag: "InvalidInput", field: "vaultName" } })
      expect(queries).toEqual([])
    }))
})
