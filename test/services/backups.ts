/** Support for tests of backups: sources that can change, and the contents of the vault. */
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as ArchiveName from "../../src/protocol/ArchiveName.ts"
import * as BackupPlan from "../../src/services/BackupPlan.ts"
import type * as Source from "../../src/transfer/Source.ts"
import { pattern } from "../transfer/support.ts"

/** Bytes that no other file of the test has. */
export const bytesOf = (size: number, number: number): Uint8Array => {
  const bytes = pattern(size)
  for (let index = 0; index < Math.min(4, size); index++) bytes[index] = number >> (8 * index)
  return bytes
}

/** A file in memory that can be written to. `reads` counts the reads. */
export const makeFile = (path: string, bytes: Uint8Array) => {
  const state = { bytes, modified: 1_000_000, reads: 0, onRead: () => {} }
  const source: Source.Source = {
    size: Effect.sync(() => state.bytes.length),
    version: Effect.sync(() => `${state.bytes.length} ${state.modified}`),
    read: ({ end, start }) =>
      Effect.sync(() => {
        state.reads++
        const piece = state.bytes.subarray(start, end + 1)
        state.onRead()
        return piece
      })
  }
  return {
    path,
    state,
    /** Writes to the file, a minute later. */
    write: (bytes: Uint8Array) => {
      state.bytes = bytes
      state.modified += 60_000
    },
    /** The file as a folder lists it now. */
    listed: (): BackupPlan.File => ({ path, source, modified: DateTime.unsafeMake(state.modified) })
  }
}

export type MemoryFile = ReturnType<typeof makeFile>

/** The files as they are when the Stream is run. */
export const streamOf = (files: ReadonlyArray<MemoryFile>): Stream.Stream<BackupPlan.File> =>
  Stream.suspend(() => Stream.fromIterable(files.map(({ listed }) => listed())))

/** An outcome as a text. */
export const textOf = <E extends { readonly _tag: string }>(outcome: BackupPlan.Outcome<E>): string => {
  switch (outcome._tag) {
    case "Stored":
      return `${outcome.path} ${outcome.before ? "before" : "now"}`
    case "Empty":
      return `${outcome.path} empty`
    default:
      return `${outcome.path} ${outcome.error._tag}`
  }
}

/** Runs a backup. Returns the sorted texts of its outcomes. */
export const backUp = <E, R>(
  files: Stream.Stream<BackupPlan.File | BackupPlan.Unusable, E, R>,
  options: BackupPlan.RunOptions = {},
  name = "home"
) =>
  Effect.map(
    Stream.runCollect(BackupPlan.run(name, files, options)),
    (outcomes) => Chunk.toReadonlyArray(outcomes).map(textOf).sort()
  )

/** The contents of the vault. */
export const inside = Effect.flatMap(Emulator.Emulator, ({ vaults }) =>
  Effect.map(vaults, (vaults) => {
    const [{ archives, uploads } = { archives: [], uploads: [] }] = vaults
    return { archives, uploads }
  }))

/** The path, the size and the tree hash of each archive, sorted. */
export const storedFiles = Effect.map(
  inside,
  ({ archives }) =>
    archives.map(({ description, size, treeHash }) =>
      `${
        Option.match(ArchiveName.read(description), { onNone: () => "", onSome: ({ path }) => path })
      } ${size} ${treeHash}`
    ).sort()
)
