/**
 * Small files of the state folder, whose content survives a crash.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"

/** Writes text to a file and waits until the disk has it. */
const write = (file: string, text: string, flag: "w" | "a") =>
  Effect.scoped(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const opened = yield* fs.open(file, { flag })
    yield* opened.writeAll(new TextEncoder().encode(text))
    yield* opened.sync
  }))

/** Makes the name of a file durable, where the platform can. */
const syncFolder = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* Effect.ignore(Effect.scoped(Effect.flatMap(fs.open(path.dirname(file), { flag: "r" }), ({ sync }) => sync)))
})

const makeFolder = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* fs.makeDirectory(path.dirname(file), { recursive: true })
})

/**
 * Replaces the text of a file. Readers see the old text or the new one, also after a crash. Creates the folder if needed.
 *
 * @since 0.1.0
 * @category writing
 */
export const replace = Effect.fnUntraced(function*(file: string, text: string) {
  const fs = yield* FileSystem.FileSystem
  const partial = `${file}.${process.pid}.partial`
  yield* makeFolder(file)
  yield* write(partial, text, "w")
  yield* fs.rename(partial, file)
  yield* syncFolder(file)
})

/**
 * Appends text to a file. Creates the file and its folder if needed.
 *
 * @since 0.1.0
 * @category writing
 */
export const append = Effect.fnUntraced(function*(file: string, text: string) {
  yield* makeFolder(file)
  yield* write(file, text, "a")
  yield* syncFolder(file)
})
