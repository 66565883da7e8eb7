import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Effect, Either, FastCheck, Schema } from "effect"
import { Event } from "../../src/emulator/internal/event.ts"
import * as Journal from "../../src/emulator/internal/journal.ts"
import * as QuickSchemaCheck from "../../src/emulator/internal/quickSchemaCheck.ts"

const isEvent = QuickSchemaCheck.make(Event)

const decode = Schema.decodeUnknownEither(Event)

const encode = Schema.encodeSync(Event)

/** A JSON value as in the journal. */
const written = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** Values that replace a value in a journal. */
const wrong = FastCheck.oneof(
  FastCheck.constantFrom<Array<unknown>>(undefined, null, "", "=", -1, 0.5, 1e300, {}, [], true),
  FastCheck.string(),
  FastCheck.integer()
)

/** Changes, adds or removes a field at some depth. */
const spoil = (value: unknown, where: number, key: string, by: unknown): void => {
  if (typeof value !== "object" || value === null) return
  const fields = [...Object.keys(value), key]
  const field = fields[where % fields.length] ?? key
  const inner: unknown = Reflect.get(value, field)
  if (typeof inner === "object" && where % 3 !== 0) spoil(inner, Math.floor(where / fields.length), key, by)
  else Reflect.set(value, field, by)
}

describe("journal", () => {
  it.prop("accepts without decoding only values that decode to themselves", [
    Arbitrary.make(Event),
    FastCheck.nat(),
    FastCheck.constantFrom("place", "uploadId", "other", "toString"),
    wrong
  ], ([event, where, key, by]) => {
    const value = written(encode(event))
    const isQuick = event._tag !== "TagsAdded" && event._tag !== "TagsRemoved" && event._tag !== "NotificationsSet"
    // JSON has null for an infinite number.
    expect(isEvent(value)).toBe(isQuick && Either.isRight(decode(value)))
    spoil(value, where, key, by)
    const spoilt = written(value)
    if (isEvent(spoilt)) expect(decode(spoilt)).toEqual(Either.right(spoilt))
  }, { fastCheck: { numRuns: 2_000 } })

  it.scoped("replays lines across chunk borders, and reports the line of an error", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* fs.makeTempDirectoryScoped()}/journal.jsonl`
      const events = Array.from({ length: 3_000 }, (_, at): Event => ({
        _tag: "AccessPolicySet",
        at,
        vault: "arn",
        // Characters of two, three and four bytes, in lines of which one is longer than a chunk.
        policy: "ä€😀".repeat(at === 1_000 ? 200_000 : at % 300)
      }))
      const lines = events.map((event) => JSON.stringify(event))
      const replay = (text: string) =>
        Effect.gen(function*() {
          yield* fs.writeFileString(path, text)
          const replayed: Array<Event> = []
          yield* Effect.scoped(Journal.open(path, (event) => void replayed.push(event)))
          return replayed
        })
      expect(yield* replay(`${lines.join("\n")}\n{"torn":"ä`)).toEqual(events)
      expect(yield* fs.readFileString(path)).toBe(`${lines.join("\n")}\n`)
      const error = yield* Effect.flip(replay([...lines.slice(0, 2_500), "nonsense", ...lines].join("\n")))
      expect(error).toMatchObject({ path, reason: "line 2501 is not an event of this emulator" })
    }).pipe(Effect.provide(NodeContext.layer)))
})
