/** An object store that throttles, loses responses, and kills the program that uses it. It records what it has created. */
import * as Effect from "effect/Effect"
import type * as ObjectStore from "../../src/s3/ObjectStore.ts"
import * as TestObjectStore from "../../src/testing/TestObjectStore.ts"
import type { Life } from "../policy/support.ts"

/** The operations that change something. */
const changes = [
  "PutObject",
  "CreateMultipartUpload",
  "UploadPart",
  "CompleteMultipartUpload",
  "AbortMultipartUpload"
]

/** Makes a store on a bucket. */
export const makeFaultyStore = (bucket: TestObjectStore.Bucket) => {
  /** The number of objects that were created under each key. */
  const created = new Map<string, number>()
  /** The number of executions of each operation that changes something, and of the responses to it that were lost. */
  const executed = new Map<string, number>()
  const lost = new Map<string, number>()
  let attempts = 0

  const count = (counts: Map<string, number>, name: string): number => {
    const sum = (counts.get(name) ?? 0) + 1
    counts.set(name, sum)
    return sum
  }

  /** Makes the store of a program, which dies in its call number `at` that is part of a multipart upload. */
  const layer = (life: Life, at = Infinity) => {
    let parts = 0
    const around: TestObjectStore.Around = <A, E>(effect: Effect.Effect<A, E>, attempt: TestObjectStore.Attempt) =>
      Effect.gen(function*(): Effect.fn.Return<A, E | ObjectStore.AttemptError> {
        const { key, operation } = attempt
        if (!life.isAlive) return yield* Effect.never
        if (++attempts % 11 === 0) return yield* TestObjectStore.throttled(attempt)
        if (!changes.includes(operation)) return yield* effect
        const before = bucket.objects.get(key)
        const result = yield* effect
        if (bucket.objects.get(key) !== before) count(created, key)
        if (operation !== "PutObject" && ++parts === at) return yield* Effect.zipRight(life.die, Effect.never)
        if (count(executed, operation) % 5 !== 2) return result
        count(lost, operation)
        return yield* TestObjectStore.lost(attempt)
      })
    return TestObjectStore.layer({ bucket, around })
  }
  return { created, lost, layer }
}
