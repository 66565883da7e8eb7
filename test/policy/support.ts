/**
 * Support for the tests of policies: all errors with what may be retried, a recorder of attempts, a store in which a program
 * crashes, and a service that records the retrievals it starts.
 */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as RetryQuota from "../../src/policy/RetryQuota.ts"
import * as Errors from "../../src/protocol/GlacierError.ts"
import { Tier } from "../../src/protocol/Jobs.ts"
import { JobId, PartSize, UploadId } from "../../src/protocol/Names.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import { calling } from "../../src/transport/internal/retrying.ts"
import { inVirtualTime } from "../support/virtualClock.ts"

export const operation = "GetSomething"
export const lookUp = "look in the list"
export const service = { operation, status: 400, message: "no" }
export const repeatable = { name: operation, repeatable: true }
export const notRepeatable = { name: operation, repeatable: false }

/** Each error, whether a repeatable operation may be retried after it, and whether any operation may. */
export const errorTable: ReadonlyArray<readonly [error: Errors.GlacierError, safe: boolean, alwaysSafe: boolean]> = [
  [new ServiceError.AccessDenied(service), false, false],
  [new ServiceError.BadRequest(service), false, false],
  [new ServiceError.ExpiredToken(service), false, false],
  [new ServiceError.InsufficientCapacity(service), false, false],
  [new ServiceError.InvalidSignature(service), false, false],
  [new ServiceError.InvalidSignature({ ...service, because: "clock" }), true, true],
  [new ServiceError.InvalidSignature({ ...service, because: "slow" }), true, true],
  [new ServiceError.LimitExceeded(service), false, false],
  [new ServiceError.MissingAuthenticationToken(service), false, false],
  [new ServiceError.MissingParameterValue(service), false, false],
  [new ServiceError.NoLongerSupported(service), false, false],
  [new ServiceError.PolicyEnforced(service), false, false],
  [new ServiceError.RequestTimeout(service), true, true],
  [new ServiceError.ResourceNotFound(service), false, false],
  [new ServiceError.Serialization(service), false, false],
  [new ServiceError.VaultNotFound(service), false, false],
  [new ServiceError.ArchiveNotFound(service), false, false],
  [new ServiceError.JobNotFound(service), false, false],
  [new ServiceError.UploadNotFound(service), false, false],
  [new ServiceError.InventoryNotReady(service), false, false],
  [new ServiceError.NotificationsNotSet(service), false, false],
  [new ServiceError.AccessPolicyNotSet(service), false, false],
  [new ServiceError.VaultLockNotSet(service), false, false],
  [new ServiceError.VaultLockInProgress(service), false, false],
  [new ServiceError.VaultLocked(service), false, false],
  [new ServiceError.ArchiveInOtherVault(service), false, false],
  [new ServiceError.ServiceUnavailable(service), true, false],
  [new ServiceError.Throttling(service), true, true],
  [new ServiceError.UnrecognizedClient(service), false, false],
  [new ServiceError.ChecksumMismatch(service), false, false],
  [new ServiceError.ChecksumMismatch({ ...service, status: 403 }), true, true],
  [new ServiceError.ChecksumMismatch({ ...service, status: 201 }), false, false],
  [new ServiceError.ChecksumMismatch({ ...service, status: 204 }), true, true],
  [new ServiceError.EmptyArchive(service), false, false],
  [new ServiceError.InvalidPartSize(service), false, false],
  [new ServiceError.JobNotReady(service), false, false],
  [new ServiceError.RangeNotAligned(service), false, false],
  [new ServiceError.RangeNotSatisfiable(service), false, false],
  [new ServiceError.VaultNotEmpty(service), false, false],
  [new ServiceError.InvalidParameterValue(service), false, false],
  [new ServiceError.UnknownServiceError({ ...service, status: 400, code: "New" }), false, false],
  [new ServiceError.UnknownServiceError({ ...service, status: 403, code: "HTTP 403" }), false, false],
  [new ServiceError.UnknownServiceError({ ...service, status: 500, code: "New" }), true, false],
  [new ServiceError.UnknownServiceError({ ...service, status: 503, code: "HTTP 503" }), true, false],
  [new Errors.ConnectionError({ operation, message: "lost" }), true, false],
  [new Errors.ConnectionError({ operation, message: "refused", sent: false }), true, true],
  [new Errors.ConnectionRejected({ operation, message: "certificate" }), false, false],
  [new Errors.AttemptTimeout({ operation, waiting: "response", limit: Duration.millis(1) }), true, false],
  [new Errors.OutcomeUnknown({ operation, message: "lost" }), false, false],
  [new Errors.MalformedResponse({ operation, status: 200, problem: "odd" }), false, false],
  [new Errors.BrokenOutput({ jobId: "a", start: 0, end: 1, problem: "short" }), true, false],
  [new Errors.SourceChanged({ message: "short" }), false, false],
  [new Errors.SourceTooLarge({ partSize: PartSize.make(1_048_576) }), false, false],
  [new Errors.UploadGone({ uploadId: UploadId.make("a"), message: "gone" }), false, false],
  [new Errors.JobRunning({ jobId: JobId.make("a") }), false, false],
  [new Errors.JobFailed({ jobId: JobId.make("a"), message: "gone" }), false, false],
  [new Errors.JobExpired({ jobId: JobId.make("a"), message: "gone" }), false, false],
  [new Errors.MalformedEntry({ entry: 0, offset: 1, text: "{}", problem: "empty" }), false, false],
  [new Errors.MalformedInventory({ offset: 1, problem: "short" }), false, false],
  [new Errors.CredentialsError({ message: "none" }), false, false],
  [new Errors.EndpointError({ message: "none" }), false, false],
  [new Errors.InvalidInput({ operation, field: "a", value: "b", rule: "c" }), false, false],
  [new Errors.BudgetExceeded({ cap: "cost", allowed: 2, left: 1, asked: 3 }), false, false],
  [new Errors.LedgerError({ message: "torn" }), false, false]
]

