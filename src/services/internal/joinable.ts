import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Pages from "../../client/Pages.ts"
import { isRetrievalOf, type JobDescription } from "../../protocol/Jobs.ts"
import * as Limits from "../../protocol/Limits.ts"
import type * as Operation from "../../protocol/Operation.ts"
import type { operations } from "../../protocol/Operations.ts"
import type { VaultAddress } from "../../protocol/Vaults.ts"

type Parameters = Operation.Input<(typeof operations)["initiateJob"]>["parameters"]

type Inventory = Extract<Parameters, { readonly type: "inventory-retrieval" }>

/** As the wire has them: to the second. */
const isSameSecond = (one: Option.Option<DateTime.Utc>, other: DateTime.Utc | undefined): boolean => {
  const second = (date: DateTime.Utc) => Math.floor(DateTime.toEpochMillis(date) / 1_000)
  return Option.getOrUndefined(Option.map(one, second)) === (other && second(other))
}

/**
 * Whether a job retrieves that inventory. Of one with a limit or a marker nobody knows: once it has succeeded, a job does
 * not tell the marker that it began at.
 */
const isInventoryOf = (job: JobDescription, { format = "JSON", selection = {} }: Inventory): boolean => {
  if (job.action !== "InventoryRetrieval" || (selection.limit ?? selection.marker) !== undefined) return false
  return Option.match(job.inventoryRetrievalParameters, {
    onNone: () => format === "JSON" && (selection.startDate ?? selection.endDate) === undefined,
    onSome: (its) =>
      Option.getOrElse(its.format, () => "JSON") === format && Option.isNone(its.limit) && Option.isNone(its.marker) &&
      isSameSecond(its.startDate, selection.startDate) && isSameSecond(its.endDate, selection.endDate)
  })
}

/** A job that retrieves the same and runs, or better, whose output can be read for longer than that. */
export const joinable = (vault: VaultAddress, parameters: Parameters, join: Duration.Duration) =>
  Effect.gen(function*() {
    const now = yield* DateTime.now
    const from = DateTime.addDuration(DateTime.subtract(now, { millis: Limits.lifetimeMillis }), join)
    const jobs = yield* Stream.runCollect(
      Stream.filter(
        Pages.jobs(vault),
        (job) =>
          (parameters.type === "archive-retrieval" ? isRetrievalOf(job, parameters) : isInventoryOf(job, parameters)) &&
          (job.statusCode === "InProgress" ||
            job.statusCode === "Succeeded" && Option.exists(job.completionDate, DateTime.greaterThan(from)))
      )
    )
    return Option.map(
      Option.orElse(Arr.findFirst(jobs, ({ completed }) => completed), () => Arr.head(Arr.fromIterable(jobs))),
      ({ jobId }) => jobId
    )
  })
