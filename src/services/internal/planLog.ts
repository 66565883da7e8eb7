/**
 * The log of a plan. It knows the segments of the plan and which of them are finished. The archives are in the segments.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CheckpointError, clear as clearLog } from "../../transfer/Checkpoint.ts"
import { openLog } from "./manyArchives.ts"
import * as PlanSegment from "./planSegment.ts"

/** A segment of a finished plan: its number of archives, and the number and size of those that are not left out. */
const Summary = Schema.Struct({
  rows: Schema.NonNegativeInt,
  archives: Schema.NonNegativeInt,
  bytes: Schema.NonNegativeInt
})

export type Summary = typeof Summary.Type

const Mark = Schema.Union(
  /** A segment is about to be written, by a plan that is not made yet. */
  Schema.TaggedStruct("Writing", { segment: Schema.NonNegativeInt }),
  /** The first archives of a segment are in work. The next run looks for started jobs there first. */
  Schema.TaggedStruct("Begun", { segment: Schema.NonNegativeInt }),
  Schema.TaggedStruct("Done", { segment: Schema.NonNegativeInt }),
  /** Proofs of a segment are about to be revoked. */
  Schema.TaggedStruct("Reopened", { segment: Schema.NonNegativeInt }),
  /** The segments are about to be removed. */
  Schema.TaggedStruct("Clearing", {})
)

/** A plan that is made: all its segments are written. */
export interface Made<Purpose> {
  readonly purpose: Purpose
  readonly date: DateTime.Utc
  readonly segments: ReadonlyArray<Summary>
}

/** The state of the segments of a plan, by their numbers. */
export interface Marks {
  readonly begun: Set<number>
  readonly done: Set<number>
  readonly append: (mark: typeof Mark.Type) => Effect.Effect<void, CheckpointError>
}

/** The log of a plan, while it is open. */
export interface PlanLog<Purpose> extends Marks {
  readonly made: Made<Purpose> | undefined
  /** The number of segments that may exist. */
  readonly written: number
  /** Records that the plan is made. */
  readonly finish: (
    purpose: Purpose,
    segments: ReadonlyArray<Summary>
  ) => Effect.Effect<Made<Purpose>, CheckpointError>
}

/**
 * Opens the log of a plan until the Scope closes. `purpose` is the schema of what the plan is for; a log with a plan for
 * anything else belongs to other work.
 */
export const open = Effect.fnUntraced(function*<Purpose, Encoded>(
  name: string,
  purpose: Schema.Schema<Purpose, Encoded>
) {
  const Made = Schema.TaggedStruct("Made", { purpose, date: Schema.DateTimeUtc, segments: Schema.Array(Summary) })
  let made: Made<Purpose> | undefined
  let written = 0
  const begun = new Set<number>()
  const done = new Set<number>()
  const append = yield* openLog(name, Schema.parseJson(Schema.Union(Mark, Made)), (entry) => {
    switch (entry._tag) {
      case "Writing":
        written = Math.max(written, entry.segment + 1)
        return
      case "Made":
        made = entry
        return
      case "Begun":
        return void begun.add(entry.segment)
      case "Done":
        return void done.add(entry.segment)
      case "Reopened":
        return void done.delete(entry.segment)
      case "Clearing":
        made = undefined
        begun.clear()
        done.clear()
    }
  })
  const log: PlanLog<Purpose> = {
    made,
    written,
    begun,
    done,
    append,
    finish: Effect.fnUntraced(function*(purpose, segments) {
      const made = { purpose, date: yield* DateTime.now, segments }
      yield* append({ _tag: "Made", ...made })
      return made
    })
  }
  return log
})

/** Returns the plan of a log. Fails when it was removed since it was made. */
export const required = <Purpose>(
  name: string,
  { made }: PlanLog<Purpose>
): Effect.Effect<Made<Purpose>, CheckpointError> =>
  made === undefined
    ? new CheckpointError({ name, problem: "has no plan any more: make it again" })
    : Effect.succeed(made)

/** Returns the number of archives in segments, and the sum of their sizes. */
export const totalOf = (segments: ReadonlyArray<Summary>) => ({
  count: segments.reduce((sum, { archives }) => sum + archives, 0),
  bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0)
})

/** Removes a plan, and all its segments. */
export const clear = Effect.fnUntraced(function*(name: string) {
  yield* Effect.scoped(Effect.gen(function*() {
    const { append, written } = yield* open(name, Schema.Unknown)
    if (written > 0) yield* append({ _tag: "Clearing" })
    for (let segment = 0; segment < written; segment++) yield* PlanSegment.clear(name, segment)
  }))
  yield* clearLog(name)
})
