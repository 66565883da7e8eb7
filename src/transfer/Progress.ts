/**
 * How far a transfer has come: told to a hook as it happens, or as a Stream that may be read as slowly as one likes, and
 * from either how long it will take.
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
 * The bytes that are done for good (parts the service has, windows that were verified), of how many: that is not known of
 * a Stream before its end.
 *
 * @since 0.1.0
 * @category models
 */
export interface Progress {
  readonly bytes: number
  readonly total: Option.Option<number>
}

/**
 * Progress of one part or window, by its range.
 *
 * @since 0.1.0
 * @category models
 */
export interface Piece extends Progress {
  readonly range: ByteRange.ByteRange
}

/**
 * Something that has happened in a transfer. Of a part that is uploaded there are `Read`, `Hashed` and `Sent`, which says
 * that the service has it and found its hashes right, or `Kept` when it had it already; of a window that is downloaded
 * `Verified`, once it was checked as far as it can be, or `Kept` when the file had it already. `Retried` comes before the
 * wait for another attempt of any call, `Waiting` once for any other wait of more than a few seconds: see `Waiting`.
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
    /** What the call is about: none where it is the whole. */
    readonly range: Option.Option<ByteRange.ByteRange>
    readonly operation: string
    /** The tag of the error. */
    readonly error: GlacierError["_tag"]
    /** The attempt that has failed, 1 the first. */
    readonly attempt: number
    readonly wait: Duration.Duration
  }
  readonly Waiting: Progress & Wait & {
    /** What the call is about: none where it is the whole. */
    readonly range: Option.Option<ByteRange.ByteRange>
  }
}>

/**
 * Makes events, and tells them apart: `Event.$match`, `Event.$is`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Event = Data.taggedEnum<Event>()

/**
 * Told of each event. The part or window that it is about waits for what this returns: what takes time belongs behind a
 * `stream`.
 *
 * @since 0.1.0
 * @category models
 */
export type OnProgress = (event: Event) => Effect.Effect<void>

/**
 * The end of a transfer, and what came of it.
 *
 * @since 0.1.0
 * @category models
 */
export class Ended<out A> extends Data.TaggedClass("Ended")<{ readonly value: A }> {}

/** How many events wait for a slow reader. */
const capacity = 256

/**
 * The events of a transfer, which begins when the Stream is run and is interrupted when it is not read to its end: the
 * last element is `Ended` with the result, or the Stream fails as the transfer does. It takes anything that is told of
 * progress.
 *
 * A slow reader does not slow the transfer down: of the events that wait for it, at most 256, the oldest are dropped. Each
 * tells how many bytes are done so far, and the end is never lost.
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
 * How fast a transfer is, in bytes a second, and how long it will take: nobody knows where the total is not known, or while
 * nothing moves.
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

/** What the rate is the average of (milliseconds). */
const recently = 30_000

/** The bytes that an event says are done, and those of them that had to travel. */
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
 * What makes estimates of the events of one transfer that begins now. The rate is that of the last 30 seconds, or of a
 * longer time where parts are done more rarely; what the other side had already does not count as fast.
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
    // When how many bytes had travelled: where the time that counts begins, and in its course.
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
        while (later.length > 1 && (later[0]?.at ?? now) <= now - recently) since = later.shift() ?? since
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
 * The estimates of a `stream` of events, one for each, and at last its end.
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