export const errors = errorTable.map(([error]) => error)
export const throttling = new ServiceError.Throttling(service)
export const unavailable = new ServiceError.ServiceUnavailable(service)
export const askingToWait = (millis: number) =>
  new ServiceError.ServiceUnavailable({ ...service, retryAfter: Duration.millis(millis) })

export const times = <A>(count: number, value: A): ReadonlyArray<A> => Array.from({ length: count }, () => value)

/** Makes a call that fails with these errors and then succeeds. Returns the times of its attempts and its outcome. */
export const runCall = (
  policy: RetryPolicy.Policy,
  errors: ReadonlyArray<Errors.GlacierError>,
  operation = repeatable
) =>
  Effect.gen(function*() {
    const attempts: Array<number> = []
    const attempt = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const error = errors[attempts.push(now) - 1]
      return error === undefined ? Effect.void : Effect.fail(error)
    })
    const call = calling(attempt, { operation, policy, quota: RetryQuota.unlimited, recover: undefined, lookUp })
    const exit = yield* Effect.exit(call)
    return { attempts, exit, waits: attempts.slice(1).map((at, index) => at - (attempts[index] ?? NaN)) }
  }).pipe(inVirtualTime)

export const waitsOf = (policy: RetryPolicy.Policy, errors: ReadonlyArray<Errors.GlacierError>, seed = "seed") =>
  Effect.map(Effect.withRandom(runCall(policy, errors), Random.make(seed)), ({ waits }) => waits)

/** Makes every random wait as long as possible. */
export const longest = Effect.withRandom(Random.fixed([1]))

export const spaced = (seconds: number) => RetryPolicy.fromSchedule(Schedule.spaced(`${seconds} seconds`))

/** Makes attempts that record when they start (milliseconds) and how many run at once. */
export const recorder = () => {
  const starts: Array<number> = []
  let running = 0
  let most = 0
  return {
    starts,
    most: () => most,
    running: () => running,
    /** An attempt that takes `millis` of its number. */
    attempt: (millis: (index: number) => number): Effect.Effect<void> =>
      Effect.acquireUseRelease(
        Effect.map(Clock.currentTimeMillis, (now) => {
          running++
          most = Math.max(most, running)
          return starts.push(now) - 1
        }),
        (index) => Effect.sleep(millis(index)),
        () =>
          Effect.sync(() => {
            running--
          })
      )
  }
}

/** Returns how many of the times lie within any `period`, at most. */
export const largest = (times: ReadonlyArray<number>, period: number): number => {
  const sorted = [...times].sort((a, b) => a - b)
  let first = 0
  return sorted.reduce((most, time, last) => {
    while ((sorted[first] ?? time) <= time - period) first++
    return Math.max(most, last - first + 1)
  }, 0)
}

export const hour = 3_600_000

export const day = 24 * hour

/**
 * The bytes that the store holds of the write during which a program crashes: nothing, the first half (`torn`), an empty page, a page
 * with changed bytes (`garbled`), or the whole page. A `lost` write seems stored until the program crashes in the next one.
 */
export const fates = ["nothing", "torn", "empty", "garbled", "whole", "lost"] as const

export type Fate = (typeof fates)[number]

/** One run of a program, which can crash. */
export const makeLife = Effect.map(Deferred.make<void>(), (death) => {
  const life = {
    isAlive: true,
    die: Effect.suspend(() => {
      life.isAlive = false
      return Deferred.succeed(death, undefined)
    }),
    /** Runs a program until it ends or crashes. After a crash none of its finalizers run. */
    live: <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<Option.Option<A>, E, R> =>
      Effect.raceFirst(Effect.disconnect(Effect.asSome(program)), Effect.as(Deferred.await(death), Option.none()))
  }
  return life
})

