/**
 * Finds the archives of a plan that are left to do, and holds the segments that are in work. A segment is open while it is
 * read or one of its archives is in work.
 *
 * @internal
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ArchiveId, JobId } from "../../protocol/Names.ts"
import type { Checkpoint, CheckpointError, CheckpointInUse } from "../../transfer/Checkpoint.ts"
import type { Proof } from "../Destination.ts"
import type { Marks, Summary } from "./planLog.ts"
import * as PlanSegment from "./planSegment.ts"

type OpenError = CheckpointError | CheckpointInUse

/** An archive of a plan by its place. */
export interface Place {
  readonly segment: number
  readonly index: number
}

/** An archive in work. */
export interface Item extends PlanSegment.Row {
  /** The jobs that may retrieve it: the last one that an earlier run started, and then the best one that is listed. */
  readonly jobIds: ReadonlyArray<JobId>
  readonly started: (jobId: JobId) => Effect.Effect<void, CheckpointError>
  readonly finished: (proof?: Proof) => Effect.Effect<void, CheckpointError>
}

/** A plan that is running. */
export interface PlanRun {
  /** The archives that are not finished. Those with a listed job come first, because its output expires. */
  readonly left: Stream.Stream<Place, OpenError, Checkpoint>
  /** Works on an archive. */
  readonly attempt: <A, E, R>(
    place: Place,
    work: (item: Item) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | OpenError, Checkpoint | R>
}

export interface Options {
  /** The jobs that the service lists, of any archives. Default: none. */
  readonly listed?: ReadonlyMap<ArchiveId, JobId>
  /** Whether an archive has a usable path. Default: always. */
  readonly isPlaced?: (row: PlanSegment.Row) => boolean
  /** Receives the bytes that earlier runs have finished, as they become known. */
  readonly onFinishedBefore?: (bytes: number) => void
}

/** Holds open segments. Each is opened once for all its users, and closed with the last of them. */
const makeHolder = (
  open: (number: number) => Effect.Effect<PlanSegment.Segment, OpenError, Checkpoint | Scope.Scope>
) => {
  const held = new Map<
    number,
    { readonly segment: PlanSegment.Segment; readonly scope: Scope.CloseableScope; users: number }
  >()
  // One at a time: a segment that is being closed cannot be opened yet.
  const turn = Effect.unsafeMakeSemaphore(1)
  const acquire = Effect.fnUntraced(function*(number: number) {
    const found = held.get(number)
    if (found !== undefined) {
      found.users += 1
      return found
    }
    const scope = yield* Scope.make()
    const segment = yield* open(number).pipe(
      Scope.extend(scope),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
    const first = { segment, scope, users: 1 }
    held.set(number, first)
    return first
  })
  return (number: number): Effect.Effect<PlanSegment.Segment, OpenError, Checkpoint | Scope.Scope> =>
    Effect.acquireRelease(turn.withPermits(1)(acquire(number)), (one) =>
      turn.withPermits(1)(Effect.suspend(() => {
        one.users -= 1
        if (one.users > 0) return Effect.void
        held.delete(number)
        return Scope.close(one.scope, Exit.void)
      }))).pipe(Effect.map(({ segment }) => segment))
}

/** Runs a plan whose log is open. */
export const make = (
  name: string,
  log: Marks,
  summaries: ReadonlyArray<Summary>,
  { isPlaced = () => true, listed = new Map(), onFinishedBefore = () => undefined }: Options = {}
): PlanRun => {
  const opened = new Set(log.done)
  const hold = makeHolder((number) =>
    Effect.tap(PlanSegment.open(name, number, summaries[number]?.rows ?? 0), ({ finished, rows }) =>
      Effect.sync(() => {
        if (opened.has(number)) return
        opened.add(number)
        onFinishedBefore(rows.reduce((sum, { archive }, index) => sum + (finished.has(index) ? archive.size : 0), 0))
      }))
  )
  summaries.forEach(({ bytes }, number) => {
    if (log.done.has(number)) onFinishedBefore(bytes)
  })

  /** Emits the archives of segments that are left to do and pass a test. */
  const select = (numbers: ReadonlyArray<number>, test: (id: ArchiveId) => boolean, isNeeded: () => boolean) =>
    Stream.flatMap(Stream.fromIterable(numbers), (number) =>
      // Suspended, because the Streams of all numbers are made before the first one is read.
      Stream.suspend(() => {
        if (!isNeeded()) return Stream.empty
        const places = Effect.map(hold(number), ({ finished, repeated, rows, shared }) =>
          Stream.filterMap(
            Stream.fromIterable(rows.entries()),
            ([index, row]) =>
              !repeated.has(index) && test(row.archive.archiveId) && !finished.has(index) && !shared.has(index) &&
                isPlaced(row)
                ? Option.some({ segment: number, index })
                : Option.none()
          ))
        return Stream.unwrapScoped(places)
      }))

  const left = Stream.suspend(() => {
    const all = summaries.map((_, number) => number)
    const [open, done] = Arr.partition(all, (number) => log.done.has(number))
    const [untouched, begun] = Arr.partition(open, (number) => log.begun.has(number))
    const unfound = new Set(listed.keys())
    return Stream.concat(
      // Most listed jobs are of the segments in work, and of those that were finished last.
      select([...begun, ...done.reverse(), ...untouched], (id) => unfound.delete(id), () => unfound.size > 0),
      select(open, (id) => !listed.has(id), () => true)
    )
  })

  const attempt: PlanRun["attempt"] = ({ index, segment: number }, work) =>
    Effect.scoped(Effect.gen(function*() {
      const { append, finished, rows, started } = yield* hold(number)
      const row = Arr.unsafeGet(rows, index)
      if (!log.begun.has(number)) {
        log.begun.add(number)
        yield* log.append({ _tag: "Begun", segment: number })
      }
      return yield* work({
        ...row,
        jobIds: Arr.dedupe(Arr.filterMap([started.get(index), listed.get(row.archive.archiveId)], Option.fromNullable)),
        started: (jobId) => append({ _tag: "Started", index, jobId }),
        finished: Effect.fnUntraced(function*(proof) {
          yield* append({ _tag: "Finished", index, proof })
          finished.add(index)
          if (finished.size < (summaries[number]?.archives ?? 0)) return
          yield* log.append({ _tag: "Done", segment: number })
          log.done.add(number)
        })
      })
    }))

  return { left, attempt }
}
