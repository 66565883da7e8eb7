/**
 * The journal of events in a file: one line of JSON for each event. Events survive the death of the process at any
 * moment once `flush` has returned. They may not survive a power failure, because the journal is not fsynced.
 *
 * It is not the log of checkpoints (`transfer/internal/records.ts`): the emulator shares only `protocol` with the client,
 * and its lines need neither checksums nor an fsync each, because they only hold test data.
 *
 * @internal
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Event } from "./event.ts"
import * as QuickSchemaCheck from "./quickSchemaCheck.ts"
import type { EmulatorStorageError } from "./storageError.ts"
import { at } from "./storageError.ts"

export interface Journal {
  /** Adds an event to the queue. */
  readonly append: (event: Event) => void
  /** Waits until all events that are in the queue now are written. */
  readonly flush: Effect.Effect<void, EmulatorStorageError>
}

/** A journal that keeps no events. */
export const none: Journal = { append: () => {}, flush: Effect.void }

const utf8 = new TextEncoder()

const encode = Schema.encodeSync(Schema.parseJson(Event))

const decodeAny = Schema.decodeEither(Schema.parseJson(Event))

const isEvent = QuickSchemaCheck.make(Event)

const parse = Option.liftThrowable((line: string): unknown => JSON.parse(line))

const decode = (line: string) => {
  const value = Option.getOrUndefined(parse(line))
  return isEvent(value) ? Either.right(value) : decodeAny(line)
}

// Splits chunks into complete lines. The text after the last line end is never returned.
const splitter = (): (chunk: Uint8Array) => ReadonlyArray<string> => {
  const decoder = new TextDecoder()
  let rest = ""
  return (chunk) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n")
    rest = lines.pop() ?? ""
    return lines
  }
}

const newline = 10

const cannotOpen = "the journal cannot be opened"

// Reads a journal and returns the length of its complete lines in bytes.
const readLines = (
  path: string,
  replay: (event: Event) => void
): Effect.Effect<number, EmulatorStorageError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const split = splitter()
    let number = 0
    let position = 0
    let completeLength = 0
    const readLine = (line: string): Either.Either<void, EmulatorStorageError> =>
      Either.flatMap(
        Either.mapLeft(decode(line), at(path, `line ${number} is not an event of this emulator`)),
        (event) =>
          Either.try({
            try: () => replay(event),
            catch: at(path, `line ${number} contradicts the lines before it`)
          })
      )
    const chunks = Stream.mapError(fs.stream(path, { chunkSize: 262_144 }), at(path, cannotOpen))
    // One effect for all lines of a chunk, because a journal may have millions of lines.
    yield* Stream.runForEach(chunks, (chunk) =>
      Effect.suspend(() => {
        for (const line of split(chunk)) {
          number++
          const result = readLine(line)
          if (Either.isLeft(result)) return result
        }
        const last = chunk.lastIndexOf(newline)
        if (last !== -1) completeLength = position + last + 1
        position += chunk.length
        return Effect.void
      }))
    return completeLength
  })

// Replays the journal if it exists, and removes its last line if that has no end.
const replayFile = (
  path: string,
  replay: (event: Event) => void
): Effect.Effect<void, EmulatorStorageError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const failed = at(path, cannotOpen)
    if (!(yield* Effect.mapError(fs.exists(path), failed))) return
    // Opening a pipe would wait for a writer.
    const { type } = yield* Effect.mapError(fs.stat(path), failed)
    if (type !== "File") return yield* failed(`it is a ${type}, not a file`)
    const completeLength = yield* readLines(path, replay)
    const { size } = yield* Effect.mapError(fs.stat(path), failed)
    if (BigInt(completeLength) < size) yield* Effect.mapError(fs.truncate(path, completeLength), failed)
  })

// Appends events to an open file. The first caller of `flush` writes the events of all callers that wait.
const appendTo = (file: FileSystem.File, path: string): Effect.Effect<Journal> =>
  Effect.gen(function*() {
    const writing = yield* Effect.makeSemaphore(1)
    let queue: Array<string> = []
    let queued = 0
    let written = 0
    // After a failure nothing more is written or acknowledged: the file may end in half a line, and the state contains
    // events that the file does not.
    let failure = Option.none<EmulatorStorageError>()

    const writeQueue = Effect.suspend(() => {
      const batch = queue
      queue = []
      return file.writeAll(utf8.encode(batch.join(""))).pipe(
        Effect.mapError(at(path, "the journal cannot be written")),
        Effect.tapError((error) =>
          Effect.sync(() => {
            failure = Option.some(error)
          })
        ),
        Effect.tap(() => {
          written += batch.length
        })
      )
    })
    const flush = Effect.suspend(() => {
      const target = queued
      const isWritten = Effect.sync(() => written >= target)
      if (written >= target && Option.isNone(failure)) return Effect.void
      return writing.withPermits(1)(
        Effect.suspend(() =>
          Option.isSome(failure) ? Effect.fail(failure.value) : Effect.unlessEffect(writeQueue, isWritten)
        )
      ).pipe(Effect.uninterruptible, Effect.asVoid)
    })
    return {
      append: (event) => {
        queue.push(encode(event) + "\n")
        queued++
      },
      flush
    }
  })

/**
 * Opens or creates the journal at `path` and replays its events. A last line without an end was never acknowledged and
 * is removed. Fails when any other line cannot be decoded or replayed.
 */
export const open = (
  path: string,
  replay: (event: Event) => void
): Effect.Effect<Journal, EmulatorStorageError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    yield* replayFile(path, replay)
    const file = yield* Effect.mapError(fs.open(path, { flag: "a" }), at(path, cannotOpen))
    const journal = yield* appendTo(file, path)
    yield* Effect.addFinalizer(() => Effect.ignoreLogged(journal.flush))
    return journal
  })
