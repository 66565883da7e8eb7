/**
 * Decides which fault is injected into each operation, by a script or at random from a seed, and records the faults that
 * were injected.
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

/** A fault to inject. */
export interface Fault {
  readonly kind: Kind
  /** The source of the fault's details, such as the bit to flip. */
  readonly random: PCGRandom
  /** Records that the fault was injected. A fault that does not apply is not recorded. */
  readonly record: () => void
}

/** The faults to inject, and the state that outlives one of them. */
export interface Plan {
  /** Returns the fault for the next execution of an operation, if there is one among the possible kinds. */
  readonly next: (operation: string, possible: ReadonlyArray<Kind>) => Fault | undefined
  readonly injected: ReadonlyArray<Step>
  /** The ids of the uploads and jobs that faults made to expire. */
  readonly expired: Set<string>
  /** The source of the bits that `DamagedBodies` flips; undefined until that fault was injected. */
  damaged: PCGRandom | undefined
}

/** Whether no retry helps against a fault of that kind. A single rate for all kinds leaves such kinds out. */
const isLasting = (kind: Kind): boolean => kind === "DamagedBodies"

/** Makes a plan in which no fault has been injected yet. */
export const make = ({ rates = 0, script = [], seed = 0 }: Options): Plan => {
  const injected: Array<Step> = []
  /** The number of executions so far, by operation. */
  const executions = new Map<string, number>()
  const key = (operation: string, at: number) => `${operation} ${at}`
  const scripted = new Map(script.map(({ at, fault, operation }) => [key(operation, at), fault]))
  const rateOf = (kind: Kind, candidates: number) => typeof rates === "number" ? rates / candidates : rates[kind] ?? 0
  const candidatesOf = (kinds: ReadonlyArray<Kind>) =>
    typeof rates === "number" ? kinds.filter((kind) => !isLasting(kind)) : kinds

  return {
    injected,
    expired: new Set(),
    damaged: undefined,
    next: (operation, possible) => {
      const at = (executions.get(operation) ?? 0) + 1
      executions.set(operation, at)
      // One generator for each execution: a script made from `injected` then repeats the details, too.
      const random = new PCGRandom(seed, Hash.string(key(operation, at)))
      let left = random.number()
      const candidates = candidatesOf(possible)
      const drawn = candidates.find((kind) => (left -= rateOf(kind, candidates.length)) < 0)
      const kind = possible.find((kind) => kind === scripted.get(key(operation, at))) ?? drawn
      return kind && { kind, random, record: () => void injected.push({ fault: kind, operation, at }) }
    }
  }
}
