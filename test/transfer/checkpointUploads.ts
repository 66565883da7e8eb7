/** Uploads with a checkpoint that can be cut off at any request, as by the death of their process. */
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
import * as Support from "./support.ts"

const { address, mebibyte, pattern } = Support

/** A stream in two pieces. */
export const once = (bytes: Uint8Array) =>
  Source.stream(Stream.fromIterable([bytes.subarray(0, 700_000), bytes.subarray(700_000)]))

/** Bytes with a version, and where they were read from, in MiB. */
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

/** When a process dies or its line does: with which request, which does not arrive or whose answer does not. */
export interface Cut {
  readonly at: number
  readonly ends: "process" | "line"
  readonly loses: "request" | "answer"
}

/**
 * The traffic of a process. `sent` are its requests, as `PUT 2` for the part that begins at the third MiB; `twice` the
 * parts that were sent though the service had them, and this process could know.
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
      const answered = Effect.tap(arriving, () => Effect.sync(() => part !== undefined && acknowledged.add(part)))
      if (cut === undefined || count < cut.at) return answered
      const ends = cut.ends === "line"
        ? Support.lost(request)
        : Effect.zipRight(Deferred.succeed(died, undefined), Effect.never)
      return count === cut.at && cut.loses === "answer" ? Effect.zipRight(arriving, ends) : ends
    })
  return {
    change,
    twice,
    taken: () => sent.splice(0),
    /** Runs an effect until it ends, or the process does. */
    living: <A, E, R>(effect: Effect.Effect<A, E, R>, next?: Cut) =>
      Effect.suspend(() => {
        cut = next
        count = 0
        // The service tells of those whose answers were lost, too.
        for (const part of arrived) acknowledged.add(part)
        died = Deferred.unsafeMake(FiberId.none)
        return Effect.raceFirst(Effect.asSome(effect), Effect.as(Deferred.await(died), Option.none()))
      }).pipe(Effect.ensuring(Effect.sync(() => {
        cut = undefined
      })))
  }
}

/** Runs with that traffic, and a checkpoint in memory. */
export const inTraffic =
  (traffic: { readonly change: Support.Change }, options?: Emulator.Options) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      Effect.provideService(RetryPolicy.RetryPolicy, Support.promptly(1)),
      Effect.provide(Layer.merge(Support.layer(traffic.change, options), Checkpoint.layerMemory))
    )

export const name = "holiday"

export const upload = <E, R>(
  source: Source.Source<E, R> | Source.StreamSource<E, R>,
  options: Upload.UploadWithCheckpointOptions = {}
) => Upload.uploadWithCheckpoint(address, name, source, { partSize: mebibyte, concurrency: 1, ...options })

/** What the checkpoint says, an entry a line. */
export const recorded = Effect.scoped(Effect.gen(function*() {
  const { entries } = yield* (yield* Checkpoint.Checkpoint).open(name)
  return Chunk.toReadonlyArray(yield* Stream.runCollect(entries))
}))

/** The parts that it has, by their MiB. */
export const parts = (entries: ReadonlyArray<string>) =>
  entries.flatMap((entry) =>
    Array.from(entry.matchAll(/"Part","start":(\d+)/g), ([, start]) => Number(start) / mebibyte)
  )

/** How many archives the vault holds. */
export const archives = Effect.flatMap(
  GlacierClient,
  (glacier) =>
    Effect.map(glacier.describeVault(address), ({ numberOfArchives }) => Option.getOrUndefined(numberOfArchives))
)

/** Four parts and a half. */
export const bytes = pattern(4.5 * mebibyte)

/** The parts after the third are not acknowledged. */
export const afterThree: Cut = { at: 5, ends: "process", loses: "request" }
