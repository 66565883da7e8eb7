/**
 * The settings of an account: the data-retrieval policy of a region, the Standard retrievals that count against it, and
 * provisioned capacity.
 *
 * @internal
 */
import type { CapacityId } from "../../protocol/Accounts.ts"
import { dayMillis } from "./delays.ts"
import type * as Event from "./event.ts"

/** A unit of provisioned capacity. Times are epoch milliseconds. */
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

/** Makes an account without a limit of retrievals and without capacity. */
export const make = (): Account => ({ strategy: "None", bytesPerHour: undefined, units: [], retrievals: [] })

/** Returns the units that have not expired. */
export const unitsOf = (account: Account, now: number): ReadonlyArray<Unit> =>
  account.units.filter(({ expiresAt }) => now < expiresAt)

/** Returns the account after an event. */
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

/** Records a Standard retrieval of `bytes` bytes, and removes the records that are older than a day. */
export const recordRetrieval = ({ retrievals }: Account, at: number, bytes: number): void => {
  while ((retrievals[0]?.at ?? at) <= at - dayMillis) retrievals.shift()
  retrievals.push({ at, bytes })
}

/** The maximum number of bytes of Standard retrievals in a period of `millis` milliseconds. */
export interface RetrievalLimit {
  readonly bytes: number
  readonly millis: number
}

const hourMillis = 3_600_000

// A thirtieth of 10 GiB in 24 hours.
const freeTier: RetrievalLimit = { bytes: Math.floor(10 * 2 ** 30 / 30), millis: dayMillis }

/** Returns the limit that the data-retrieval policy of an account sets; undefined when there is no limit. */
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
