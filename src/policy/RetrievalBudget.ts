/**
 * What retrievals may cost. First a quote: what they will take, before any is started. Then caps: how many bytes may be
 * retrieved in an hour and in a day, and how much money may be spent, kept in a ledger that outlives the program. A value
 * in a `Reference`: without a Layer nothing is counted and nothing held back; it is replaced for a program by a Layer, or
 * round one call by `Effect.provideService(RetrievalBudget, budget)`.
 *
 * @since 0.1.0
 */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { BudgetExceeded, type GlacierError, InvalidInput, type LedgerError } from "../protocol/GlacierError.ts"
import { Bytes, check } from "../protocol/InputCheck.ts"
import { Tier } from "../protocol/Jobs.ts"
import { PolicyEnforced } from "../protocol/ServiceError.ts"
import { formatBytes, formatCount } from "./Format.ts"
import { makeFairSemaphore } from "./internal/fairSemaphore.ts"
import * as Ledger from "./internal/ledger.ts"
import { makeSlidingWindow } from "./internal/slidingWindow.ts"
import { isUnknown } from "./RetryPolicy.ts"
import * as Waiting from "./Waiting.ts"

/**
 * A retrieval that is to be paid for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Retrieval {
  /**
   * The size of the archive, or of the range of it that is asked for. An inventory has none, 0: it costs its request.
   * Undefined when it is not known.
   */
  readonly bytes: number | undefined
  /** Default: Standard. An inventory has the price of a Standard request. */
  readonly tier?: Tier | undefined
  /** What errors call the archive: its id, and where it has one its path. */
  readonly archive?: string | undefined
}

const Amount = Schema.Number.pipe(
  Schema.filter((amount) => Number.isFinite(amount) && amount >= 0, { message: () => "must be 0 or more" })
)

const Asked = Schema.Number.pipe(
  Schema.filter((bytes) => Number.isSafeInteger(bytes) && bytes >= 0, {
    message: () => "must be known: a whole number of bytes"
  })
)

const Price = Schema.Struct({
  /** For 2^30 bytes retrieved. */
  perGiB: Amount,
  /** For 1,000 jobs started. */
  perThousandRequests: Amount
})

/**
 * The prices of a region for each tier that is used, in any currency. AWS's pricing page has them; they change.
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
 * The name of the ledger when no `key` is given.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultKey = "retrieval-budget"

/**
 * What a quote depends on.
 *
 * @since 0.1.0
 * @category models
 */
export interface Terms {
  /** The prices of the region. Without them nothing has a cost. */
  readonly prices?: Prices | undefined
  /** The most bytes whose retrieval may be started in any hour: a whole number of 1 or more. */
  readonly bytesPerHour?: number | undefined
  /** The most bytes whose retrieval may be started in any 24 hours: a whole number of 1 or more. */
  readonly bytesPerDay?: number | undefined
}

/**
 * What a budget allows.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Terms {
  /**
   * The most that all retrievals in the ledger may cost together, in the currency of the prices, which it needs. It does
   * not come back: for another budget take another `key`. What was retrieved before counts at the prices of now.
   */
  readonly cost?: number | undefined
  /**
   * What becomes of a retrieval that there is no room for now: it waits for its turn (the default), or fails with
   * `BudgetExceeded`.
   */
  readonly onExhausted?: "wait" | "fail" | undefined
  /**
   * The name of the ledger in the store: give one to each account and region. Default: `retrieval-budget`. Only one
   * program at a time may have it open.
   */
  readonly key?: string | undefined
}

/**
 * What retrievals take.
 *
 * @since 0.1.0
 * @category models
 */
export interface Quote {
  /** Bytes and requests by tier. */
  readonly tiers: Readonly<Record<Tier, { readonly bytes: number; readonly requests: number }>>
  /**
   * What the retrieval costs, in the currency of the prices; none when a tier that is used has no price. Transfer out of
   * the region, for instance to the internet, is not priced and can cost more.
   */
  readonly cost: Option.Option<number>
  /** How long after the first retrieval the last can be started under the caps. Then its tier takes its time. */
  readonly duration: Duration.Duration
}

const tiers = Tier.literals

/** What that much costs, or the tier that has no price. */
const costOf = (tally: Ledger.Tally, prices: Prices = {}): Either.Either<number, Tier> => {
  let cost = 0
  for (const tier of tiers) {
    const { bytes, requests } = tally[tier]
    if (requests === 0) continue
    const price = prices[tier]
    if (price === undefined) return Either.left(tier)
    cost += bytes / 2 ** 30 * price.perGiB + requests / 1_000 * price.perThousandRequests
  }
  return Either.right(cost)
}

