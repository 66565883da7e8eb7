/**
 * A log in a file, which exists only while the log has entries. Lines are fsynced when they are written, and so is the
 * folder when the file may be new.
 *
 * @internal
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as RegularFile from "../RegularFile.ts"
import * as Folder from "./folder.ts"
import type { Medium } from "./records.ts"

const newline = 10

const utf8 = new TextEncoder()

/** Splits pieces of a file into lines. Bytes after the last line end are not a line yet. */
const splitter = () => {
  let rest = new Uint8Array()
  let position = 0
  return (piece: Uint8Array) => {
    const bytes = new Uint8Array(rest.length + piece.length)
    bytes.set(rest)
    bytes.set(piece, rest.length)
    const lines: Array<{ readonly line: Uint8Array; readonly end: number }> = []
    let start = 0
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      lines.push({ line: bytes.subarray(start, end), end: position + end + 1 })
      start = end + 1
    }
    position += start
    rest = bytes.subarray(start)
    return lines
  }
}

export const make = (fs: FileSystem.FileSystem, path: string): Medium => {
  const folder = Folder.of(path)
  /** Makes the name of a new file durable. Its folder may be new, too. */
  const syncFolders = Effect.zipRight(Folder.sync(fs, folder), Folder.sync(fs, `${folder}/..`))
  return {
    lines: Stream.suspend(() => Stream.mapConcat(RegularFile.stream(path, { chunkSize: 262_144 }), splitter())).pipe(
      Stream.provideService(FileSystem.FileSystem, fs),
      Stream.catchSome((error) => Folder.isNotFound(error) ? Option.some(Stream.empty) : Option.none())
    ),
    write: Effect.fnUntraced(function*(lines, end, isClean) {
      const bytes = utf8.encode(lines.map((line) => `${line}\n`).join(""))
      if (!isClean) yield* fs.makeDirectory(folder, { recursive: true })
      yield* Effect.scoped(Effect.gen(function*() {
        const file = yield* RegularFile.open(path, { flag: "a" })
        if (!isClean) yield* file.truncate(end)
        yield* file.writeAll(bytes)
        yield* file.sync
      })).pipe(Effect.provideService(FileSystem.FileSystem, fs))
      if (!isClean) yield* syncFolders
      return end + bytes.length
    }),
    sync: Effect.zipRight(
      Effect.scoped(Effect.flatMap(RegularFile.open(path, { flag: "a" }), (file) => file.sync)),
      syncFolders
    ).pipe(Effect.provideService(FileSystem.FileSystem, fs)),
    clear: fs.remove(path).pipe(
      Effect.zipRight(Folder.sync(fs, folder)),
      Effect.catchIf(Folder.isNotFound, () => Effect.void)
    )
  }
}
