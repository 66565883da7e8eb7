/**
 * The output of a command: results on stdout, as text or JSON lines, and everything else on stderr.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Stream from "effect/Stream"
import * as Explain from "./Explain.ts"
import type { Values } from "./Globals.ts"

/**
 * A result: the object that `--json` prints in a line, and the text for people, of one or more lines.
 *
 * @since 0.1.0
 * @category models
 */
export interface Result {
  readonly json: Readonly<Record<string, unknown>>
  readonly text: string
}

/**
 * The output of a command.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly isJson: boolean
  /** Whether a person sees stderr in a terminal. */
  readonly isTerminal: boolean
  /** Whether a person sees stdout in a terminal. */
  readonly isStdoutTerminal: boolean
  /** The number of characters in a line of the terminal. */
  readonly columns: number
  /** Prints text for people on stdout, such as the titles of a table. Prints nothing with `--json`. */
  readonly heading: (text: string) => Effect.Effect<void>
  /** Prints a result on stdout. */
  readonly result: (result: Result) => Effect.Effect<void>
  /** Prints many results on stdout, as fast as the reader takes them. `end` is the character after each text. */
  readonly results: <E, R>(results: Stream.Stream<Result, E, R>, end?: "\n" | "\0") => Effect.Effect<void, E, R>
  /** Prints a line on stderr, unless `--quiet` is given. The status line, if there is one, remains the last line. */
  readonly note: (text: string) => Effect.Effect<void>
  /** Prints a line on stderr with `--verbose`. */
  readonly detail: (text: string) => Effect.Effect<void>
  /** Prints a line on stderr. */
  readonly error: (text: string) => Effect.Effect<void>
  /** Replaces the status line, the last line of the terminal; empty text removes it. Does nothing without a terminal. */
  readonly statusLine: (text: string) => Effect.Effect<void>
}

/**
 * The output in use.
 *
 * @since 0.1.0
 * @category tags
 */
export class Output extends Context.Tag("effect-glacier/cli/Output")<Output, Service>() {}

/**
 * The defect of a command whose reader has ended, as `head` does. Nobody would see the other results, so the command ends too.
 *
 * @since 0.1.0
 * @category errors
 */
export class ReaderEnded extends Data.TaggedError("ReaderEnded") {}

const eraseLine = "\r\u001b[K"

/** Writes text to stdout, and waits while its reader is slow. */
const write = (text: string): Effect.Effect<void> =>
  Effect.async((resume) => {
    process.stdout.write(text, (error) => {
      if (error === undefined || error === null) return resume(Effect.void)
      resume(Effect.die("code" in error && error.code === "EPIPE" ? new ReaderEnded() : error))
    })
  })

/** Makes the output, and the logger that prints its messages as notes. */
const make = ({ json, quiet, verbose }: Values) => {
  // Without a listener an error would end the process. `write` reports those of stdout. A command continues without stderr.
  process.stdout.on("error", () => {})
  process.stderr.on("error", () => {})
  const isTerminal = process.stderr.isTTY
  const columns = process.stderr.columns ?? 80
  let status = ""
  const lineOf = (result: Result, end = "\n"): string => json ? `${JSON.stringify(result.json)}\n` : result.text + end
  const error = (text: string): void => {
    process.stderr.write(status === "" ? `${text}\n` : `${eraseLine}${text}\n${status}`)
  }
  const output: Service = {
    isJson: json,
    isTerminal,
    isStdoutTerminal: process.stdout.isTTY,
    columns,
    heading: (text) => json ? Effect.void : write(`${text}\n`),
    result: (result) => write(lineOf(result)),
    results: (results, end) =>
      Stream.runForEachChunk(
        results,
        (chunk) => write(Chunk.toReadonlyArray(chunk).map((result) => lineOf(result, end)).join(""))
      ),
    note: (text) => quiet ? Effect.void : Effect.sync(() => error(text)),
    detail: (text) => verbose ? Effect.sync(() => error(text)) : Effect.void,
    error: (text) => Effect.sync(() => error(text)),
    statusLine: (text) =>
      Effect.sync(() => {
        if (!isTerminal || quiet) return
        status = text.slice(0, columns - 1)
        process.stderr.write(eraseLine + status)
      })
  }
  const logger = Logger.make<unknown, void>(({ cause, message }) => {
    const details = verbose && !Cause.isEmpty(cause) ? [Explain.trace(cause)] : []
    error([...Arr.ensure(message).map(String), ...details].join(" "))
  })
  return { output, logger }
}

/**
 * The output of a process. It prints log messages as notes: they say why a program waits, and what went wrong on the way.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (values: Values): Layer.Layer<Output> =>
  Layer.suspend(() => {
    const { logger, output } = make(values)
    const level = values.verbose ? LogLevel.Debug : values.quiet ? LogLevel.Error : LogLevel.Info
    return Layer.mergeAll(
      Layer.succeed(Output, output),
      Logger.replace(Logger.defaultLogger, logger),
      Logger.minimumLogLevel(level)
    )
  })