export type Life = Effect.Effect.Success<typeof makeLife>

/** Makes a store on `pages`. The run crashes during the write number `writes`, counted from 1. */
export const storeOn = (
  pages: Map<string, string>,
  life: Life,
  options: { readonly writes?: number; readonly fate?: Fate } = {}
) => {
  const { fate = "whole", writes = Infinity } = options
  let count = 0
  // Lost writes, which reads see until the crash.
  const unsaved = new Map<string, string>()
  const store = KeyValueStore.makeStringOnly({
    get: (key) =>
      Effect.suspend(() =>
        life.isAlive ? Effect.succeed(Option.fromNullable(unsaved.get(key) ?? pages.get(key))) : Effect.never
      ),
    set: (key, value) =>
      Effect.suspend(() => {
        if (!life.isAlive) return Effect.never
        count++
        if (fate === "lost" && count === writes) return Effect.sync(() => void unsaved.set(key, value))
        if (count < writes) return Effect.sync(() => void pages.set(key, value))
        if (fate === "torn") pages.set(key, value.slice(0, Math.floor(value.length / 2)))
        if (fate === "empty") pages.set(key, "")
        if (fate === "garbled") pages.set(key, value.replace(/"bytes":\d+/g, "\"bytes\":0"))
        if (fate === "whole") pages.set(key, value)
        return Effect.zipRight(life.die, Effect.never)
      }),
    remove: (key) => Effect.sync(() => void pages.delete(key)),
    clear: Effect.sync(() => pages.clear()),
    size: Effect.sync(() => pages.size)
  })
  return { store, writes: () => count }
}

/** A call of InitiateJob: when its job starts, when the call ends, and how. */
export interface Call extends RetrievalBudget.Retrieval {
  readonly bytes: number
  /** Milliseconds from the call to the start of its job, and from there to the end of the call. */
  readonly before: number
  readonly after: number
  /** `rejected`: no job starts. `lost`: a job starts, and the response is lost. */
  readonly outcome: "started" | "rejected" | "lost"
}

const response = { operation: "InitiateJob", status: 400, message: "no" }

/** Makes a service that records the retrievals it starts, until the calling program crashes. */
export const makeService = () => {
  const starts: Array<{ readonly at: number; readonly bytes: number }> = []
  return {
    starts,
    initiate: (life: Life, call: Call): Effect.Effect<void, Errors.GlacierError> =>
      Effect.gen(function*() {
        yield* Effect.sleep(call.before)
        if (!life.isAlive) return yield* Effect.never
        const at = yield* Clock.currentTimeMillis
        if (call.outcome !== "rejected") starts.push({ at, bytes: call.bytes })
        yield* Effect.sleep(call.after)
        if (call.outcome === "rejected") return yield* new ServiceError.ResourceNotFound({ ...response, status: 404 })
        if (call.outcome === "lost") return yield* lostBy(call)
      })
  }
}

/** The error of a call whose response was lost. */
const lostBy = ({ bytes }: Call) =>
  bytes % 2 === 0
    ? new Errors.ConnectionError({ operation: "InitiateJob", message: "reset" })
    : new Errors.AttemptTimeout({ operation: "InitiateJob", waiting: "call", limit: Duration.millis(1) })

/** `count` calls for up to `bytes` bytes each. Most of them succeed at once. */
export const calls = (count: number, bytes: number): FastCheck.Arbitrary<ReadonlyArray<Call>> => {
  const delay = FastCheck.oneof(
    { weight: 3, arbitrary: FastCheck.constant(0) },
    FastCheck.integer({ min: 0, max: hour })
  )
  return FastCheck.array(
    FastCheck.record({
      bytes: FastCheck.integer({ min: 0, max: bytes }),
      tier: FastCheck.constantFrom(...Tier.literals, undefined),
      before: delay,
      after: delay,
      outcome: FastCheck.constantFrom("started" as const, "started" as const, "rejected" as const, "lost" as const)
    }),
    { minLength: count, maxLength: count }
  )
}

/** Returns the most bytes whose retrieval started within any `span` of milliseconds. */
export const most = (starts: ReadonlyArray<{ readonly at: number; readonly bytes: number }>, span: number): number => {
  const sorted = [...starts].sort((a, b) => a.at - b.at)
  let first = 0
  let sum = 0
  return sorted.reduce((most, { at, bytes }) => {
    sum += bytes
    for (let old = sorted[first]; old !== undefined && old.at <= at - span; old = sorted[++first]) sum -= old.bytes
    return Math.max(most, sum)
  }, 0)
}
