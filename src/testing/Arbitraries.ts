/**
 * Arbitraries of FastCheck for property tests, for values that no schema describes. Schemas make their own arbitraries:
 * `Arbitrary.make(Names.VaultName)` generates vault names, and every other schema works in the same way, including those of
 * errors.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as fc from "effect/FastCheck"
import type * as RatePolicy from "../policy/RatePolicy.ts"
import type * as RetrievalBudget from "../policy/RetrievalBudget.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import * as Timeouts from "../policy/Timeouts.ts"
import { mebibyte } from "../protocol/Limits.ts"
import { operations } from "../protocol/Operations.ts"
import * as Sha256 from "../protocol/Sha256.ts"
import * as TreeHash from "../protocol/TreeHash.ts"
import type * as Faults from "./Faults.ts"
import * as Disk from "./internal/disk.ts"
import { kindsOf } from "./internal/traffic.ts"

/**
 * The bytes of an archive and their tree hash.
 *
 * @since 0.1.0
 * @category models
 */
export interface Archive {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly treeHash: TreeHash.TreeHash
}

/**
 * Generates archives from 1 byte to less than 1 MiB more than `maximumMebibytes` (default: 4). Many sizes differ from a whole
 * number of MiB by at most 2 bytes. Each MiB repeats a byte that no other MiB has, so a wrong order is detected. A
 * counterexample is printed as its size.
 *
 * @since 0.1.0
 * @category archives
 * @example
 * import { TreeHash } from "effect-glacier"
 * import { Sha256 } from "effect-glacier/protocol"
 * import { Arbitraries } from "effect-glacier/testing"
 * import { Effect, FastCheck } from "effect"
 *
 * const property = Effect.map(Sha256.Sha256, (sha256) =>
 *   FastCheck.property(Arbitraries.archive(), ({ bytes, treeHash }) => TreeHash.ofBytes(sha256, bytes) === treeHash))
 */
export const archive = (
  options: { readonly maximumMebibytes?: number | undefined } = {}
): fc.Arbitrary<Archive> => {
  // The default implementation: an arbitrary has no context.
  const sha256 = Context.get(Context.empty(), Sha256.Sha256)
  // Digests of whole MiBs are cached, because the default implementation is slow.
  const whole = new Map<number, Uint8Array>()
  const digestOf = (byte: number): Uint8Array => {
    const digest = whole.get(byte) ?? Sha256.digest(sha256, new Uint8Array(mebibyte).fill(byte))
    whole.set(byte, digest)
    return digest
  }
  return fc.record({
    mebibytes: fc.nat({ max: options.maximumMebibytes ?? 4 }),
    more: fc.oneof(fc.integer({ min: -2, max: 2 }), fc.nat({ max: mebibyte - 1 })),
    first: fc.nat({ max: 7 })
  }).map(({ first, mebibytes, more }) => {
    const size = Math.max(1, mebibytes * mebibyte + more)
    const bytes = new Uint8Array(size)
    const digests: Array<Uint8Array> = []
    for (let start = 0; start < size; start += mebibyte) {
      const byte = first + start / mebibyte
      const leaf = bytes.subarray(start, start + mebibyte).fill(byte)
      digests.push(leaf.length === mebibyte ? digestOf(byte) : Sha256.digest(sha256, leaf))
    }
    const treeHash = TreeHash.ofLeaves(sha256, digests)
    return { bytes, treeHash, [fc.toStringMethod]: () => `an archive of ${size} bytes, the first ${first}` }
  })
}

const durations = (min: number, max: number): fc.Arbitrary<Duration.Duration> =>
  fc.integer({ min, max }).map(Duration.millis)

const maybe = <A>(arbitrary: fc.Arbitrary<A>): fc.Arbitrary<A | undefined> => fc.option(arbitrary, { nil: undefined })

/**
 * Retry policies: `none`, and policies with up to 8 attempts and delays of up to a minute. Some are limited in time.
 *
 * @since 0.1.0
 * @category policies
 */
export const retryPolicy: fc.Arbitrary<RetryPolicy.Policy> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(RetryPolicy.none) },
  {
    weight: 7,
    arbitrary: fc.record({
      attempts: fc.integer({ min: 1, max: 8 }),
      base: durations(1, 1_000),
      throttleBase: durations(1, 5_000),
      cap: durations(1_000, 60_000),
      maxExtraWait: durations(0, 60_000),
      metered: fc.boolean(),
      within: maybe(durations(1, 600_000))
    }).map(({ within, ...options }) => {
      const policy = RetryPolicy.make(options)
      return within === undefined ? policy : RetryPolicy.within(policy, within)
    })
  }
)

const limit: fc.Arbitrary<RatePolicy.Limit> = fc.record({
  requestsPerSecond: maybe(fc.integer({ min: 1, max: 1_000 })),
  concurrency: maybe(fc.integer({ min: 1, max: 32 }))
})