interface Limit {
  readonly cap: "bytesPerHour" | "bytesPerDay"
  readonly allowed: number
  readonly span: number
}

const checked = (terms: Terms) =>
  Either.gen(function*() {
    const of = <A, I>(field: keyof Terms, schema: Schema.Schema<A, I>) =>
      check("RetrievalBudget", field, Schema.UndefinedOr(schema), terms[field])
    const [perHour, perDay] = [yield* of("bytesPerHour", Bytes), yield* of("bytesPerDay", Bytes)]
    const limits: ReadonlyArray<Limit> = [
      ...(perHour === undefined ? [] : [{ cap: "bytesPerHour", allowed: perHour, span: Ledger.hourMillis } as const]),
      ...(perDay === undefined ? [] : [{ cap: "bytesPerDay", allowed: perDay, span: Ledger.dayMillis } as const])
    ]
    return { prices: yield* of("prices", Prices), limits }
  })

/** Names the archive in an error about its retrieval. */
const naming = (archive: string | undefined) => (exceeded: BudgetExceeded): BudgetExceeded => {
  if (archive === undefined) return exceeded
  const { allowed, asked, cap, left, roomIn } = exceeded
  return new BudgetExceeded({ archive, allowed, asked, cap, left, roomIn })
}

/** A retrieval of a known size that fits in each limit by itself. */
const entryOf = (
  { archive, bytes, tier = "Standard" }: Retrieval,
  limits: ReadonlyArray<Limit>
): Either.Either<Ledger.Entry, InvalidInput | BudgetExceeded> =>
  Either.flatMap(
    check("RetrievalBudget", archive === undefined ? "bytes" : `bytes of archive ${archive}`, Asked, bytes),
    (asked) => {
      const limit = limits.find(({ allowed }) => asked > allowed)
      return limit === undefined
        ? Either.right({ bytes: asked, tier })
        : Either.left(
          naming(archive)(new BudgetExceeded({ cap: limit.cap, allowed: limit.allowed, left: limit.allowed, asked }))
        )
    }
  )

/**
 * What some retrievals will take: bytes and requests by tier, cost, and how long the caps hold them back when they are
 * started in this order and nothing else is. Asks nobody, and starts nothing. Fails with `InvalidInput` when a size is
 * not known or a term breaks its rule, and with `BudgetExceeded` when a retrieval is larger than a cap.
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
    const { limits, prices } = yield* checked(terms)
    const windows = limits.map(({ allowed, span }) => makeSlidingWindow(allowed, span))
    let tally = Ledger.emptyTally
    let at = 0
    for (const retrieval of retrievals) {
      const entry = yield* entryOf(retrieval, limits)
      tally = Ledger.addTo(tally, entry)
      if (entry.bytes === 0) continue
      for (const window of windows) at = window.roomAt(entry.bytes, at)
      for (const window of windows) window.add({ at, bytes: entry.bytes })
    }
    return { tiers: tally, cost: Either.getRight(costOf(tally, prices)), duration: Duration.millis(at) }
  })

const money = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 6 })

/** As `34,359,738,368 bytes (32.0 GiB)`. */
const exactBytes = (bytes: number): string =>
  `${formatCount(bytes, "byte")}${bytes < 1_024 ? "" : ` (${formatBytes(bytes)})`}`

/**
 * A quote as lines for a terminal: a line for each tier that is used, the cost, and how long the caps hold it back.
 *
 * @since 0.1.0
 * @category quotes
 */
export const format = (quote: Quote): string =>
  [
    ...tiers.flatMap((tier) => {
      const { bytes, requests } = quote.tiers[tier]
      return requests === 0 ? [] : [`${tier}: ${formatCount(requests, "request")}, ${exactBytes(bytes)}`]
    }),
    `Cost: ${
      Option.match(quote.cost, {
        onNone: () => "not known without prices",
        onSome: (cost) => `${money.format(cost)} for the retrieval; transfer is not priced`
      })
    }`,
    Duration.equals(quote.duration, Duration.zero)
      ? "The caps let all start at once"
      : `Under the caps the last starts ${Duration.format(quote.duration)} after the first`
  ].join("\n")

/**
 * What a retrieval can fail with under a budget, besides the errors of its call.
 *
 * @since 0.1.0
 * @category errors
 */
export type SpendError = BudgetExceeded | InvalidInput | LedgerError | PolicyEnforced

/**
 * Stands before the calls that start jobs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Budget {
  /**
   * Makes a call of InitiateJob when there is room for its retrieval, which is entered in the ledger before the call is
   * made. One that certainly started no job is taken back.
   */
  readonly spend: <A, E extends GlacierError, R>(
    retrieval: Retrieval,
    initiate: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | SpendError, R>
}

