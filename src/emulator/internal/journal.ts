/**
 * The log of events: one line of JSON each. What is acknowledged survives the death of the process at any moment. It
 * need not survive a loss of power: nothing is fsynced.
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
  /** Puts an event in the queue. */
  readonly append: (event: Event) => void
  /** Waits until everything that is in the queue now is written. */
  readonly flush: Effect.Effect<void, EmulatorStorageError>
}

/** A journal that keeps nothing. */
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

// Splits chunks into whole lines. What follows the last line end comes to nothing.
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

/**
 * Opens the journal at `path`, replaying what is in it. A last line without its end was never acknowledged: it is cut
 * off. Any other line that cannot be read or applied is an error.
 */
export const open = (
  path: string,
  replay: (event: Event) => void
): Effect.Effect<Journal, EmulatorStorageError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const failed = at(path, "the journal cannot be opened")

    if (yield* Effect.mapError(fs.exists(path), failed)) {
      // To open a pipe would block.
      const { type } = yield* Effect.mapError(fs.stat(path), failed)
      if (type !== "File") return yield* failed(`it is a ${type}, not a file`)
      const split = splitter()
      let number = 0
      let position = 0
      let intact = 0
      const read = (line: string): Either.Either<void, EmulatorStorageError> =>
        Either.flatMap(Either.mapLeft(decode(line), at(path, `line ${number} is no event`)), (event) =>
          Either.try({
            try: () => replay(event),
            catch: at(path, `line ${number} does not fit what precedes it`)
          }))
      // All lines of a chunk in one go: there may be millions.
      yield* Stream.runForEach(Stream.mapError(fs.stream(path, { chunkSize: 262_144 }), failed), (chunk) =>
        Effect.suspend(() => {
          for (const line of split(chunk)) {
            number++
            const result = read(line)
            if (Either.isLeft(result)) {
              return result
            }
          }
          const last = chunk.lastIndexOf(newline)
          if (last !== -1) {
            intact = position + last + 1
          }
          position += chunk.length
          return Effect.void
        }))
      const { size } = yield* Effect.mapError(fs.stat(path), failed)
      if (BigInt(intact) < size) {
        yield* Effect.mapError(fs.truncate(path, intact), failed)
      }
    }

    const file = yield* Effect.mapError(fs.open(path, { flag: "a" }), failed)
    const turn = yield* Effect.makeSemaphore(1)
    let queue: Array<string> = []
    let queued = 0
    let written = 0
    let broken = Option.none<EmulatorStorageError>()

    // Whoever comes first writes for all who wait. After a failure nothing more is written or acknowledged: half a
    // line may be in the file, and the state is ahead of it.
    const writeAll = Effect.suspend(() => {
      const batch = queue
      queue = []
      return file.writeAll(utf8.encode(batch.join(""))).pipe(
        Effect.mapError(at(path, "the journal cannot be written")),
        Effect.tapError((error) =>
          Effect.sync(() =>
            broken = Option.some(error)
          )
        ),
        Effect.tap(() => {
          written += batch.length
        })
      )
    })
    const flush = Effect.suspend(() => {
      const ticket = queued
      const isWritten = Effect.sync(() => written >= ticket)
      if (written >= ticket && Option.isNone(broken)) return Effect.void
      return turn.withPermits(1)(
        Effect.suspend(() =>
          Option.isSome(broken) ? Effect.fail(broken.value) : Effect.unlessEffect(writeAll, isWritten)
        )
      ).pipe(Effect.uninterruptible, Effect.asVoid)
    })
    yield* Effect.addFinalizer(() => Effect.ignoreLogged(flush))

    return {
      append: (event) => {
        queue.push(encode(event) + "\n")
        queued++
      },
      flush
    }
  })
