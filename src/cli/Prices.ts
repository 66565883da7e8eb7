/**
 * The prices of retrievals and of storage in `prices.json` of the state folder. Users edit this file, because AWS changes its prices, and they
 * differ by region. It is written with AWS's list prices of one region when it is first needed.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as RetrievalBudget from "../policy/RetrievalBudget.ts"
import { StateError } from "./Failures.ts"
import * as Files from "./Files.ts"
import { Globals } from "./Globals.ts"
import * as State from "./State.ts"

/**
 * The prices of a region, their date and their currency. `transfer` is to the internet.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Prices = Schema.Struct({
  date: Schema.String,
  currency: Schema.String,
  /** The price of storage, which the early deletion of an archive costs. */
  storage: Schema.optional(Schema.Struct({ perGiBMonth: Schema.NonNegative })),
  ...RetrievalBudget.Prices.fields
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type Prices = typeof Prices.Type

const File = Schema.parseJson(
  Schema.Struct({ about: Schema.String, regions: Schema.Record({ key: Schema.String, value: Prices }) }),
  { space: 2 }
)

/** The region whose prices the file has at first. */
const known = "us-east-1"

const list = "https://aws.amazon.com/s3/glacier/pricing"

/** AWS's prices of vaults, which are not those of the storage classes of S3. A GB of AWS is 2^30 bytes. */
const initial: typeof File.Type = {
  about:
    `The prices of Glacier vaults, for each region. AWS changes them: check them at ${list}. transfer is to the internet`,
  regions: {
    [known]: {
      date: "2026-11-28",
      currency: "USD",
      storage: { perGiBMonth: 0.0036 },
      Expedited: { perGiB: 0.03, perThousandRequests: 10 },
      Standard: { perGiB: 0.01, perThousandRequests: 0.05 },
      Bulk: { perGiB: 0.0025, perThousandRequests: 0.025 },
      transfer: { perGiB: 0.09 }
    }
  }
}

/**
 * The prices of a region, and the file that has them. Inside the region the transfer is free. With `--dry-run` the file is not
 * written.
 *
 * @since 0.1.0
 * @category getters
 */
export const of = Effect.fnUntraced(function*(region: string, options: { readonly inRegion: boolean }) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { dryRun } = yield* Globals
  const file = path.join(yield* State.root, "prices.json")
  const failed = ({ message }: { readonly message: string }) =>
    new StateError({ message: `The prices in ${file} cannot be read: ${message}. Correct the file, or remove it` })
  const { regions } = yield* Effect.gen(function*() {
    if (yield* fs.exists(file)) return yield* Effect.flatMap(fs.readFileString(file), Schema.decode(File))
    if (!dryRun) yield* Files.replace(file, `${yield* Schema.encode(File)(initial)}\n`)
    return initial
  }).pipe(Effect.mapError(failed))
  const prices = Option.map(
    Option.fromNullable(regions[region]),
    (prices) => options.inRegion ? { ...prices, transfer: { perGiB: 0 } } : prices
  )
  return { file, prices }
})

/**
 * Says that a file has no prices of a region, and shows an entry to add.
 *
 * @since 0.1.0
 * @category formatting
 */
export const missing = (region: string, file: string): string =>
  `There are no prices of ${region} in ${file}. Add an entry to "regions" such as this one, which has the prices of ${known}. ` +
  `AWS lists them at ${list}:\n"${region}": ${JSON.stringify(initial.regions[known])}`
