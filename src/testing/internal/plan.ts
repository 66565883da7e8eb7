/**
 * What is to go wrong, and what has.
 *
 * @internal
 */
import * as Hash from "effect/Hash"
import * as Schema from "effect/Schema"
import { PCGRandom } from "effect/Utils"

export const Kind = Schema.Literal(
  "LostRequest",
  "LostResponse",
  "Throttled",
  "TimedOut",
  "Failed",
  "Unavailable",
  "ProxyPage",
  "ResetBeforeHeaders",
  "ResetAfterHeaders",
  "ResetMidBody",
  "Stalled",
  "Trickled",
  "Truncated",
  "ExtraBytes",
  "FlippedBit",
  "DamagedBodies",
  "WrongContentRange",
  "WrongTreeHash",
  "NoTreeHash",
  "RejectedTreeHash",
  "StalePage",
  "RepeatedPage",
  "RepeatedMarker",
  "EmptyMarker",
  "GoneAfterComplete",
  "ExpiredUpload",
  "ExpiredJob",
  "ExpiredCredentials",
  "ClockJump",
  "NoSpace",
  "ShortWrite",
  "FailedSync",
  "FileChanged",
  "NoPermission",
  "CrossDevice"
)

export type Kind = typeof Kind.Type

export const Step = Schema.Struct({ fault: Kind, operation: Schema.String, at: Schema.Int.pipe(Schema.positive()) })

export type Step = typeof Step.Type

export interface Options {
  readonly seed?: number | undefined
  readonly rates?: number | { readonly [K in Kind]?: number } | undefined
  readonly script?: ReadonlyArray<Step> | undefined
}

/** A fault that is to be: what it draws from for its details, and what notes that it has been. */
export interface Draw {
  readonly fault: Kind
  readonly random: PCGRandom
  readonly done: () => void
}

export interface Plan {
  /** What is to happen to the next of an operation, of what can. */
  readonly next: (operation: string, possible: ReadonlyArray<Kind>) => Draw | undefined
  readonly injected: ReadonlyArray<Step>
  /** The uploads and jobs that were made to expire. */
  readonly expired: Set<string>
  /** Where the bits are that `DamagedBodies` flips, once it has happened. */
  damaged: PCGRandom | undefined
}

/** What would let nothing succeed any more: it happens only by its own name. */
const isLasting = (kind: Kind): boolean => kind === "DamagedBodies"

export const make = ({ rates = 0, script = [], seed = 0 }: Options): Plan => {
  const injected: Array<Step> = []
  const seen = new Map<string, number>()
  const key = (operation: string, at: number) => `${operation} ${at}`
  const scripted = new Map(script.map(({ at, fault, operation }) => [key(operation, at), fault]))
  const rateOf = (kind: Kind, among: number) => typeof rates === "number" ? rates / among : rates[kind] ?? 0
  const drawable = (kinds: ReadonlyArray<Kind>) =>
    typeof rates === "number" ? kinds.filter((kind) => !isLasting(kind)) : kinds

  return {
    injected,
    expired: new Set(),
    damaged: undefined,
    next: (operation, possible) => {
      const at = (seen.get(operation) ?? 0) + 1
      seen.set(operation, at)
      // A generator of its own, so that a script gives the details again that a seed has given.
      const random = new PCGRandom(seed, Hash.string(key(operation, at)))
      let left = random.number()
      const candidates = drawable(possible)
      const drawn = candidates.find((kind) => (left -= rateOf(kind, candidates.length)) < 0)
      const fault = possible.find((kind) => kind === scripted.get(key(operation, at))) ?? drawn
      return fault && { fault, random, done: () => void injected.push({ fault, operation, at }) }
    }
  }
}
