/**
 * The progress of a transfer: events for a hook or in a Stream, and estimates of the rate and the remaining time. A slow
 * reader of the Stream does not slow the transfer down.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Wait } from "../policy/Waiting.ts"
import * as ByteRange from "../protocol/ByteRange.ts"
import type { GlacierError } from "../protocol/GlacierError.ts"

/**
 * The number of bytes that are done (parts that the service has, windows that were verified), and the total. The total of a
 * Stream is unknown until its end.
 *
 * @since 0.1.0
 * @category models
 */
export interface Progress {
  readonly bytes: number
  readonly total: Option.Option<number>
}

/**
 * An event about one part or window, which has that range.
 *
 * @since 0.1.0
 * @category models
 */
export interface Piece extends Progress {
  readonly range: ByteRange.ByteRange
}

/**
 * An event of a transfer.
 *
 * Events of a part that is uploaded:
 *
 * - `Read`: it was read from the source.
 * - `Hashed`: its hashes were made.
 * - `Sent`: the service has it and has verified its hashes.
 * - `Kept`: the service already had it.
 *
 * Events of a window that is downloaded:
 *
 * - `Verified`: it was fetched and verified as far as possible.
 * - `Kept`: the file already had it.
 *
 * Events of a call:
 *
 * - `Retried`: an attempt has failed, and the wait for the next attempt begins.
 * - `Waiting`: a wait for another reason takes more than a few seconds. It is reported once: see `Waiting`.
 *
 * @since 0.1.0
 * @category models
 */
export type Event = Data.TaggedEnum<{
  readonly Read: Piece
  readonly Hashed: Piece
  readonly Sent: Piece
  readonly Verified: Piece
  readonly Kept: Piece
  readonly Retried: Progress & {
    /** The range of the part or window. None if the call is about the whole archive. */
    readonly range: Option.Option<ByteRange.ByteRange>
    readonly operation: string
    /** The tag of the error. */
    readonly error: GlacierError["_tag"]
    /** The number of the attempt that has failed. The first is 1. */
    readonly attempt: number
    readonly wait: Duration.Duration
  }
  readonly Waiting: Progress & Wait & {
    /** The range of the part or window. None if the call is about the whole archive. */
    readonly range: Option.Option<ByteRange.ByteRange>
  }
}>

/**
 * The constructors of events, and `Event.$match` and `Event.$is` to distinguish them.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Event = Data.taggedEnum<Event>()

/**
 * A hook that receives each event. The part or window of the event waits for the effect that the hook returns. For slow
 * work use `stream` instead.
 *
 * @since 0.1.0
 * @category models
 */
export type OnProgress = (event: Event) => Effect.Effect<void>

/**
 * The end of a transfer, with its result.
 *
 * @since 0.1.0
 * @category models
 */
export class Ended<out A> extends Data.TaggedClass("Ended")<{ readonly value: A }> {}

/** The most events that wait for a slow reader. */
const capacity = 256

/**
 * Runs a transfer and emits its events. The last element is `Ended` with the result, or the Stream fails with the error of the
 * transfer. The transfer begins when the Stream is run, and is interrupted when the Stream is not read to its end. It can be
 * any effect that accepts an `onProgress` hook.
 *
 * A slow reader does not slow the transfer down: at most 256 events wait for the reader, and older ones are dropped. Each
 * event has the number of bytes done so far, and `Ended` is never dropped.
 *
 * @since 0.1.0
 * @category streams
 * @example
 * import { Progress, Source, Vault } from "effect-glacier"
 * import { Console, Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const vault = yield* Vault.Vault
 *   yield* Progress.stream((onProgress) => vault.upload(Source.file("photos.tar"), { onProgress })).pipe(
 *     Stream.runForEach((event) =>
 *       event._tag === "Ended"
 *         ? Console.log(`stored as ${event.value.archiveId}`)
 *         : Console.log(`${event._tag}: ${event.bytes} bytes`)
 *     )
 *   )
 * })
 */