/**
 * Options of `RatePolicy.make`: rates and concurrency, for all requests and for each class of them.
 *
 * @since 0.1.0
 * @category policies
 */
export const ratePolicy: fc.Arbitrary<RatePolicy.Options> = fc.tuple(
  limit,
  fc.record({
    upload: maybe(limit),
    download: maybe(limit),
    retrieval: maybe(limit),
    read: maybe(limit),
    write: maybe(limit)
  })
).map(([all, classes]) => ({ ...all, ...classes }))

/**
 * Time limits from a second to an hour. The limit of a call may also be infinite.
 *
 * @since 0.1.0
 * @category policies
 */
export const timeouts: fc.Arbitrary<Timeouts.Limits> = fc.record({
  response: durations(1_000, 3_600_000),
  upload: durations(1_000, 3_600_000),
  idle: durations(1_000, 3_600_000),
  call: fc.oneof(durations(1_000, 3_600_000), fc.constant(Duration.infinity))
}).map(Timeouts.make)

/**
 * Options of `Bandwidth.make`: bytes per second up and down, each of which may be missing.
 *
 * @since 0.1.0
 * @category policies
 */
export const bandwidth: fc.Arbitrary<{ readonly up?: number | undefined; readonly down?: number | undefined }> = fc
  .record({
    up: maybe(fc.integer({ min: mebibyte, max: 1_024 * mebibyte })),
    down: maybe(fc.integer({ min: mebibyte, max: 1_024 * mebibyte }))
  })

/**
 * Options of `RetryQuota.make`: a capacity, and the costs of retries.
 *
 * @since 0.1.0
 * @category policies
 */
export const retryQuota: fc.Arbitrary<{
  readonly capacity: number
  readonly cost: number
  readonly throttleCost: number
}> = fc.record({
  capacity: fc.nat({ max: 1_000 }),
  cost: fc.integer({ min: 1, max: 20 }),
  throttleCost: fc.integer({ min: 1, max: 20 })
})

const price = fc.record({
  perGiB: fc.nat({ max: 100 }).map((thousandths) => thousandths / 1_000),
  perThousandRequests: fc.nat({ max: 100 }).map((tenths) => tenths / 10)
})

/**
 * Options of `RetrievalBudget.make`: prices, and limits in bytes and in money.
 *
 * @since 0.1.0
 * @category policies
 */
export const retrievalBudget: fc.Arbitrary<RetrievalBudget.Options> = fc.record({
  prices: fc.record({
    Expedited: price,
    Standard: price,
    Bulk: price,
    transfer: price.map(({ perGiB }) => ({ perGiB }))
  }),
  bytesPerHour: maybe(fc.integer({ min: mebibyte, max: 1_024 * mebibyte })),
  bytesPerDay: maybe(fc.integer({ min: mebibyte, max: 10_240 * mebibyte })),
  cost: maybe(fc.nat({ max: 1_000 })),
  onExhausted: fc.constantFrom("wait", "fail")
})

/** Generates up to 10 possible faults of the first 8 executions of operations. */
const scripts = (
  operations: ReadonlyArray<{ readonly operation: string; readonly kinds: ReadonlyArray<Faults.Kind> }>
): fc.Arbitrary<ReadonlyArray<Faults.Step>> =>
  fc.uniqueArray(
    fc.constantFrom(...operations).chain(({ kinds, operation }) =>
      fc.record({
        fault: fc.constantFrom(...kinds),
        operation: fc.constant(operation),
        at: fc.integer({ min: 1, max: 8 })
      })
    ),
    { maxLength: 10, selector: ({ at, operation }) => `${operation} ${at}` }
  )

/**
 * Scripts with up to 10 possible faults between client and service, for the first 8 requests of each operation.
 *
 * @since 0.1.0
 * @category faults
 * @example
 * import { Arbitraries, Faults } from "effect-glacier/testing"
 *
 * const disturbed = Arbitraries.faultScript.map((script) => Faults.layer({ script }))
 */
export const faultScript: fc.Arbitrary<ReadonlyArray<Faults.Step>> = scripts(
  Object.values(operations).map((operation) => ({ operation: operation.name, kinds: kindsOf(operation) }))
)

/**
 * Scripts with up to 10 possible faults on disk, for the first 8 times that files are opened, written, fsynced, read and
 * renamed.
 *
 * @since 0.1.0
 * @category faults
 * @example
 * import { Arbitraries, Faults } from "effect-glacier/testing"
 *
 * const badDisk = Arbitraries.diskFaultScript.map((script) => Faults.layer({ script }))
 */
export const diskFaultScript: fc.Arbitrary<ReadonlyArray<Faults.Step>> = scripts(
  Object.entries(Disk.kinds).map(([operation, kinds]) => ({ operation, kinds }))
)
