/**
 * Quotes of what retrievals will take, computed before any of them starts. `RetrievalBudget` exports them.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
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
 * The prices of each tier in use and of the transfer, for one region, in any currency. AWS lists them on its pricing page and
 * changes them from time to time.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Prices = Schema.Struct({
  Expedited: Schema.optional(Price),
  Standard: Schema.optional(Price),
  Bulk: Schema.optional(Price),
  /** The transfer of retrieved bytes out of the region: 0 when the program runs in the region. */
  transfer: Schema.optional(Schema.Struct({
    /** The price of 2^30 bytes. */
    perGiB: Amount
  }))
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
 * A part of the cost with a price of its own: what a tier costs, or the transfer out of the region.
 *
 * @since 0.1.0
 * @category models
 */
export type Part = keyof Prices

/**
 * The parts of the cost of retrievals, in the currency of the prices.
 *
 * @since 0.1.0
 * @category models
 */
export interface Costs {
  /** The bytes of the tiers that have a price. */
  readonly retrieval: number
  /** The requests of the tiers that have a price. */
  readonly requests: number
  /** The transfer of all bytes out of the region, once. */
  readonly transfer: number
  /** The parts in use that have no price. They are not included in the numbers. */
  readonly unpriced: ReadonlyArray<Part>
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
  readonly costs: Costs
  /** The sum of `costs`. None when a part has no price. */
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

/** Returns what a tally costs. The output of an inventory has no bytes here, so its transfer is not included. */
export const costsOf = (tally: LedgerState.Tally, prices: Prices = {}): Costs => {
  const unpriced: Array<Part> = []
  let [retrieval, requests, transferred] = [0, 0, 0]
  for (const tier of Tier.literals) {
    const used = tally[tier]
    if (used.requests === 0) continue
    transferred += used.bytes
    const price = prices[tier]
    if (price === undefined) unpriced.push(tier)
    else {
      retrieval += used.bytes / 2 ** 30 * price.perGiB
      requests += used.requests / 1_000 * price.perThousandRequests
    }
  }
  const { transfer } = prices
  if (transfer === undefined && transferred > 0) unpriced.push("transfer")
  return { retrieval, requests, transfer: transferred / 2 ** 30 * (transfer?.perGiB ?? 0), unpriced }
}

/** Returns the sum of costs, or the first part that has no price. */
export const sumOf = ({ requests, retrieval, transfer, unpriced: [unpriced] }: Costs): Either.Either<number, Part> =>
  unpriced === undefined ? Either.right(retrieval + requests + transfer) : Either.left(unpriced)

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

/** Makes a quote, to which retrievals are added one by one in the order in which they start. */
const makeQuote = (terms: Terms) =>
  Either.map(checkTerms(terms), ({ caps, prices }) => {
    const windows = caps.map(({ allowed, span }) => makeSlidingWindow(allowed, span))
    let tally = LedgerState.emptyTally
    let at = 0
    return {
      add: (retrieval: Retrieval): Either.Either<void, InvalidInput | BudgetExceeded> =>
        Either.map(entryOf(retrieval, caps), (entry) => {
          tally = LedgerState.addTo(tally, entry)
          if (entry.bytes === 0) return
          for (const window of windows) at = window.roomAt(entry.bytes, at)
          for (const window of windows) window.add({ at, bytes: entry.bytes })
        }),
      end: (): Quote => {
        const costs = costsOf(tally, prices)
        return { tiers: tally, costs, cost: Either.getRight(sumOf(costs)), duration: Duration.millis(at) }
      }
    }
  })

/**
 * Computes what retrievals will take: bytes and requests by tier, the cost with its parts, and how long the caps delay
 * them when they start in this order and nothing else is retrieved. Sends no request. Fails with `InvalidInput` when a
 * size is unknown or a term breaks its rule, and with `BudgetExceeded` when a retrieval is larger than a cap.
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
    const { add, end } = yield* makeQuote(terms)
    for (const retrieval of retrievals) yield* add(retrieval)
    return end()
  })

/**
 * Computes the same as `quote` for a Stream of retrievals. Memory holds at most the retrievals that start within one day.
 *
 * @since 0.1.0
 * @category quotes
 */
export const quoteStream = <E, R>(
  retrievals: Stream.Stream<Retrieval, E, R>,
  terms: Terms = {}
): Effect.Effect<Quote, E | InvalidInput | BudgetExceeded, R> =>
  Effect.flatMap(makeQuote(terms), ({ add, end }) => Effect.map(Stream.runForEach(retrievals, add), end))

// British English writes no comma before "and".
const list = new Intl.ListFormat("en-GB")

const money = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 6 })

/** Returns bytes exactly, and in a larger unit: `34,359,738,368 bytes (32.0 GiB)`. */
const formatExactBytes = (bytes: number): string =>
  `${formatCount(bytes, "byte")}${bytes < 1_024 ? "" : ` (${formatBytes(bytes)})`}`

/** Returns the cost in a line: `Cost: 3.00 (retrieval 2.00, requests 1.00), plus transfer, for which no price is given`. */
const formatCosts = ({ requests, retrieval, transfer, unpriced }: Costs): string => {
  const parts = Object.entries({ retrieval, requests, transfer })
    .map(([part, amount]) => ({ part, shown: money.format(amount) }))
    .filter(({ shown }) => shown !== money.format(0))
    .map(({ part, shown }) => `${part} ${shown}`)
  const sum = `${money.format(retrieval + requests + transfer)}${parts.length === 0 ? "" : ` (${parts.join(", ")})`}`
  if (unpriced.length === 0) return `Cost: ${sum}`
  const missing = `${list.format(unpriced)}, for which no price is given`
  return parts.length === 0 ? `Cost: unknown for ${missing}` : `Cost: ${sum}, plus ${missing}`
}

/**
 * Returns a quote as lines for a terminal: one for each tier in use, one for the cost, and one for the delay if the caps cause
 * one.
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
    formatCosts(quote.costs),
    ...(Duration.equals(quote.duration, Duration.zero)
      ? []
      : [`Under the caps, the last retrieval starts ${Duration.format(quote.duration)} after the first`])
  ].join("\n")
