/**
 * A log in a key-value store, one key for each line: `name.0`, `name.1`, ... Keys are removed from the last to the first, so
 * the remaining lines are always the first ones.
 *
 * @internal
 */
import type * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Medium } from "./records.ts"

const utf8 = new TextEncoder()

export const make = (store: KeyValueStore.KeyValueStore, name: string): Medium => {
  const keyOf = (index: number) => `${name}.${index}`
  const removeFrom = Effect.fnUntraced(function*(from: number) {
    let end = from
    while (yield* store.has(keyOf(end))) end++
    while (end > from) yield* store.remove(keyOf(--end))
  })
  return {
    lines: Stream.unfoldEffect(0, (index) =>
      Effect.map(
        store.get(keyOf(index)),
        Option.map((line) => [{ line: utf8.encode(line), end: index + 1 }, index + 1])
      )),
    write: Effect.fnUntraced(function*(lines, end, isClean) {
      if (!isClean) yield* removeFrom(end)
      for (const [index, line] of lines.entries()) yield* store.set(keyOf(end + index), line)
      return end + lines.length
    }),
    // How durable the lines are depends on the store.
    sync: Effect.void,
    clear: removeFrom(0)
  }
}
