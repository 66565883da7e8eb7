/**
 * The copies that a check has found wrong, as JSON lines in `wrong.jsonl` of a vault. Such a copy does not count, until
 * its bytes are read and right, or it is made again: the metadata of an object says nothing about its bytes.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Archive, Proof } from "../services/Destination.ts"
import { StateError } from "./Failures.ts"
import * as Files from "./Files.ts"
import * as Places from "./Places.ts"
import type { VaultState } from "./State.ts"

/** A line of the file. The last line about a copy counts. */
const Line = Schema.parseJson(Schema.Struct({
  archiveId: Schema.String,
  location: Schema.String,
  endpoint: Schema.optional(Schema.String),
  date: Schema.DateTimeUtc,
  wrong: Schema.Boolean
}))

type Line = typeof Line.Type

const encode = Schema.encodeSync(Line)

const decode = Schema.decodeOption(Line)

const keyOf = ({ archiveId, endpoint = "", location }: Pick<Line, "archiveId" | "endpoint" | "location">): string =>
  JSON.stringify([archiveId, location, endpoint])

/**
 * The wrong copies in a place. Other processes may add and remove copies at the same time.
 *
 * @since 0.1.0
 * @category models
 */
export interface WrongCopies {
  /** Whether any copy in any place is wrong. */
  readonly isAny: Effect.Effect<boolean, StateError>
  readonly has: (archive: Archive) => Effect.Effect<boolean, StateError>
  readonly add: (archive: Archive) => Effect.Effect<void, StateError>
  /** Removes a copy that is right again. */
  readonly remove: (archive: Archive) => Effect.Effect<void, StateError>
}

/**
 * Returns the wrong copies in a place.
 *
 * @since 0.1.0
 * @category constructors
 */
export const of = Effect.fnUntraced(function*({ folder }: VaultState, place: Places.Place) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(folder, "wrong.jsonl")
  const turn = (yield* Effect.makeSemaphore(1)).withPermits(1)
  let known = 0
  let wrong = new Set<string>()

  const enter = (copies: Set<string>, line: Line) => line.wrong ? copies.add(keyOf(line)) : copies.delete(keyOf(line))

  const refresh = Effect.gen(function*() {
    const size = (yield* fs.exists(file)) ? Number((yield* fs.stat(file)).size) : 0
    if (size === known) return
    const copies = new Set<string>()
    const text = yield* fs.readFileString(file)
    text.split("\n").flatMap((line) => Option.toArray(decode(line))).forEach((line) => enter(copies, line))
    known = size
    wrong = copies
  })
  const copyOf = ({ archiveId, path }: Archive) => ({
    archiveId,
    location: Places.locationOf(place, path),
    endpoint: Places.endpointOf(place)
  })
  const isWrong = (archive: Archive) => Effect.map(refresh, () => wrong.has(keyOf(copyOf(archive))))
  const append = Effect.fnUntraced(function*(archive: Archive, isWrong: boolean) {
    const line = { ...copyOf(archive), date: yield* DateTime.now, wrong: isWrong }
    // The first line end ends a line that was cut off.
    const text = `\n${encode(line)}\n`
    yield* Files.append(file, text)
    known += new TextEncoder().encode(text).length
    enter(wrong, line)
  })

  const orFail = (what: "read" | "written") =>
    Effect.mapError(({ message }: { readonly message: string }) =>
      new StateError({ message: `The file ${file} cannot be ${what}: ${message}` })
    )
  const provide = Effect.provide(yield* Effect.context<FileSystem.FileSystem | Path.Path>())
  const copies: WrongCopies = {
    isAny: turn(Effect.map(refresh, () => wrong.size > 0)).pipe(orFail("read")),
    has: (archive) => turn(isWrong(archive)).pipe(orFail("read")),
    add: (archive) => turn(Effect.zipRight(refresh, append(archive, true))).pipe(orFail("written"), provide),
    remove: (archive) =>
      turn(Effect.whenEffect(append(archive, false), isWrong(archive))).pipe(orFail("written"), provide)
  }
  return copies
})

/**
 * A place in use whose wrong copies do not count.
 *
 * @since 0.1.0
 * @category models
 */
export interface Guarded extends Places.Opened {
  readonly wrong: WrongCopies
}

/**
 * Opens a place whose wrong copies do not count, until the Scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const open = Effect.fnUntraced(function*(state: VaultState, place: Places.Place, writing?: Places.Writing) {
  const opened = yield* Places.open(place, writing)
  const wrong = yield* of(state, place)
  const { has, remove } = wrong
  const unless = <R>(archive: Archive, look: Effect.Effect<boolean, Places.PlaceError, R>) =>
    Effect.if(has(archive), { onTrue: () => Effect.succeed(false), onFalse: () => look })
  const guarded: Guarded = {
    ...opened,
    wrong,
    find: (archive) =>
      Effect.if(has(archive), {
        onTrue: () =>
          Effect.tap(opened.findByBytes(archive), (found) => Option.isSome(found) ? remove(archive) : Effect.void),
        onFalse: () => opened.find(archive)
      }),
    store: (archive, job, onProgress) => Effect.zipLeft(opened.store(archive, job, onProgress), remove(archive)),
    verify: (archive, proof: Proof) => unless(archive, opened.verify(archive, proof)),
    isThere: (archive, proof: Proof) => unless(archive, opened.isThere(archive, proof))
  }
  return guarded
})
