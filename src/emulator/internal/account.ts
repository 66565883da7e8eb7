/**
 * What an account has agreed with the service in a region: how much it may retrieve, and the capacity it has bought.
 *
 * @internal
 */
import type { CapacityId } from "../../protocol/Accounts.ts"
import type * as Event from "./event.ts"

/** A unit of provisioned capacity. */
export interface Unit {
  readonly id: CapacityId
  readonly startsAt: number
  readonly expiresAt: number
}

export interface Account {
  readonly strategy: "BytesPerHour" | "FreeTier" | "None"
  readonly bytesPerHour: number | undefined
  readonly units: ReadonlyArray<Unit>
  /** The Standard retrievals of the last day, oldest first. */
  readonly retrievals: Array<{ readonly at: number; readonly bytes: number }>
}

/** An account that has agreed nothing. */
export const make = (): Account => ({ strategy: "None", bytesPerHour: undefined, units: [], retrievals: [] })

/** The units that have not expired. */
export const unitsOf = (account: Account, now: number): ReadonlyArray<Unit> =>
  account.units.filter(({ expiresAt }) => now < expiresAt)

/** The account after an event. */
export const apply = (account: Account, event: typeof Event.AccountChanged.Type): Account => {
  switch (event._tag) {
    case "RetrievalPolicySet":
      return { ...account, strategy: event.strategy, bytesPerHour: event.bytesPerHour }
    case "CapacityPurchased": {
      const unit = { id: event.capacityId, startsAt: event.at, expiresAt: event.expiresAt }
      return { ...account, units: [...unitsOf(account, event.at), unit] }
    }
  }
}

/** Notes a Standard retrieval of that many bytes, and forgets those of more than a day ago. */
export const recordRetrieval = ({ retrievals }: Account, at: number, bytes: number): void => {
  while ((retrievals[0]?.at ?? at) <= at - dayMillis) retrievals.shift()
  retrievals.push({ at, bytes })
}

/** How many bytes Standard retrievals may have in a time (milliseconds). */
export interface RetrievalLimit {
  readonly bytes: number
  readonly millis: number
}

const hourMillis = 3_600_000

const dayMillis = 24 * hourMillis

/** The free tier: a thirtieth of 10 GiB in 24 hours. */
const freeTier: RetrievalLimit = { bytes: Math.floor(10 * 2 ** 30 / 30), millis: dayMillis }

/** What the data-retrieval policy of an account allows; none if it allows all. */
export const retrievalLimitOf = (account: Account): RetrievalLimit | undefined => {
  switch (account.strategy) {
    case "None":
      return undefined
    case "FreeTier":
      return freeTier
    case "BytesPerHour":
      return { bytes: account.bytesPerHour ?? 0, millis: hourMillis }
  }
}
