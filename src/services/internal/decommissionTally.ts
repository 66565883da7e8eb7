/**
 * Counts the archives that are to be deleted: their sizes, and those that are too young.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Entry } from "../../protocol/Inventory.ts"
import * as Limits from "../../protocol/Limits.ts"
import type { Denial, Early, Listed, Reason } from "../DecommissionEvent.ts"

const dayMillis = 86_400_000

/** The time for which AWS bills the storage of an archive in any case. */
const billedDays = 90

const monthDays = 30

interface Tally {
  archives: number
  bytes: number
  youngest: number | undefined
  early: { archives: number; bytes: number; gibMonths: number }
  /** The archives that a policy keeps from being deleted because they are too young. */
  denied: number
}

/** Counts the archives of a Stream. */
export const count = Effect.fnUntraced(function*<E, R>(
  archives: Stream.Stream<Entry, E, R>,
  denials: ReadonlyArray<Denial>,
  pricePerGiBMonth: number | undefined
) {
  const now = DateTime.toEpochMillis(yield* DateTime.now)
  const ages = denials.filter(({ certain, youngerThanDays }) => certain && youngerThanDays !== undefined)
  const deniedDays = Math.max(0, ...ages.map(({ youngerThanDays = 0 }) => youngerThanDays))
  const tally: Tally = {
    archives: 0,
    bytes: 0,
    youngest: undefined,
    early: { archives: 0, bytes: 0, gibMonths: 0 },
    denied: 0
  }
  yield* Stream.runForEach(archives, ({ creationDate, size }) =>
    Effect.sync(() => {
      const created = DateTime.toEpochMillis(creationDate)
      tally.archives += 1
      tally.bytes += size
      tally.youngest = Math.max(tally.youngest ?? created, created)
      if (created + deniedDays * dayMillis > now) tally.denied += 1
      const left = created + billedDays * dayMillis - now
      if (left <= 0) return
      tally.early.archives += 1
      tally.early.bytes += size
      tally.early.gibMonths += (size + Limits.archiveOverhead) / 2 ** 30 * left / (monthDays * dayMillis)
    }))
  const { early, youngest } = tally
  const after = (days: number) => DateTime.unsafeMake((youngest ?? now) + days * dayMillis)
  const listed: Listed = {
    archives: tally.archives,
    bytes: tally.bytes,
    youngest: Option.map(Option.fromNullable(youngest), (millis) => DateTime.unsafeMake(millis)),
    early: early.archives === 0 ? Option.none() : Option.some<Early>({
      ...early,
      cost: Option.map(Option.fromNullable(pricePerGiBMonth), (price) => price * early.gibMonths),
      until: after(billedDays)
    })
  }
  const denied: ReadonlyArray<Reason> = tally.denied === 0 ? [] : [{
    _tag: "PolicyDenies",
    denials: ages,
    archives: Option.some(tally.denied),
    until: Option.some(after(deniedDays))
  }]
  return { listed, denied }
})

/** Returns the reasons to stop before the listed archives are deleted. */
export const reasons = (
  { denied, listed }: Effect.Effect.Success<ReturnType<typeof count>>,
  youngArchives: "stop" | "delete"
): ReadonlyArray<Reason> => [
  ...denied,
  ...(youngArchives === "delete"
    ? []
    : Option.toArray(Option.map(listed.early, (early): Reason => ({ _tag: "YoungArchives", early }))))
]
