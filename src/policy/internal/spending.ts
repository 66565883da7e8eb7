/**
 * How a `RetrievalBudget` admits retrievals: by the caps, by the cost, and by the account's own data-retrieval policy.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { BudgetExceeded, type GlacierError, InvalidInput, type LedgerError } from "../../protocol/GlacierError.ts"
import { PolicyEnforced } from "../../protocol/ServiceError.ts"
import { isUnknown } from "../RetryPolicy.ts"
import * as Waiting from "../Waiting.ts"
import { makeFairSemaphore } from "./fairSemaphore.ts"
import type { Ledger } from "./ledger.ts"
import * as LedgerState from "./ledgerState.ts"
import { type ByteCap, costsOf, entryOf, nameArchive, type Prices, type Retrieval, sumOf } from "./quote.ts"
import { makeSlidingWindow } from "./slidingWindow.ts"

/** A budget: its caps, its ledger, and the order of its waiting retrievals. */
export interface Spending {
  readonly caps: ReadonlyArray<ByteCap>
  readonly cost: number | undefined
  readonly prices: Prices | undefined
  readonly ledger: Ledger
  /** Whether a retrieval without room waits instead of failing. */
  readonly waits: boolean
  /** Only the first waiting retrieval looks for room, so that retrievals start in the order of arrival. */
  readonly inOrder: ReturnType<typeof makeFairSemaphore>
  /** Opened when a call ends: its retrieval may have been removed, so the first waiting retrieval looks again. */
  readonly callEnded: Effect.Latch
  /** Runs the Standard retrievals of archives one at a time. */
  readonly oneByOne: ReturnType<typeof makeFairSemaphore>
}

export const make = (
  options: Pick<Spending, "caps" | "cost" | "ledger" | "prices" | "waits">
): Effect.Effect<Spending> =>
  Effect.map(Effect.makeLatch(), (callEnded) => ({
    ...options,
    inOrder: makeFairSemaphore(1),
    callEnded,
    oneByOne: makeFairSemaphore(1)
  }))

/** The error for a price that a cap of cost needs. */
export const missingPrice = (field: string): InvalidInput =>
  new InvalidInput({
    operation: "RetrievalBudget",
    field,
    value: "undefined",
    rule: "must be given when cost is capped"
  })

/** Fails when the cost of a retrieval exceeds what is left of the cap. */
const checkCost = ({ cost, prices }: Spending, state: LedgerState.State, entry: LedgerState.Entry) =>
  Either.gen(function*() {
    if (cost === undefined) return
    const price = (tally: LedgerState.Tally) =>
      Either.mapLeft(sumOf(costsOf(tally, prices)), (part) => missingPrice(`prices.${part}`))
    const spent = yield* price(state.tally)
    const asked = yield* price(LedgerState.addTo(LedgerState.emptyTally, entry))
    if ((yield* price(LedgerState.addTo(state.tally, entry))) > cost) {
      yield* Either.left(new BudgetExceeded({ cap: "cost", allowed: cost, left: Math.max(0, cost - spent), asked }))
    }
  })

/** The bytes spent as of now. A call in flight may start its job at any moment, so its bytes count as spent now. */
const spentBy = (state: LedgerState.State, now: number) => [...state.spent, { at: now, bytes: state.inFlight }]

/** The parts of the caps that are left. */
export const left = ({ caps, cost, ledger, prices }: Spending) =>
  Effect.zipWith(ledger.state, Clock.currentTimeMillis, (state, now) => {
    const bytes = caps.map(({ allowed, cap, span }) =>
      [cap, Math.max(0, makeSlidingWindow(allowed, span, spentBy(state, now)).left(now))] as const
    )
    const { requests, retrieval, transfer } = costsOf(state.tally, prices)
    return {
      ...Object.fromEntries(bytes),
      ...(cost !== undefined && { cost: Math.max(0, cost - requests - retrieval - transfer) })
    }
  })

/** Fails when there is no room for a retrieval yet, with the cap that makes it wait longest. */
const checkRoom = (
  { caps }: Spending,
  state: LedgerState.State,
  { bytes }: LedgerState.Entry,
  now: number
): Either.Either<void, BudgetExceeded> => {
  const spent = spentBy(state, now)
  let exceeded: BudgetExceeded | undefined
  for (const { allowed, cap, span } of bytes === 0 ? [] : caps) {
    const window = makeSlidingWindow(allowed, span, spent)
    const roomIn = Duration.millis(window.roomAt(bytes, now) - now)
    if (Duration.greaterThan(roomIn, exceeded?.roomIn ?? Duration.zero)) {
      exceeded = new BudgetExceeded({ cap, allowed, left: Math.max(0, window.left(now)), asked: bytes, roomIn })
    }
  }
  return exceeded === undefined ? Either.void : Either.left(exceeded)
}

