/**
 * Progress for people: a line of text, or a bar in a terminal.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import * as Terminal from "@effect/platform/Terminal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { formatBytes, formatSeconds } from "../policy/Format.ts"
import * as Progress from "./Progress.ts"

/**
 * Formats an estimate as a line of text: the bytes done, the total, the rate and the remaining time, as far as these are
 * known.
 *
 * @since 0.1.0
 * @category rendering
 * @example
 * import { Progress, ProgressBar } from "effect-glacier"
 * import { Duration, Option } from "effect"
 *
 * const line = ProgressBar.line(
 *   new Progress.Estimate({
 *     bytes: 3 * 1024 * 1024,
 *     total: Option.some(12 * 1024 * 1024),
 *     rate: 1_500_000,
 *     remaining: Option.some(Duration.seconds(7))
 *   })
 * ) // "3.0 MiB of 12.0 MiB (25 %), 1.4 MiB/s, 7s to go"
 */
export const line = ({ bytes, rate, remaining, total }: Progress.Estimate): string =>
  [
    Option.match(total, {
      onNone: () => formatBytes(bytes),
      onSome: (total) => `${formatBytes(bytes)} of ${formatBytes(total)} (${Math.floor(bytes / total * 100)} %)`
    }),
    ...(rate > 0 ? [`${formatBytes(Math.round(rate))}/s`] : []),
    ...Option.match(remaining, {
      onNone: () => [],
      onSome: (remaining) => Duration.toMillis(remaining) > 0 ? [`${formatSeconds(remaining)} to go`] : []
    })
  ].join(", ")

/** Draws a bar of `width` characters. */
const bar = ({ bytes, total }: Progress.Estimate, width: number): string =>
  Option.match(total, {
    onNone: () => "",
    onSome: (total) => `[${"#".repeat(Math.floor(bytes / total * width)).padEnd(width, ".")}] `
  })

/** Moves to the beginning of the line and erases it. */
const eraseLine = "\r\u001b[K"

/**
 * Runs a transfer and shows its progress in the `Terminal` in use, after a name. In a terminal it redraws a bar. Elsewhere it
 * prints a line at each quarter, or at each power of two of the bytes when the total is unknown. The transfer does not wait
 * for the terminal.
 *
 * @since 0.1.0
 * @category rendering
 * @example
 * import { ProgressBar, Source, Vault } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const vault = yield* Vault.Vault
 *   yield* ProgressBar.show("Upload", (onProgress) => vault.upload(Source.file("photos.tar"), { onProgress }))
 * })
 */
export const show = <A, E, R>(
  name: string,
  transfer: (onProgress: Progress.OnProgress) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | PlatformError.PlatformError, R | Terminal.Terminal> =>
  Effect.gen(function*() {
    const terminal = yield* Terminal.Terminal
    const isTerminal = yield* terminal.isTTY
    const stage = ({ bytes, total }: Progress.Estimate): number =>
      Option.match(total, {
        onNone: () => Math.floor(Math.log2(Math.max(1, bytes))),
        onSome: (total) => Math.floor(bytes / total * 4)
      })
    let shown = -1
    const draw = Effect.fnUntraced(function*(estimate: Progress.Estimate) {
      const text = `${name} ${isTerminal ? bar(estimate, 30) : ""}${line(estimate)}`
      if (isTerminal) return yield* terminal.display(eraseLine + text.slice(0, (yield* terminal.columns) - 1))
      const now = stage(estimate)
      if (estimate.bytes === 0 || now <= shown) return
      shown = now
      yield* terminal.display(`${text}\n`)
    })
    const ended = yield* Progress.stream(transfer).pipe(
      Progress.estimates,
      Stream.runFoldEffect(Option.none<A>(), (none, event) =>
        event._tag === "Ended" ? Effect.succeed(Option.some(event.value)) : Effect.as(draw(event), none)),
      Effect.ensuring(isTerminal ? Effect.ignore(terminal.display("\n")) : Effect.void)
    )
    // A Stream of progress always ends with `Ended`, or fails.
    return yield* Effect.orDie(ended)
  })
