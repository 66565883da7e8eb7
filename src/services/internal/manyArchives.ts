/**
 * The checkpoint of the work on many archives.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Checkpoint, CheckpointError } from "../../transfer/Checkpoint.ts"

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
