/**
 * Reads the output of an inventory job.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import * as InventoryReader from "../../protocol/InventoryReader.ts"
import type { JobDescription } from "../../protocol/Jobs.ts"
import { mebibyte } from "../../protocol/Limits.ts"
import type * as Download from "../../transfer/Download.ts"
import type { Common, JobInventory, ReadOptions } from "../JobInventory.ts"

/** Makes the inventory of a succeeded job from its output, which has `size` bytes. */
export const readInventory = Effect.fnUntraced(function*(
  job: JobDescription,
  size: number,
  output: (options: Download.Options) => Stream.Stream<Uint8Array, Download.DownloadError>
) {
  const parameters = job.inventoryRetrievalParameters
  const format = Option.getOrElse(Option.flatMap(parameters, ({ format }) => format), () => "JSON" as const)
  const inventoryDate = format === "CSV"
    ? Option.none()
    // The first window contains the date.
    : Option.some((yield* InventoryReader.head(output({ windowSize: mebibyte, concurrency: 1 }))).inventoryDate)

  const archives: Common["archives"] = <E, R>(options: ReadOptions<E, R> = {}) => {
    const { onMalformed: given = Effect.fail, windowSize = 4 * mebibyte, ...download } = options
    // Without the option, E is MalformedEntry: the compiler infers the default of the type parameter.
    const onMalformed = given as NonNullable<typeof options.onMalformed>
    return InventoryReader.entries(output({ ...download, windowSize }), { format, onMalformed, size })
  }

  const common: Common = {
    vaultArn: job.vaultArn,
    format,
    size,
    verification: "size",
    inventoryDate,
    age: Effect.map(
      DateTime.now,
      (now) => Option.map(inventoryDate, (date) => Duration.millis(DateTime.distance(date, now)))
    ),
    archives
  }
  const found: JobInventory = Option.match(
    Option.filter(
      parameters,
      ({ endDate, limit, marker, startDate }) =>
        Option.isSome(Option.firstSomeOf<unknown>([startDate, endDate, limit, marker]))
    ),
    {
      onNone: () => ({ _tag: "Full", ...common }),
      onSome: ({ endDate, limit, marker, startDate }) => ({
        _tag: "Partial",
        ...common,
        startDate,
        endDate,
        limit,
        next: marker
      })
    }
  )
  return found
})
