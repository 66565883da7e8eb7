/**
 * Quotes of what retrievals will take, computed before any of them starts. `RetrievalBudget` exports them.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { BudgetExceeded, type InvalidInput } from "../../protocol/GlacierError.ts"
import { Bytes, check } from "../../protocol/InputCheck.ts"
import { Tier } from "../../protocol/Jobs.ts"
import { formatBytes, formatCount } from "../Format.ts"
import * as LedgerState from "./ledgerState.ts"
import { makeSlidingWindow } from "./slidingWindow.ts"

/**
 * A retrieval to be paid for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Retrieval {
  /**
   * The size of the archive, or of the requested range of it. An inventory retrieval has 0 bytes: only its request is
   * billed. Undefined when the size is unknown.
   */
  readonly bytes: number | undefined
  /** Default: Standard. An inventory retrieval costs as much as a Standard request. */
  readonly tier?: Tier | undefined
  /** The name of the archive in errors: its id, with its path if it has one. */
  readonly archive?: string | undefined
}

/** An amount of money: finite, 0 or more. */
export const Amount = Schema.Number.pipe(
  Schema.filter((amount) => Number.isFinite(amount) && amount >= 0, { message: () => "must be 0 or more" })
)

const KnownBytes = Schema.Number.pipe(
  Schema.filter((bytes) => Number.isSafeInteger(bytes) && bytes >= 0, {
    message: () => "must be known: a whole number of bytes"
  })
)

const Price = Schema.Struct({
  /** The price of retrieving 2^30 bytes. */
  perGiB: Amount,
  /** The price of starting 1,000 jobs. */
  perThousandRequests: Amount
})

/**
 * The prices of each tier in use, for one region, in any currency. AWS lists them on its pricing page and changes them
 * from time to time.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Prices = Schema.Struct({
  Expedited: Schema.optional(Price),
  Standard: Schema.optional(Price),
  Bulk: Schema.optional(Price)
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type Prices = typeof Prices.Type

/**
 * The prices and caps that a quote is computed with.
 *
 * @since 0.1.0
 * @category models
 */
export interface Terms {
  /** The prices of the region. Without them the cost is unknown. */
  readonly prices?: Prices | undefined
  /** The most bytes whose retrieval may start within any hour: a whole number of 1 or more. */
  readonly bytesPerHour?: number | undefined
  /** The most bytes whose retrieval may start within any 24 hours: a whole number of 1 or more. */
  readonly bytesPerDay?: number | undefined
}

/**
 * The bytes, requests, cost and delay of retrievals that have not started yet.
 *
 * @since 0.1.0
 * @category models
 */
export interface Quote {
  /** Bytes and requests by tier. */
  readonly tiers: Readonly<Record<Tier, { readonly bytes: number; readonly requests: number }>>
  /**
   * The cost of the retrievals, in the currency of the prices. None when a tier in use has no price. Transfer out of the
   * region, for instance to the internet, is not included and can cost more.
   */
  readonly cost: Option.Option<number>
  /** The time between the first and the last start under the caps. The jobs then take as long as their tier does. */
  readonly duration: Duration.Duration
}

/** A cap on the bytes retrieved within `span` milliseconds. */
export interface ByteCap {
  readonly cap: "bytesPerHour" | "bytesPerDay"
  readonly allowed: number
  readonly span: number
}

/** Returns the cost of a tally, or the tier that has no price. */
export const costOf = (tally: LedgerState.Tally, prices: Prices = {}): Either.Either<number, Tier> => {
  let cost = 0
  for (const tier of Tier.literals) {
    const { bytes, requests } = tally[tier]
    if (requests === 0) continue
    const price = prices[tier]
    if (price === undefined) return Either.left(tier)
    cost += bytes / 2 ** 30 * price.perGiB + requests / 1_000 * price.perThousandRequests
  }
  return Either.right(cost)
}

/** Verifies terms. Fails with `InvalidInput` when one breaks its rule. */
export const checkTerms = (terms: Terms) =>
  Either.gen(function*() {
    const checkTerm = <A, I>(field: keyof Terms, schema: Schema.Schema<A, I>) =>
      check("RetrievalBudget", field, Schema.UndefinedOr(schema), terms[field])
    const [perHour, perDay] = [yield* checkTerm("bytesPerHour", Bytes), yield* checkTerm("bytesPerDay", Bytes)]
    const caps: ReadonlyArray<ByteCap> = [
      ...(perHour === undefined
        ? []
        : [{ cap: "bytesPerHour", allowed: perHour, span: LedgerState.hourMillis } as const]),
      ...(perDay === undefined ? [] : [{ cap: "bytesPerDay", allowed: perDay, span: LedgerState.dayMillis } as const])
    ]
    return { prices: yield* checkTerm("prices", Prices), caps }
  })

