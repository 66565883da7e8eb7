/**
 * Long-running work: its progress, shown to the user and to `effect-glacier status` in another terminal.
 *
 * On a terminal, the last line shows the progress. Without one, a line is printed each minute if something has changed; with
 * `--json`, an object. The folder `running` of the vault has a file for each process at work.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { formatBytes, formatCount, formatNumber } from "../policy/Format.ts"
import * as Waiting from "../policy/Waiting.ts"
import { StateError } from "./Failures.ts"
import { Output, type Result } from "./Output.ts"
import type { VaultState } from "./State.ts"

/** A count of archives or bytes, and the total if it is known. */
const Count = Schema.Struct({ done: Schema.NonNegativeInt, total: Schema.optional(Schema.NonNegativeInt) })

/**
 * The progress of work.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Progress = Schema.Struct({
  archives: Count,
  failed: Schema.NonNegativeInt,
  bytes: Count,
  /** The number of jobs that run. */
  jobs: Schema.optional(Schema.NonNegativeInt),
  /** The time by which the next of them usually has ended. */
  next: Schema.optional(Schema.DateTimeUtc),
  /** The part of the budget that is left, such as `12.0 GiB today`. */
  budget: Schema.optional(Schema.String),
  /** The reason and the end of the wait, as a sentence. */
  wait: Schema.optional(Schema.String)
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type Progress = typeof Progress.Type

/**
 * Work that runs now: the content of its file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Running = Schema.Struct({
  /** The command with its arguments. */
  command: Schema.String,
  pid: Schema.Int,
  started: Schema.DateTimeUtc,
  updated: Schema.DateTimeUtc,
  progress: Progress
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type Running = typeof Running.Type

const Json = Schema.parseJson(Running)

const encode = Schema.encode(Json)

const decode = Schema.decodeOption(Json)

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // A process of another user.
    return Predicate.hasProperty(error, "code") && error.code === "EPERM"
  }
}

/** A process writes its file each second. After a restart or in a container, another process may have its id. */
const isFresh = (now: DateTime.Utc) => ({ updated }: Running): boolean =>
  DateTime.greaterThan(DateTime.add(updated, { minutes: 1 }), now)

/**
 * The work of a vault that runs now. Removes the files of processes that have died.
 *
 * @since 0.1.0
 * @category getters
 */
export const running = ({ running: folder }: VaultState) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    if (!(yield* fs.exists(folder))) return []
    const fresh = isFresh(yield* DateTime.now)
    const files = (yield* fs.readDirectory(folder)).filter((name) => name.endsWith(".json"))
    const found = yield* Effect.forEach(files, (name) => {
      const file = `${folder}/${name}`
      return Effect.gen(function*() {
        // The process may end meanwhile, and remove its file.
        const work = Option.flatMap(yield* Effect.option(fs.readFileString(file)), decode)
        const alive = Option.filter(work, (work) => work.pid !== process.pid && isAlive(work.pid) && fresh(work))
        if (Option.isNone(alive)) yield* Effect.ignore(fs.remove(file))
        return Option.toArray(alive)
      })
    })
    return found.flat()
  }).pipe(Effect.mapError(({ message }) => new StateError({ message: `${folder} cannot be read: ${message}` })))

/**
 * The handle of the work.
 *
 * @since 0.1.0
 * @category models
 */
export interface Work {
  /** Changes the progress. */
  readonly update: (change: (progress: Progress) => Partial<Progress>) => Effect.Effect<void>
  /**
   * Counts an archive as done, with its bytes. Prints it with `--json`, and with `--verbose` as text: for people the count is
   * enough.
   */
  readonly done: (bytes: number, result: Result) => Effect.Effect<void>
  /** Counts an archive as failed, and prints it. Prints it only with `--json` if `isShown` is false. Default: true. */
  readonly failed: (result: Result, isShown?: boolean) => Effect.Effect<void>
}

