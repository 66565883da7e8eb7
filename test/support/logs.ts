/** Collects log entries for a test instead of printing them. */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"

export interface Line {
  /** The time of the `Clock` in milliseconds. */
  readonly at: number
  readonly level: string
  readonly text: string
}

/** Runs an effect with a logger that records its messages, in place of the default logger. */
export const logging = <A, E, R>(run: (lines: ReadonlyArray<Line>) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const lines: Array<Line> = []
    const logger = Logger.make(({ date, logLevel, message }) => {
      lines.push({ at: date.getTime(), level: logLevel.label, text: [message].flat().map(String).join(" ") })
    })
    return Effect.provide(run(lines), Logger.replace(Logger.defaultLogger, logger))
  })