/** Adds the name of the archive to an error about its retrieval. */
export const nameArchive = (exceeded: BudgetExceeded, archive: string | undefined): BudgetExceeded => {
  if (archive === undefined) return exceeded
  const { allowed, asked, cap, left, roomIn } = exceeded
  return new BudgetExceeded({ archive, allowed, asked, cap, left, roomIn })
}

/**
 * Returns the ledger entry of a retrieval. Fails with `InvalidInput` when its size is unknown, and with `BudgetExceeded`
 * when it is larger than a cap.
 */
export const entryOf = (
  { archive, bytes, tier = "Standard" }: Retrieval,
  caps: ReadonlyArray<ByteCap>
): Either.Either<LedgerState.Entry, InvalidInput | BudgetExceeded> =>
  Either.flatMap(
    check("RetrievalBudget", archive === undefined ? "bytes" : `bytes of archive ${archive}`, KnownBytes, bytes),
    (asked) => {
      const exceeded = caps.find(({ allowed }) => asked > allowed)
      if (exceeded === undefined) return Either.right({ bytes: asked, tier })
      const { allowed, cap } = exceeded
      return Either.left(nameArchive(new BudgetExceeded({ cap, allowed, left: allowed, asked }), archive))
    }
  )

/**
 * Computes what retrievals will take: bytes and requests by tier, the cost, and how long the caps delay them when they
 * start in this order and nothing else is retrieved. Sends no request. Fails with `InvalidInput` when a size is unknown
 * or a term breaks its rule, and with `BudgetExceeded` when a retrieval is larger than a cap.
 *
 * @since 0.1.0
 * @category quotes
 * @example
 * import { RetrievalBudget } from "effect-glacier"
 * import { Console, Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const retrievals = [{ bytes: 5_000_000_000, tier: "Bulk" }, { bytes: 7_000_000_000, tier: "Bulk" }] as const
 *   const quote = yield* RetrievalBudget.quote(retrievals, { bytesPerHour: 10_000_000_000 })
 *   yield* Console.log(RetrievalBudget.format(quote))
 * })
 */
export const quote = (
  retrievals: Iterable<Retrieval>,
  terms: Terms = {}
): Either.Either<Quote, InvalidInput | BudgetExceeded> =>
  Either.gen(function*() {
    const { caps, prices } = yield* checkTerms(terms)
    const windows = caps.map(({ allowed, span }) => makeSlidingWindow(allowed, span))
    let tally = LedgerState.emptyTally
    let at = 0
    for (const retrieval of retrievals) {
      const entry = yield* entryOf(retrieval, caps)
      tally = LedgerState.addTo(tally, entry)
      if (entry.bytes === 0) continue
      for (const window of windows) at = window.roomAt(entry.bytes, at)
      for (const window of windows) window.add({ at, bytes: entry.bytes })
    }
    return { tiers: tally, cost: Either.getRight(costOf(tally, prices)), duration: Duration.millis(at) }
  })

const money = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 6 })

/** Returns bytes exactly, and in a larger unit: `34,359,738,368 bytes (32.0 GiB)`. */
const formatExactBytes = (bytes: number): string =>
  `${formatCount(bytes, "byte")}${bytes < 1_024 ? "" : ` (${formatBytes(bytes)})`}`

/**
 * Returns a quote as lines for a terminal: one for each tier in use, one for the cost, and one for the delay by the caps.
 *
 * @since 0.1.0
 * @category quotes
 */
export const format = (quote: Quote): string =>
  [
    ...Tier.literals.flatMap((tier) => {
      const { bytes, requests } = quote.tiers[tier]
      return requests === 0 ? [] : [`${tier}: ${formatCount(requests, "request")}, ${formatExactBytes(bytes)}`]
    }),
    `Cost: ${
      Option.match(quote.cost, {
        onNone: () => "not known without prices",
        onSome: (cost) => `${money.format(cost)} for the retrieval; transfer is not priced`
      })
    }`,
    Duration.equals(quote.duration, Duration.zero)
      ? "Under the caps, all retrievals can start at once"
      : `Under the caps, the last retrieval starts ${Duration.format(quote.duration)} after the first`
  ].join("\n")
