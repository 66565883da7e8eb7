/**
 * An object store as the processes of a simulation see it: calls take time, fail, and arrive after the death of their process.
 * It damages chosen objects, and records which ones were replaced.
 */
import * as Effect from "effect/Effect"
import { PCGRandom } from "effect/Utils"
import type * as ObjectStore from "../../src/s3/ObjectStore.ts"
import * as TestObjectStore from "../../src/testing/TestObjectStore.ts"
import type { Process } from "./world.ts"

/** The longest time that a message takes, each way (ms). */
const latency = 100

/** Makes a store on a bucket. `onReplaced` is called with an object and with the one that has replaced it. */
export const make = Effect.fnUntraced(function*(
  bucket: TestObjectStore.Bucket,
  { damagedObjects, seed, storeFaults }: {
    readonly seed: number
    readonly storeFaults: number
    readonly damagedObjects: ReadonlyArray<number>
  },
  onReplaced: (key: string, before: TestObjectStore.StoredObject, after: TestObjectStore.StoredObject) => void
) {
  const random = new PCGRandom(seed, 5)
  // The store has a clock of its own.
  const clock = yield* Effect.clock
  /** The keys under which the store has damaged an object. */
  const damaged = new Set<string>()
  const figures = { calls: 0, faults: 0, created: 0 }

  /** Executes a call, and records the object that it creates. */
  const executed = <A, E>(effect: Effect.Effect<A, E>, { key }: TestObjectStore.Attempt) =>
    Effect.suspend(() => {
      const before = bucket.objects.get(key)
      return Effect.tap(effect, () => {
        const created = bucket.objects.get(key)
        if (created === undefined || created === before) return
        if (before !== undefined) onReplaced(key, before, created)
        if (!damagedObjects.includes(++figures.created)) return
        const bytes = created.bytes.slice()
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
        const { etag, sha256 } = created.checksums
        const checksums = { etag, ...(sha256 !== undefined && { sha256: `wrong ${sha256}` }) }
        const object = { ...created, bytes, checksums }
        damaged.add(key)
        bucket.objects.set(key, object)
      })
    }).pipe(Effect.withClock(clock), Effect.uninterruptible)

  const layerOf = (process: Process) => {
    const around: TestObjectStore.Around = <A, E>(effect: Effect.Effect<A, E>, attempt: TestObjectStore.Attempt) =>
      Effect.gen(function*(): Effect.fn.Return<A, E | ObjectStore.AttemptError> {
        if (!process.alive) return yield* Effect.die("This process is dead")
        figures.calls++
        const [up, down] = [random.integer(latency), random.integer(latency)]
        const fault = random.number() < storeFaults ? 1 + random.integer(3) : 0
        if (fault > 0) figures.faults++
        // A request on its way may still arrive after its process has died.
        yield* Effect.onInterrupt(
          Effect.sleep(up),
          () =>
            process.alive || random.integer(2) === 0
              ? Effect.void
              : Effect.forkDaemon(executed(effect, attempt))
        )
        if (fault === 1) return yield* TestObjectStore.throttled(attempt)
        if (fault === 2) return yield* TestObjectStore.lost(attempt)
        const result = yield* executed(effect, attempt)
        yield* Effect.sleep(down)
        return fault === 3 ? yield* TestObjectStore.lost(attempt) : result
      })
    return TestObjectStore.layer({ bucket, around })
  }
  return { layerOf, damaged, figures }
})
