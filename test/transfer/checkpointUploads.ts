/** Uploads with a checkpoint that can be ended at any request, as by the death of their process. */
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import type * as Emulator from "../../src/emulator/Emulator.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import { promptly } from "../support/retryPolicies.ts"
import * as Support from "./support.ts"

const { address, mebibyte, pattern } = Support

/** A Stream in two pieces. */
export const once = (bytes: Uint8Array) =>
  Source.stream(Stream.fromIterable([bytes.subarray(0, 700_000), bytes.subarray(700_000)]))

/** A source with a version. `taken` returns the positions that were read since the last call, in MiB. */
export const versioned = (bytes: Uint8Array) => {
  const read: Array<number> = []
  const state = { bytes, version: "1" }
  const source: Source.Source = {
    size: Effect.sync(() => state.bytes.length),
    version: Effect.sync(() => state.version),
    read: (range) =>
      Effect.sync(() => {
        read.push(range.start / mebibyte)
        return state.bytes.subarray(range.start, range.end + 1)
      })
  }
  return { source, state, taken: () => read.splice(0) }
}

/** The request at which a process dies or the connection breaks, and whether the request or its response is lost. */
export interface Cut {
  readonly at: number
  readonly ends: "process" | "connection"
  readonly loses: "request" | "response"
}

/**
 * The traffic of a process. `taken` returns its requests since the last call, as `PUT 2` for the part that begins at the
 * third MiB. `twice` has the parts that were sent again although the process could know that the service had them.
 */
export const makeTraffic = () => {
  const sent: Array<string> = []
  const twice: Array<string> = []
  const arrived = new Set<string>()
  const acknowledged = new Set<string>()
  let cut: Cut | undefined
  let count = 0
  let died = Deferred.unsafeMake<void>(FiberId.none)
  const change: Support.Change = (send, request) =>
    Effect.suspend(() => {
      count++
      const range = request.headers["content-range"]
      const part = request.method === "PUT" && range !== undefined ? `${request.url} ${range}` : undefined
      const place = range === undefined ? "" : ` ${Number.parseInt(range.slice("bytes ".length)) / mebibyte}`
      sent.push(`${request.method}${place}`)
      if (part !== undefined && acknowledged.has(part)) twice.push(part)
      const arriving = Effect.tap(send, () => Effect.sync(() => part !== undefined && arrived.add(part)))
      const responded = Effect.tap(arriving, () => Effect.sync(() => part !== undefined && acknowledged.add(part)))
      if (cut === undefined || count < cut.at) return responded
      // `Effect.timeout` loses an interruption that arrives just before it starts its fibers. Such a request of a process that has
      // died would wait forever, so it is lost.
      const ends = cut.ends === "connection" || count > cut.at
        ? Support.lost(request)
        : Effect.zipRight(Deferred.succeed(died, undefined), Effect.never)
      return count === cut.at && cut.loses === "response" ? Effect.zipRight(arriving, ends) : ends
    })
  return {
    change,
    twice,
    taken: () => sent.splice(0),
    /** Runs an effect until it ends or the process dies. */
    living: <A, E, R>(effect: Effect.Effect<A, E, R>, next?: Cut) =>
      Effect.suspend(() => {
        cut = next
        count = 0
        // The service lists the parts whose responses were lost, too.
        for (const part of arrived) acknowledged.add(part)
        died = Deferred.unsafeMake(FiberId.none)
        const death = Effect.as(Deferred.await(died), Option.none())
        return Effect.catchAllCause(
          Effect.raceFirst(Effect.asSome(effect), death),
          // A process that has died reports no error.
          (cause) => Effect.flatMap(Deferred.isDone(died), (isDead) => isDead ? death : Effect.failCause(cause))
        )
      }).pipe(Effect.ensuring(Effect.sync(() => {
        cut = undefined
      })))
  }
}

/** Provides an emulator with that traffic, and a checkpoint in memory. */
export const inTraffic =
  (traffic: { readonly change: Support.Change }, options?: Emulator.Options) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      Effect.provideService(RetryPolicy.RetryPolicy, promptly(1)),
      Effect.provide(Layer.merge(Support.layer(traffic.change, options), Checkpoint.layerMemory))
    )

export const name = "holiday"

export const upload = <E, R, E2 = never, R2 = never>(
  source: Source.Source<E, R> | Source.StreamSource<E, R>,
  options: Upload.UploadWithCheckpointOptions<E2, R2> = {}
) => Upload.uploadWithCheckpoint(address, name, source, { partSize: mebibyte, concurrency: 1, ...options })

/** The entries of the checkpoint. */
export const recorded = Effect.scoped(Effect.gen(function*() {
  const { entries } = yield* (yield* Checkpoint.Checkpoint).open(name)
  return Chunk.toReadonlyArray(yield* Stream.runCollect(entries))
}))

/** The parts in the entries, by their MiB. */
export const parts = (entries: ReadonlyArray<string>) =>
  entries.flatMap((entry) =>
    Array.from(entry.matchAll(/"Part","start":(\d+)/g), ([, start]) => Number(start) / mebibyte)
  )

/** The number of archives in the vault. */
export const archives = Effect.flatMap(
  GlacierClient,
  (glacier) =>
    Effect.map(glacier.describeVault(address), ({ numberOfArchives }) => Option.getOrUndefined(numberOfArchives))
)

/** Four parts and a half. */
export const bytes = pattern(4.5 * mebibyte)

/** The process dies before the fourth part is acknowledged. */
export const afterThree: Cut = { at: 5, ends: "process", loses: "request" }