export const stream = <A, E, R>(
  transfer: (onProgress: OnProgress) => Effect.Effect<A, E, R>
): Stream.Stream<Event | Ended<A>, E, R> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const events = yield* Mailbox.make<Event | Ended<A>, E>({ capacity, strategy: "sliding" })
    yield* transfer((event) => events.offer(event)).pipe(
      Effect.flatMap((value) => events.offer(new Ended({ value }))),
      Mailbox.into(events),
      Effect.forkScoped
    )
    return Mailbox.toStream(events)
  }))

/**
 * The rate of a transfer in bytes per second, and its remaining time. The remaining time is unknown while the total is
 * unknown or no bytes are transferred.
 *
 * @since 0.1.0
 * @category models
 */
export class Estimate extends Data.TaggedClass("Estimate")<
  Progress & {
    readonly rate: number
    readonly remaining: Option.Option<Duration.Duration>
  }
> {}

/** The time (milliseconds) over which the rate is averaged. */
const averagedOver = 30_000

/** The bytes that an event adds to those done, and how many of these were not transferred. */
const lengthsOf = (event: Event) => {
  switch (event._tag) {
    case "Kept":
      return { done: ByteRange.length(event.range), kept: ByteRange.length(event.range) }
    case "Sent":
    case "Verified":
      return { done: ByteRange.length(event.range), kept: 0 }
    default:
      return { done: 0, kept: 0 }
  }
}

/**
 * Makes a function that estimates from each event of a transfer that begins now. The rate is the average of the last 30
 * seconds, or of a longer time if parts take longer. Bytes that were kept do not count for the rate.
 *
 * @since 0.1.0
 * @category estimates
 * @example
 * import { Progress, Source, Vault } from "effect-glacier"
 * import { Console, Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const vault = yield* Vault.Vault
 *   const estimate = yield* Progress.estimator
 *   yield* vault.upload(Source.file("photos.tar"), {
 *     onProgress: (event) => Effect.flatMap(estimate(event), ({ rate }) => Console.log(`${Math.round(rate)} bytes/s`))
 *   })
 * })
 */
export const estimator: Effect.Effect<(event: Event) => Effect.Effect<Estimate>> = Effect.map(
  Clock.currentTimeMillis,
  (begin) => {
    // Times and the bytes transferred until then: at the start of the averaged time, and later.
    let since = { at: begin, moved: 0 }
    const later: Array<typeof since> = []
    let last: number | undefined
    let moved = 0
    return (event) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const { bytes, total } = event
        const { done, kept } = lengthsOf(event)
        const more = bytes - (last ?? bytes - done) - kept
        last = bytes
        if (more > 0) later.push({ at: now, moved: moved += more })
        while (later.length > 1 && (later[0]?.at ?? now) <= now - averagedOver) since = later.shift() ?? since
        const rate = now === since.at ? 0 : (moved - since.moved) / (now - since.at) * 1000
        const remaining = Option.filterMap(total, (total) =>
          bytes === total
            ? Option.some(Duration.zero)
            : rate > 0
            ? Option.some(Duration.millis(Math.ceil((total - bytes) / rate * 1000)))
            : Option.none())
        return new Estimate({ bytes, total, rate, remaining })
      })
  }
)

/**
 * Maps the events of a `stream` to estimates. The last element is its `Ended`.
 *
 * @since 0.1.0
 * @category estimates
 * @example
 * import { Progress, Source, Vault } from "effect-glacier"
 * import { Console, Duration, Effect, Option, Stream } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const vault = yield* Vault.Vault
 *   yield* Progress.stream((onProgress) => vault.upload(Source.file("photos.tar"), { onProgress })).pipe(
 *     Progress.estimates,
 *     Stream.runForEach((event) =>
 *       event._tag === "Ended"
 *         ? Console.log(`stored as ${event.value.archiveId}`)
 *         : Console.log(`${event.bytes} bytes, ${Option.getOrElse(Option.map(event.remaining, Duration.format), () => "?")}`)
 *     )
 *   )
 * })
 */
export const estimates = <A, E, R>(
  events: Stream.Stream<Event | Ended<A>, E, R>
): Stream.Stream<Estimate | Ended<A>, E, R> =>
  Stream.unwrap(Effect.map(estimator, (estimate) =>
    Stream.mapEffect(
      events,
      (event): Effect.Effect<Estimate | Ended<A>> => event._tag === "Ended" ? Effect.succeed(event) : estimate(event)
    )))