/**
 * Formats progress as a line.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = ({ archives, budget, bytes, failed, jobs, next, wait }: Progress): string =>
  [
    // Some work has no archives, and at its beginning none has any.
    ...(archives.total === undefined && archives.done + bytes.done === 0
      ? []
      : [
        archives.total === undefined
          ? formatCount(archives.done, "archive")
          : `${formatNumber(archives.done)} of ${formatCount(archives.total, "archive")}`,
        `${formatBytes(bytes.done)}${bytes.total === undefined ? "" : ` of ${formatBytes(bytes.total)}`}`
      ]),
    ...(failed === 0 ? [] : [`${formatNumber(failed)} failed`]),
    ...(jobs === undefined || jobs === 0
      ? []
      : [
        `${formatCount(jobs, "job")}${next === undefined ? "" : ` until ${DateTime.formatIso(next).slice(11, 16)} UTC`}`
      ]),
    ...(budget === undefined ? [] : [`left: ${budget}`]),
    ...(wait === undefined ? [] : [wait])
  ].join(", ")

/** The time between two lines without a terminal. */
const interval = "1 minute"

/**
 * Runs work and shows its progress. `command` is the command with its arguments: `get '*.jpg' photos`. An interruption is
 * reported with the way to resume: the same command.
 *
 * @since 0.1.0
 * @category running
 */
export const run = <A, E, R>(
  state: VaultState,
  command: string,
  use: (work: Work) => Effect.Effect<A, E, R>
) =>
  Effect.scoped(Effect.gen(function*() {
    const output = yield* Output
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const started = yield* DateTime.now
    const file = path.join(state.running, `${process.pid}.json`)
    let progress: Progress = { archives: { done: 0 }, failed: 0, bytes: { done: 0 } }
    let shown = ""
    const lineOf = () => {
      const text = format(progress)
      return text === "" ? "" : `${command.replace(/ .*$/s, "")}: ${text}`
    }

    const save = Effect.gen(function*() {
      const text = yield* encode({ command, pid: process.pid, started, updated: yield* DateTime.now, progress })
      // A rename, so that a reader never sees half a file.
      yield* fs.writeFileString(`${file}.partial`, text)
      yield* fs.rename(`${file}.partial`, file)
    })
    const show = Effect.suspend(() => {
      const text = lineOf()
      if (text === shown || text === "") return Effect.void
      shown = text
      return output.isJson
        ? output.result({ json: { type: "progress", command, ...progress }, text })
        : output.note(text)
    })
    yield* Effect.mapError(
      Effect.zipRight(fs.makeDirectory(state.running, { recursive: true }), save),
      ({ message }) => new StateError({ message: `${file} cannot be written: ${message}` })
    )
    yield* Effect.addFinalizer(() => Effect.ignore(fs.remove(file)))
    yield* Effect.ignore(save).pipe(Effect.repeat(Schedule.spaced("1 second")), Effect.forkScoped)
    const isLine = output.isTerminal && !output.isJson
    yield* (isLine ? Effect.suspend(() => output.statusLine(lineOf())) : show).pipe(
      Effect.repeat(Schedule.spaced(isLine ? "200 millis" : interval)),
      Effect.delay(isLine ? "0 seconds" : interval),
      Effect.forkScoped
    )
    const change = (next: (progress: Progress) => Partial<Progress>) => {
      progress = { ...progress, ...next(progress) }
    }
    const work: Work = {
      update: (next) => Effect.sync(() => change(next)),
      done: (bytes, result) =>
        Effect.suspend(() => {
          change(({ archives, bytes: { done, ...total } }) => ({
            archives: { ...archives, done: archives.done + 1 },
            bytes: { ...total, done: done + bytes }
          }))
          return output.isJson ? output.result(result) : output.detail(result.text)
        }),
      failed: (result, isShown = true) =>
        Effect.suspend(() => {
          change(({ failed }) => ({ failed: failed + 1 }))
          if (output.isJson) return output.result(result)
          return isShown ? output.error(result.text) : Effect.void
        })
    }
    return yield* use(work).pipe(
      Waiting.onWait(({ message }) => work.update(() => ({ wait: message }))),
      // The last line names no wait that is over.
      Effect.ensuring(Effect.all([work.update(() => ({ wait: undefined })), output.statusLine(""), show])),
      Effect.onInterrupt(() => output.error("Interrupted. Run the same command again to resume"))
    )
  }))
