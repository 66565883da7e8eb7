/** Support for tests of plans: stores archives, and runs programs that die. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Entry } from "../../src/protocol/Inventory.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as FileLock from "../../src/transfer/FileLock.ts"
import * as Source from "../../src/transfer/Source.ts"
import { type Fate, type Life, makeLife, storeOn } from "../policy/support.ts"
import { pattern } from "../transfer/support.ts"

/** Stores an archive of the given size for each description, and returns their inventory entries. */
export const storeAll = (descriptions: ReadonlyArray<string>, size: (index: number) => number) =>
  Effect.flatMap(Vault.Vault, (vault) =>
    Effect.forEach(descriptions, (description, index) =>
      Effect.gen(function*() {
        const bytes = pattern(size(index))
        const { archiveId, treeHash } = yield* vault.upload(Source.bytes(bytes), { description })
        const entry: Entry = {
          archiveId,
          description,
          creationDate: yield* DateTime.now,
          size: bytes.length,
          treeHash
        }
        return { ...entry, bytes }
      })))

/** The elements of a Stream. */
export const arrayOf = <A, E, R>(stream: Stream.Stream<A, E, R>): Effect.Effect<ReadonlyArray<A>, E, R> =>
  Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

/** The write during which a program dies. */
export interface Death {
  readonly writes: number
  readonly fate: Fate
}

/** The file system as a process sees it: a dead process opens, renames and removes nothing, although its fiber still ends. */
const seenBy = (life: Life, fs: FileSystem.FileSystem): FileSystem.FileSystem => {
  const whileAlive = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => life.isAlive ? effect : Effect.never)
  return {
    ...fs,
    open: (...args) => whileAlive(fs.open(...args)),
    rename: (...args) => whileAlive(fs.rename(...args)),
    remove: (...args) => whileAlive(fs.remove(...args))
  }
}

/** Runs a program until it dies or ends. Its checkpoints are in `pages`. */
export const runOn = Effect.fnUntraced(function*<A, E, R>(
  pages: Map<string, string>,
  program: Effect.Effect<A, E, R | Checkpoint.Checkpoint>,
  death?: Death,
  onLife: (life: Life) => void = () => undefined
) {
  const life = yield* makeLife
  onLife(life)
  const store = Layer.succeed(KeyValueStore.KeyValueStore, storeOn(pages, life, death).store)
  const end = yield* life.live(Effect.provide(program, Layer.provide(Checkpoint.layerKeyValueStore, store))).pipe(
    // The locks of a process die with it.
    Effect.provideService(FileLock.FileLock, FileLock.makeInProcess()),
    Effect.provideService(FileSystem.FileSystem, seenBy(life, yield* FileSystem.FileSystem))
  )
  // A dead process closes its files at once; here the runtime still needs time to close them.
  yield* Effect.sleep("1 second")
  return end
})
