/**
 * A segment of a plan: some of its archives, in a log of its own. The log has the archives, then the reasons why some
 * are left out, then what was done with the others. Only the segments in work are in memory.
 *
 * @internal
 */
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { show } from "../../protocol/GlacierError.ts"
import type { Entry } from "../../protocol/Inventory.ts"
import { ArchiveId, JobId } from "../../protocol/Names.ts"
import { TreeHash } from "../../protocol/TreeHash.ts"
import {
  Checkpoint,
  CheckpointError,
  type CheckpointInUse,
  clear as clearLog,
  type Service
} from "../../transfer/Checkpoint.ts"
import { Proof } from "../Destination.ts"
import { openLog } from "./manyArchives.ts"

/** An archive of a plan, and its path if it has one. */
export interface Row {
  readonly archive: Entry
  readonly path: string | null
}

const EncodedRow = Schema.Tuple(
  ArchiveId,
  Schema.String,
  Schema.DateTimeUtcFromNumber,
  Schema.NonNegativeInt,
  TreeHash,
  Schema.NullOr(Schema.String)
)

const Index = Schema.NonNegativeInt

/** An archive whose path is also that of `count` other archives, or a folder that they need. `other` is one of their paths. */
const Shared = Schema.Struct({ index: Index, count: Schema.Int, other: Schema.String })

/** The entries of the log. An archive is known by its index in the segment. */
const Recorded = Schema.Union(
  Schema.TaggedStruct("Archives", { rows: Schema.Array(EncodedRow) }),
  /** Archives that the plan has already. */
  Schema.TaggedStruct("Repeated", { indexes: Schema.Array(Index) }),
  Schema.TaggedStruct("Shared", { conflicts: Schema.Array(Shared) }),
  /** A job was started for the archive. */
  Schema.TaggedStruct("Started", { index: Index, jobId: JobId }),
  /** The archive was retrieved, so a destination has it, or deleted. */
  Schema.TaggedStruct("Finished", { index: Index, proof: Schema.optional(Proof) }),
  /** The destination has lost the copy of the archive. */
  Schema.TaggedStruct("Revoked", { index: Index })
)

const Line = Schema.parseJson(Recorded)

/** A segment that is open. */
export interface Segment {
  readonly number: number
  readonly rows: ReadonlyArray<Row>
  readonly repeated: Set<number>
  readonly shared: Map<number, typeof Shared.Type>
  readonly started: Map<number, JobId>
  readonly finished: Set<number>
  readonly proofs: Map<number, Proof>
  readonly append: (entry: typeof Recorded.Type) => Effect.Effect<void, CheckpointError>
}

const nameOf = (plan: string, number: number): string => `${plan}/${number}`

/** Opens a segment, which has `count` archives, until the Scope closes. */
export const open = (plan: string, number: number, count: number): Effect.Effect<
  Segment,
  CheckpointError | CheckpointInUse,
  Checkpoint | Scope.Scope
> =>
  Effect.gen(function*() {
    const rows: Array<Row> = []
    const repeated = new Set<number>()
    const shared: Segment["shared"] = new Map()
    const started: Segment["started"] = new Map()
    const finished = new Set<number>()
    const proofs: Segment["proofs"] = new Map()
    const name = nameOf(plan, number)
    const append = yield* openLog(name, Line, (entry) => {
      switch (entry._tag) {
        case "Archives":
          for (const [archiveId, description, creationDate, size, treeHash, path] of entry.rows) {
            rows.push({ archive: { archiveId, description, creationDate, size, treeHash }, path })
          }
          return
        case "Repeated":
          return entry.indexes.forEach((index) => repeated.add(index))
        case "Shared":
          return entry.conflicts.forEach((conflict) => shared.set(conflict.index, conflict))
        case "Started":
          return void started.set(entry.index, entry.jobId)
        case "Finished":
          finished.add(entry.index)
          if (entry.proof !== undefined) proofs.set(entry.index, entry.proof)
          return
        case "Revoked":
          finished.delete(entry.index)
          proofs.delete(entry.index)
      }
    })
    if (rows.length !== count) {
      const problem = `has ${rows.length} of ${count} archives of the plan ${
        show(plan)
      }: clear the plan and make it again`
      return yield* new CheckpointError({ name, problem })
    }
    return { number, rows, repeated, shared, started, finished, proofs, append }
  })

/** An archive of a plan that is read, why it is left out if another archive needs its path, and its proof if it has one. */
export interface ReadRow extends Row {
  readonly conflict: typeof Shared.Type | undefined
  readonly proof: Proof | undefined
}

/** Reads the archives of all segments, one segment after the other, without repetitions. */
export const readAll = (
  plan: string,
  segments: ReadonlyArray<{ readonly rows: number }>,
  checkpoint: Service
): Stream.Stream<ReadRow, CheckpointError | CheckpointInUse> =>
  Stream.zipWithIndex(Stream.fromIterable(segments)).pipe(
    Stream.mapEffect(([{ rows }, number]) => Effect.scoped(open(plan, number, rows))),
    Stream.mapConcat(({ proofs, repeated, rows, shared }) =>
      rows.flatMap((row, index) =>
        repeated.has(index) ? [] : [{ ...row, conflict: shared.get(index), proof: proofs.get(index) }]
      )
    ),
    Stream.provideService(Checkpoint, checkpoint)
  )

/** Returns an entry with archives. They are valid already, so the schema need not check millions of them again. */
export const encode = (rows: Iterable<Row>): string => {
  const entry: typeof Recorded.Encoded = {
    _tag: "Archives",
    rows: Arr.map(Arr.fromIterable(rows), ({ archive, path }) => [
      archive.archiveId,
      archive.description,
      DateTime.toEpochMillis(archive.creationDate),
      archive.size,
      archive.treeHash,
      path
    ])
  }
  return JSON.stringify(entry)
}

/** Writes a new segment of encoded entries, in place of any segment that an interrupted program has left. */
export const write = (plan: string, number: number, entries: Iterable<string>) =>
  Effect.scoped(Effect.gen(function*() {
    const { append, clear } = yield* Effect.flatMap(Checkpoint, ({ open }) => open(nameOf(plan, number)))
    yield* clear
    // All entries are appended at once, so that they share a few fsyncs.
    yield* Effect.forEach(entries, append, { concurrency: "unbounded", discard: true })
  }))

/** Removes a segment. */
export const clear = (plan: string, number: number) => clearLog(nameOf(plan, number))
