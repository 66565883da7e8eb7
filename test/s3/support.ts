/** Support for tests of a destination: archives on the emulator, a bucket in memory, and programs that die at any call. */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as ObjectStore from "../../src/s3/ObjectStore.ts"
import * as S3Destination from "../../src/s3/S3Destination.ts"
import type * as Destination from "../../src/services/Destination.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as TestObjectStore from "../../src/testing/TestObjectStore.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as FileLock from "../../src/transfer/FileLock.ts"
import type { OnProgress } from "../../src/transfer/Progress.ts"
import * as SafePath from "../../src/transfer/SafePath.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Hasher from "../../src/transport/Hasher.ts"
import { type Fate, makeLife, storeOn } from "../policy/support.ts"
import { layer } from "../services/support.ts"
import { promptly } from "../support/retryPolicies.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { mebibyte, pattern } from "../transfer/support.ts"

export { mebibyte, pattern }

/** An archive of the vault, with its bytes and the job that retrieves it. */
export const archive = Effect.fnUntraced(function*(bytes: Uint8Array, path = "a.txt", description = "documents") {
  const vault = yield* Vault.Vault
  const { archiveId, treeHash } = yield* vault.upload(Source.bytes(bytes), { description })
  const job = yield* vault.retrieveArchive(archiveId)
  yield* job.wait()
  const found: Destination.Archive = {
    archiveId,
    description,
    creationDate: yield* DateTime.now,
    size: bytes.length,
    treeHash,
    path: Either.getOrThrow(SafePath.make(path, "posix"))
  }
  return { archive: found, bytes, job }
})

export type Given = Effect.Effect.Success<ReturnType<typeof archive>>

/** An object that another program has put into a bucket. */
export const putObject = Effect.fnUntraced(
  function*(bytes: Uint8Array, metadata: ObjectStore.ObjectInfo["metadata"] = {}) {
    const { attempts, objects } = yield* TestObjectStore.makeBucket()
    const { contentSha256 } = yield* Effect.flatMap(Hasher.Hasher, ({ hashes }) => hashes(bytes))
    yield* attempts.put({ key: "a", metadata }, { bytes, contentSha256 }, { replace: false })
    return Option.getOrThrow(Option.fromNullable(objects.get("a")))
  }
)

/** Runs an effect with some methods of its object store replaced. */
export const replacing =
  (replace: (store: ObjectStore.Service) => Partial<ObjectStore.Service>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | ObjectStore.ObjectStore> =>
    Effect.updateService(effect, ObjectStore.ObjectStore, (store) => ({ ...store, ...replace(store) }))

/** Options with parts of 1 MiB, one at a time. */
export const small: S3Destination.Options = { partSize: mebibyte, concurrency: 1 }

/** Finds the copy of an archive, or stores it, as a plan does. */
export const move = Effect.fnUntraced(function*(
  { archive, job }: Given,
  options: S3Destination.Options = small,
  onProgress: OnProgress = () => Effect.void
) {
  const destination = yield* S3Destination.make(options)
  const found = yield* destination.find(archive)
  return Option.isSome(found) ? found.value : yield* destination.store(archive, job, onProgress)
})

/** The call of the store at which a program dies or a connection breaks: before the call has an effect, or after it. */
export interface Cut {
  readonly at: number
  readonly ends: "process" | "connection"
  readonly loses: "request" | "response"
}

/**
 * The machine of a program: its checkpoints, and the bucket it uses. `calls` has the calls of all programs, such as
 * `UploadPart a.txt`.
 */
export const makeMachine = Effect.fnUntraced(function*(options?: TestObjectStore.BucketOptions) {
  const bucket = yield* TestObjectStore.makeBucket(options)
  const pages = new Map<string, string>()
  const calls: Array<string> = []

  /** Runs a program until it ends, or dies at a call of the store or a write of the checkpoint. */
  const run = Effect.fnUntraced(function*<A, E, R>(
    program: Effect.Effect<A, E, R | Checkpoint.Checkpoint | ObjectStore.ObjectStore>,
    { cut, ...death }: { readonly cut?: Cut; readonly writes?: number; readonly fate?: Fate } = {}
  ) {
    const life = yield* makeLife
    let count = 0
    const around: TestObjectStore.Around = <A, E>(effect: Effect.Effect<A, E>, attempt: TestObjectStore.Attempt) =>
      Effect.suspend((): Effect.Effect<A, E | ObjectStore.AttemptError> => {
        if (!life.isAlive) return Effect.never
        calls.push(`${attempt.operation} ${attempt.key}`)
        if (++count !== cut?.at) return effect
        const acting = cut.loses === "response" ? Effect.ignore(effect) : Effect.void
        const ending = cut.ends === "process"
          ? Effect.zipRight(life.die, Effect.never)
          : TestObjectStore.lost(attempt)
        return Effect.zipRight(acting, ending)
      })
    const store = storeOn(pages, life, death)
    const layers = Layer.merge(
      TestObjectStore.layer({ bucket, around }),
      Layer.provide(Checkpoint.layerKeyValueStore, Layer.succeed(KeyValueStore.KeyValueStore, store.store))
    )
    const end = yield* life.live(Effect.provide(program, layers)).pipe(
      // The locks of a process die with it.
      Effect.provideService(FileLock.FileLock, FileLock.makeInProcess())
    )
    return { end, count, writes: store.writes() }
  })

  return {
    bucket,
    pages,
    /** Returns the calls since the last time. */
    taken: () => calls.splice(0),
    run,
    /** Runs a program that does not die. */
    done: <A, E, R>(program: Effect.Effect<A, E, R | Checkpoint.Checkpoint | ObjectStore.ObjectStore>) =>
      Effect.map(run(program), ({ end }) => Option.getOrThrow(end))
  }
})

export type Machine = Effect.Effect.Success<ReturnType<typeof makeMachine>>

/** Runs a test in virtual time, with the vault `photos` on an emulator. Calls are retried twice at once. */
export const onEmulator = <A, E>(effect: Effect.Effect<A, E, Effect.Effect.Context<ReturnType<typeof archive>>>) =>
  effect.pipe(
    Effect.provideService(RetryPolicy.RetryPolicy, promptly(2)),
    Effect.provide(layer()),
    inVirtualTime
  )
