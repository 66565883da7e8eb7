/**
 * What is done to many archives, and the checkpoint that says to which of them it was.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Entry } from "../../protocol/Inventory.ts"
import { Checkpoint, CheckpointError } from "../../transfer/Checkpoint.ts"

/** The archives of a Stream, each once, where it comes first. */
export const selected = <E, R>(archives: Stream.Stream<Entry, E, R>): Effect.Effect<Array<Entry>, E, R> =>
  Effect.suspend(() => {
    const ids = new Set<string>()
    const selected: Array<Entry> = []
    return Stream.runForEach(archives, (archive) =>
      Effect.sync(() => {
        if (ids.has(archive.archiveId)) return
        ids.add(archive.archiveId)
        selected.push(archive)
      })).pipe(Effect.as(selected))
  })

/** The bytes of archives. */
export const bytesOf = (archives: ReadonlyArray<Entry>): number => archives.reduce((sum, { size }) => sum + size, 0)

/** The log of that name, whose entries are told one by one as they are, until the Scope ends. */
export const openLog = Effect.fnUntraced(function*<A>(
  name: string,
  schema: Schema.Schema<A, string>,
  told: (entry: A) => void
) {
  const log = yield* Effect.flatMap(Checkpoint, ({ open }) => open(name))
  yield* log.entries.pipe(
    Stream.mapEffect(Schema.decode(schema)),
    Stream.runForEach((entry) => Effect.sync(() => told(entry))),
    Effect.catchTag("ParseError", () => new CheckpointError({ name, problem: "is of other work" }))
  )
  const encode = Schema.encodeSync(schema)
  return (entry: A) => log.append(encode(entry))
})
