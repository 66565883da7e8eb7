/** A service that throttles deletes, and programs that send them in bulk. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RatePolicy from "../../src/policy/RatePolicy.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { archiveId } from "../transport/calls.ts"
import { errorResponseOf, responseOf, scripted } from "../transport/support.ts"

/**
 * A service that throttles when its bucket is empty. The bucket holds as many tokens as it gains per second. A request takes
 * 20 ms.
 */
const service = (allowed: (second: number) => number) => {
  const requests: Array<{ readonly at: number; readonly isThrottled: boolean }> = []
  let tokens = Infinity
  let last = 0
  return {
    requests,
    respond: () =>
      Effect.gen(function*() {
        const at = yield* Clock.currentTimeMillis
        const rate = allowed(at / 1_000)
        tokens = Math.min(rate, tokens + (at - last) / 1_000 * rate)
        last = at
        const isThrottled = tokens < 1
        if (!isThrottled) tokens--
        requests.push({ at, isThrottled })
        yield* Effect.sleep("20 millis")
        return isThrottled ? errorResponseOf(400, "ThrottlingException", "Rate exceeded") : responseOf(204)
      }),
    /** Returns the requests between two seconds. */
    between: (from: number, to: number) => requests.filter(({ at }) => at >= from * 1_000 && at < to * 1_000)
  }
}

/** Deletes archives with some fibers. Returns the failures, and the requests that the service got. */
export const deleting = (
  deletes: number,
  { allowed, fibers, retry, rate }: {
    readonly allowed: (second: number) => number
    readonly fibers: number
    readonly retry: RetryPolicy.Policy
    readonly rate: Layer.Layer<never>
  }
) =>
  Effect.gen(function*() {
    const server = service(allowed)
    const { glacier } = yield* scripted(server.respond, { policies: Layer.merge(RetryPolicy.layer(retry), rate) })
    const failures: Array<string> = []
    const one = Effect.catchAll(
      glacier.deleteArchive({ vaultName: "photos", archiveId }),
      (error) => Effect.sync(() => failures.push(error._tag))
    )
    yield* Effect.replicateEffect(one, deletes, { concurrency: fibers, discard: true })
    return { ...server, failures }
  }).pipe(Effect.withRandom(Random.make("bulk")), Effect.provide(NodeHashing.layer), inVirtualTime)

export const bulk = { retry: RetryPolicy.patient, rate: RatePolicy.layerAdaptive }