/** Enters a retrieval in the ledger as soon as there is room for it. */
const enterWhenRoom = <E>(
  { callEnded, waits }: Spending,
  enter: Effect.Effect<void, E | BudgetExceeded>
): Effect.Effect<void, E | BudgetExceeded> => {
  const loop: Effect.Effect<void, E | BudgetExceeded> = Effect.catchIf(
    Effect.zipRight(callEnded.close, enter),
    (error) => error instanceof BudgetExceeded,
    (exceeded) => {
      const { allowed, asked, cap, left, roomIn } = exceeded
      if (!waits || roomIn === undefined) return exceeded
      const sleep = Waiting.sleep(
        { reason: "budget", about: cap },
        roomIn,
        (remaining) =>
          `A retrieval of ${asked} bytes waits: the RetrievalBudget has ${left} bytes left of its ${cap} of ${allowed}. ` +
          `There is room in ${Duration.format(remaining)}`
      )
      return Effect.zipRight(Effect.raceFirst(callEnded.await, sleep), loop)
    }
  )
  return loop
}

/** Whether a call may have started a job. Only certain errors show that it has not. */
const mayHaveStarted = (exit: Exit.Exit<unknown, GlacierError>): boolean =>
  Exit.isSuccess(exit) || Option.match(Cause.failureOption(exit.cause), {
    onNone: () => true,
    onSome: (error) => isUnknown(error) || error._tag === "OutcomeUnknown"
  })

/** Enters a retrieval in the ledger, makes its call, and records how the call ended. */
const enterAndCall = <A, E extends GlacierError, R>(
  spending: Spending,
  entry: LedgerState.Entry,
  initiate: Effect.Effect<A, E, R>
): Effect.Effect<A, E | BudgetExceeded | InvalidInput | LedgerError, R> =>
  Effect.suspend(() => {
    const { callEnded, inOrder, ledger } = spending
    let isEntered = false
    const enter = ledger.change((state, now) =>
      checkCost(spending, state, entry).pipe(
        Either.flatMap(() => checkRoom(spending, state, entry, now)),
        Either.map(() => LedgerState.enter(state, entry))
      )
    ).pipe(
      Effect.zipRight(Effect.sync(() => {
        isEntered = true
      })),
      Effect.uninterruptible
    )
    // An inventory retrieval needs no room, so it does not queue for it.
    const entered = entry.bytes === 0 ? enter : inOrder(enterWhenRoom(spending, enter))
    return Effect.onExit(Effect.zipRight(entered, initiate), (exit) =>
      isEntered
        ? ledger.note((state, now) =>
          mayHaveStarted(exit)
            ? LedgerState.markStarted(state, entry.bytes, now)
            : LedgerState.remove(state, entry)
        ).pipe(Effect.zipRight(callEnded.open))
        : Effect.void)
  })

/** How often, an hour apart, a retrieval is requested again before it counts as larger than the account's policy allows. */
const maximumRejections = 24

/** Makes a call once the account's own policy has rejected no retrieval for an hour. */
const whenPolicyAllows = <A, E extends GlacierError, R>(
  spending: Spending,
  call: Effect.Effect<A, E, R>,
  rejections = 0
): Effect.Effect<A, E | PolicyEnforced, R> =>
  Effect.gen(function*() {
    const { ledger, waits } = spending
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
        ledger.note((state, now) => ({ ...state, closedUntil: now + LedgerState.hourMillis })),
        waits && rejections < maximumRejections ? whenPolicyAllows(spending, call, rejections + 1) : Effect.fail(error)
      ))
  })

/** Makes the call of a retrieval when the budget and the account's policy allow it. */
export const spend = <A, E extends GlacierError, R>(
  spending: Spending,
  retrieval: Retrieval,
  initiate: Effect.Effect<A, E, R>
): Effect.Effect<A, E | BudgetExceeded | InvalidInput | LedgerError | PolicyEnforced, R> =>
  Effect.suspend(() => {
    const isCapped = spending.caps.length > 0 || spending.cost !== undefined
    const isArchive = retrieval.bytes !== 0
    const { archive, bytes = isCapped ? undefined : 0, tier = "Standard" } = retrieval
    return Effect.flatMap(entryOf({ archive, bytes, tier }, spending.caps), (entry) => {
      const call = enterAndCall(spending, entry, initiate)
      // The account's policy applies only to Standard retrievals of archives.
      return isArchive && tier === "Standard" ? spending.oneByOne(whenPolicyAllows(spending, call)) : call
    }).pipe(
      Effect.mapError((error) => error instanceof BudgetExceeded ? nameArchive(error, archive) : error)
    )
  })