/**
 * No limits: nothing is counted.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: Budget = { spend: (_, initiate) => initiate }

/**
 * The budget in use: without a Layer `none`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { RetrievalBudget } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * // A retrieval that may cost what it likes
 * const atAnyPrice = Effect.provideService(RetrievalBudget.RetrievalBudget, RetrievalBudget.none)
 */
export class RetrievalBudget extends Context.Reference<RetrievalBudget>()("effect-glacier/RetrievalBudget", {
  defaultValue: (): Budget => none
}) {}

/** Whether a call may have started a job: only its end can tell that it has not. */
const mayHaveStarted = (exit: Exit.Exit<unknown, GlacierError>): boolean =>
  Exit.isSuccess(exit) || Option.match(Cause.failureOption(exit.cause), {
    onNone: () => true,
    onSome: (error) => isUnknown(error) || error._tag === "OutcomeUnknown"
  })

/** How often the account's own policy is asked, an hour apart, before a retrieval is thought too large for it. */
const patience = 24

/**
 * A budget over the ledger in the `KeyValueStore` in use. Fails with `InvalidInput` when an option breaks its rule, and
 * with `LedgerError` when the ledger cannot be read.
 *
 * Retrievals start in the order in which they came, and a waiting one can be interrupted. When the account's own
 * data-retrieval policy refuses one (`PolicyEnforced`), it is tried again after an hour, and so that nobody rushes in
 * meanwhile, Standard retrievals of archives are started one by one; one that is refused for a day fails.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<Budget, InvalidInput | LedgerError, KeyValueStore.KeyValueStore> =>
  Effect.gen(function*() {
    const { limits, prices } = yield* checked(options)
    const cost = yield* check("RetrievalBudget", "cost", Schema.UndefinedOr(Amount), options.cost)
    if (cost !== undefined && prices === undefined) {
      return yield* new InvalidInput({
        operation: "RetrievalBudget",
        field: "prices",
        value: "undefined",
        rule: "must be given under a cap of cost"
      })
    }
    const ledger = yield* Ledger.open(yield* KeyValueStore.KeyValueStore, options.key ?? defaultKey)
    const isCapped = limits.length > 0 || cost !== undefined
    const waits = options.onExhausted !== "fail"
    // Of those that wait for room only the first looks for it, and when a call has ended it looks again.
    const withPermit = makeFairSemaphore(1)
    const ended = yield* Effect.makeLatch()
    const oneByOne = makeFairSemaphore(1)

    /** Refuses what would cost too much. */
    const afford = (state: Ledger.State, entry: Ledger.Entry) =>
      Either.gen(function*() {
        if (cost === undefined) return
        const costs = (tally: Ledger.Tally) =>
          Either.mapLeft(costOf(tally, prices), (tier) =>
            new InvalidInput({
              operation: "RetrievalBudget",
              field: `prices.${tier}`,
              value: "undefined",
              rule: "must be given under a cap of cost"
            }))
        const before = yield* costs(state.tally)
        const asked = yield* costs(Ledger.addTo(Ledger.emptyTally, entry))
        if ((yield* costs(Ledger.addTo(state.tally, entry))) > cost) {
          yield* Either.left(
            new BudgetExceeded({ cap: "cost", allowed: cost, left: Math.max(0, cost - before), asked })
          )
        }
      })

    /** Refuses what there is no room for yet. What is under way may begin at any moment, so it counts as of now. */
    const fit = (state: Ledger.State, { bytes }: Ledger.Entry, now: number): Either.Either<void, BudgetExceeded> => {
      const spent = [...state.spent, { at: now, bytes: state.open }]
      let refusal: BudgetExceeded | undefined
      for (const { allowed, cap, span } of bytes === 0 ? [] : limits) {
        const window = makeSlidingWindow(allowed, span, spent)
        const roomIn = Duration.millis(window.roomAt(bytes, now) - now)
        if (Duration.greaterThan(roomIn, refusal?.roomIn ?? Duration.zero)) {
          refusal = new BudgetExceeded({ cap, allowed, left: Math.max(0, window.left(now)), asked: bytes, roomIn })
        }
      }
      return refusal === undefined ? Either.void : Either.left(refusal)
    }

    /** Tries to enter a retrieval again and again, each time when there may be room for it. */
    const inTime = <E>(enter: Effect.Effect<void, E | BudgetExceeded>): Effect.Effect<void, E | BudgetExceeded> =>
      Effect.catchIf(
        Effect.zipRight(ended.close, enter),
        (error) => error instanceof BudgetExceeded,
        (refusal) =>
          !waits || refusal.roomIn === undefined ? refusal : Effect.zipRight(
            Effect.raceFirst(
              ended.await,
              Waiting.sleep(
                { reason: "budget", about: refusal.cap },
                refusal.roomIn,
                (left) =>
                  `A retrieval of ${refusal.asked} bytes waits: the RetrievalBudget has ${refusal.left} bytes left of its ` +
                  `${refusal.cap} of ${refusal.allowed}. There is room in ${Duration.format(left)}`
              )
            ),
            inTime(enter)
          )
      )

    /** Makes the call once it is entered, and notes what became of it. */
    const call = <A, E extends GlacierError, R>(entry: Ledger.Entry, initiate: Effect.Effect<A, E, R>) =>
      Effect.suspend(() => {
        let isEntered = false
        const enter = ledger.change((state, now) =>
          afford(state, entry).pipe(
            Either.flatMap(() => fit(state, entry, now)),
            Either.map(() => Ledger.enter(state, entry))
          )
        ).pipe(
          Effect.zipRight(Effect.sync(() => {
            isEntered = true
          })),
          Effect.uninterruptible
        )
        // What takes no room waits for none.
        const entered = entry.bytes === 0 ? enter : withPermit(inTime(enter))
        return Effect.onExit(Effect.zipRight(entered, initiate), (exit) =>
          isEntered
            ? ledger.note((state, now) =>
              mayHaveStarted(exit) ? Ledger.settle(state, entry.bytes, now) : Ledger.takeBack(state, entry)
            ).pipe(Effect.zipRight(ended.open))
            : Effect.void)
      })

    /** Makes a call when the account's own policy has refused none for an hour. */
    const whenOpen = <A, E extends GlacierError, R>(
      call: Effect.Effect<A, E, R>,
      refusals = 0
    ): Effect.Effect<A, E | PolicyEnforced, R> =>
      Effect.gen(function*() {
        const closedFor = (yield* ledger.state).closedUntil - (yield* Clock.currentTimeMillis)
        if (closedFor > 0) {
          const message = (left: Duration.Duration) =>
            "The account's data-retrieval policy allows no more for now: " +
            `the retrieval is requested again in ${Duration.format(left)}`
          const wait = Duration.millis(Math.ceil(closedFor))
          if (!waits) {
            return yield* new PolicyEnforced({ operation: "InitiateJob", status: 400, message: message(wait) })
          }
          yield* Waiting.sleep({ reason: "budget", about: "policy" }, wait, message)
        }
        return yield* Effect.catchAll(call, (error): Effect.Effect<A, E | PolicyEnforced, R> =>
          error._tag !== "PolicyEnforced" ? Effect.fail(error) : Effect.zipRight(
            ledger.note((state, now) => ({ ...state, closedUntil: now + Ledger.hourMillis })),
            waits && refusals < patience ? whenOpen(call, refusals + 1) : Effect.fail(error)
          ))
      })

    return {
      spend: (retrieval, initiate) =>
        Effect.suspend(() => {
          const isArchive = retrieval.bytes !== 0
          const { archive, bytes = isCapped ? undefined : 0, tier = "Standard" } = retrieval
          return Effect.flatMap(entryOf({ archive, bytes, tier }, limits), (entry) =>
            // The account's policy is about Standard retrievals of archives only.
            isArchive && tier === "Standard" ? oneByOne(whenOpen(call(entry, initiate))) : call(entry, initiate)).pipe(
              Effect.mapError((error) => error instanceof BudgetExceeded ? naming(archive)(error) : error)
            )
        })
    }
  })

/**
 * Provides a budget for a whole program.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (budget: Budget): Layer.Layer<never> => Layer.succeed(RetrievalBudget, budget)

/**
 * A budget for a whole program, over the ledger in the `KeyValueStore` in use: in memory it lasts as long as the
 * program, in files it holds across restarts and crashes. A store knows nothing of other programs; for files that only one
 * program at a time can use, take `NodeRetrievalBudget.layerWith` of `effect-glacier/node`.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { RetrievalBudget } from "effect-glacier"
 * import { NodeKeyValueStore } from "@effect/platform-node"
 * import { Layer } from "effect"
 *
 * // 100 GiB in any day, of which not more than 10 in any hour
 * const careful = RetrievalBudget.layerWith({ bytesPerHour: 10 * 2 ** 30, bytesPerDay: 100 * 2 ** 30 }).pipe(
 *   Layer.provide(NodeKeyValueStore.layerFileSystem("retrievals"))
 * )
 */
export const layerWith = (
  options: Options
): Layer.Layer<never, InvalidInput | LedgerError, KeyValueStore.KeyValueStore> =>
  Layer.effect(RetrievalBudget, make(options))
