/**
 * The selection of many archives, and the checkpoint of the work on them.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Entry } from "../../protocol/Inventory.ts"
import { Checkpoint, CheckpointError } from "../../transfer/Checkpoint.ts"

/** Collects the archives of a Stream, without repetitions. */
export const collectOnce = <E, R>(archives: Stream.Stream<Entry, E, R>): Effect.Effect<Array<Entry>, E, R> =>
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

/** The sum of the sizes of archives. */
export const bytesOf = (archives: ReadonlyArray<Entry>): number => archives.reduce((sum, { size }) => sum + size, 0)

/** Opens the checkpoint with this name until the Scope closes. Calls `onEntry` for each entry in it, and returns `append`. */
export const openLog = Effect.fnUntraced(function*<A>(
  name: string,
  schema: Schema.Schema<A, string>,
  onEntry: (entry: A) => void
) {
  const log = yield* Effect.flatMap(Checkpoint, ({ open }) => open(name))
  yield* log.entries.pipe(
    Stream.mapEffect(Schema.decode(schema)),
    Stream.runForEach((entry) => Effect.sync(() => onEntry(entry))),
    Effect.catchTag("ParseError", () => new CheckpointError({ name, problem: "belongs to other work" }))
  )
  const encode = Schema.encodeSync(schema)
  return (entry: A) => log.append(encode(entry))
})
