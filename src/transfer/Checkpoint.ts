/**
 * What long work keeps for the case that its process dies: logs by name, each a list of short texts that only grows until
 * the work is done. What the texts say is a matter of the work.
 *
 * A log is used by one at a time. Each line carries a checksum over itself and all before it: of a log that was torn or
 * damaged the lines up to there are what is left of it.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { show } from "../protocol/GlacierError.ts"
import * as Sha256 from "../protocol/Sha256.ts"
import * as FileLock from "./FileLock.ts"
import * as Folder from "./internal/folder.ts"
import * as LogFile from "./internal/logFile.ts"
import * as LogKeys from "./internal/logKeys.ts"
import * as Records from "./internal/records.ts"

/**
 * The store of a checkpoint cannot be read or written, or holds what is none.
 *
 * @since 0.1.0
 * @category errors
 */
export class CheckpointError extends Schema.TaggedError<CheckpointError>("effect-glacier/CheckpointError")(
  "CheckpointError",
  { name: Schema.String, problem: Schema.String }
) {
  override get message(): string {
    return `Checkpoint ${show(this.name)}: ${this.problem}`
  }
}

/**
 * Another is at work with the checkpoint.
 *
 * @since 0.1.0
 * @category errors
 */
export class CheckpointInUse extends Schema.TaggedError<CheckpointInUse>("effect-glacier/CheckpointInUse")(
  "CheckpointInUse",
  {
    name: Schema.String,
    /** Who has it, for instance `process 4711`, or `this process`. */
    owner: Schema.String,
    /** What is to be removed should the owner not be what it says it is: numbers of processes come again. */
    lock: Schema.optional(Schema.String)
  }
) {
  override get message(): string {
    const hint = this.lock === undefined ? "" : ` (if not, remove ${this.lock})`
    return `Checkpoint ${show(this.name)}: ${this.owner} uses it${hint}`
  }
}

/**
 * The log of a work, as long as it is open.
 *
 * @since 0.1.0
 * @category models
 */
export interface Log {
  /** The entries there are, from the first on. */
  readonly entries: Stream.Stream<string, CheckpointError>
  /** Adds an entry, any text. When it returns, the entry is there to stay. */
  readonly append: (entry: string) => Effect.Effect<void, CheckpointError>
  /** Removes all entries. */
  readonly clear: Effect.Effect<void, CheckpointError>
}

/**
 * What opens logs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The log of that name, any text, until the Scope ends; an empty one if there is none yet. */
  readonly open: (name: string) => Effect.Effect<Log, CheckpointError | CheckpointInUse, Scope.Scope>
}

/**
 * The store in use. `effect-glacier/node` has that of Node.js: `NodeCheckpoint.layer`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { Checkpoint, Source, Vault } from "effect-glacier"
 * import { NodeCheckpoint } from "effect-glacier/node"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const vault = yield* Vault.Vault
 *   // Run again after whatever ended it, it goes on where it was
 *   return yield* vault.uploadWithCheckpoint("holiday", Source.file("holiday.tar"))
 * }).pipe(Effect.provide(NodeCheckpoint.layer("checkpoints")))
 *
 * // Gives up what is left of it
 * const forget = Checkpoint.clear("holiday")
 */
export class Checkpoint extends Context.Tag("effect-glacier/Checkpoint")<Checkpoint, Service>() {}

/** Logs over what keeps their lines, each with one owner. */
const make = (
  mediumOf: (name: string) => Effect.Effect<Records.Medium>,
  acquire: (name: string) => Effect.Effect<void, FileLock.FileLockError, Scope.Scope>
): Effect.Effect<Service> =>
  Effect.map(Sha256.Sha256, (sha256) => {
    const own = (name: string) =>
      Effect.catchTags(acquire(name), {
        FileInUse: ({ lock, owner }) => new CheckpointInUse({ name, owner, ...(lock !== undefined && { lock }) }),
        FileLockFailed: ({ problem }) => new CheckpointError({ name, problem: `cannot be locked: ${problem}` })
      })

    return {
      open: Effect.fnUntraced(function*(name) {
        yield* own(name)
        const medium = yield* mediumOf(name)
        const turn = yield* Effect.makeSemaphore(1)
        const failed = (what: string) => ({ message }: PlatformError.PlatformError) =>
          new CheckpointError({ name, problem: `${what}: ${message}` })

        const records = Stream.suspend(() => {
          let checksum = Option.some("")
          return medium.lines.pipe(
            Stream.filterMap(({ end, line }) => {
              // Nothing follows a line that is damaged.
              const record = Option.flatMap(checksum, (before) => Records.decode(sha256, before, line))
              checksum = Option.map(record, ({ checksum }) => checksum)
              return Option.map(record, (record) => ({ ...record, end }))
            }),
            Stream.mapError(failed("cannot be read"))
          )
        })
        const none = { checksum: "", end: 0 }
        let last = Option.getOrElse(yield* Stream.runLast(records), () => none)
        const durable = Effect.mapError(medium.settle, failed("cannot be written"))
        // Whether what is behind the last entry is known to be nothing.
        let settled = false

        const inTurn = (effect: Effect.Effect<void, CheckpointError>) =>
          turn.withPermits(1)(Effect.uninterruptible(effect))

        return {
          // A reader relies on these entries, but the process that wrote them may have died before its fsync. Clearing a
          // log needs no fsync, which can fail.
          entries: Stream.suspend(() =>
            Stream.concat(
              Stream.execute(last.end > 0 ? durable : Effect.void),
              Stream.map(records, ({ entry }) => entry)
            )
          ),
          append: (entry) =>
            inTurn(Effect.gen(function*() {
              const { checksum, line } = Records.encode(sha256, last.checksum, entry)
              const wasSettled = settled
              settled = false
              const end = yield* Effect.mapError(medium.write(line, last.end, wasSettled), failed("cannot be written"))
              settled = true
              last = { checksum, end }
            })),
          clear: inTurn(Effect.gen(function*() {
            settled = false
            yield* Effect.mapError(medium.clear, failed("cannot be removed"))
            last = none
          }))
        }
      })
    }
  })

/** A name that any store takes and that only this one has, whatever the letters and the length of the name. */
const safeName = (name: string): Effect.Effect<string> =>
  Effect.map(Sha256.Sha256, (sha256) => {
    const readable = name.toLowerCase().split(/[^a-z0-9]+/).filter((word) => word !== "").join("-").slice(-60)
    return `${readable}-${Sha256.hex(sha256, new TextEncoder().encode(name)).slice(0, 32)}`
  })

/**
 * The file in which `layerFileSystem` keeps the log of that name.
 *
 * @since 0.1.0
 * @category getters
 */
export const pathOf = (directory: string, name: string): Effect.Effect<string> =>
  Effect.map(safeName(name), (safe) => `${directory}/${safe}.checkpoint`)

/**
 * Removes all entries of a log: the work that it is of begins anew. Fails with `CheckpointInUse` while one is at work
 * with it.
 *
 * @since 0.1.0
 * @category removing
 */
export const clear = (name: string): Effect.Effect<void, CheckpointError | CheckpointInUse, Checkpoint> =>
  Effect.scoped(
    Effect.flatMap(Checkpoint, ({ open }) => Effect.flatMap(open(name), ({ clear }) => clear))
  )

/**
 * Logs in a `KeyValueStore`, a key an entry. How safe an entry is that was added is up to the store: the one over files
 * does not fsync. (A write that was torn shows, and counts as none.) Two who are at work with one log are refused where
 * they share this layer: a store knows nothing of other processes.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Checkpoint } from "effect-glacier"
 * import { KeyValueStore } from "@effect/platform"
 * import { Layer } from "effect"
 *
 * const layer = Checkpoint.layerKeyValueStore.pipe(Layer.provide(KeyValueStore.layerMemory))
 */
export const layerKeyValueStore: Layer.Layer<Checkpoint, never, KeyValueStore.KeyValueStore> = Layer.effect(
  Checkpoint,
  Effect.flatMap(KeyValueStore.KeyValueStore, (store) => {
    const { acquire } = FileLock.makeInProcess()
    return make(
      (name) => Effect.map(safeName(name), (safe) => LogKeys.make(store, safe)),
      (name) => acquire(name, name)
    )
  })
)

/**
 * Logs in memory: they survive a failure or an interruption, but not the process.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Checkpoint, Source, Vault } from "effect-glacier"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const vault = yield* Vault.Vault
 *   const upload = vault.uploadWithCheckpoint("numbers", Source.bytes(new Uint8Array(3_000_000)))
 *   return yield* Effect.retry(upload, { times: 3 })
 * }).pipe(Effect.provide(Checkpoint.layerMemory))
 */
export const layerMemory: Layer.Layer<Checkpoint> = Layer.provide(layerKeyValueStore, KeyValueStore.layerMemory)

/**
 * Logs in a folder, a file each, which is made with the first entry and removed with the last. An entry is fsynced when
 * it is added, and so is the folder when the file was made. A log has one owner by the `FileLock` in use, whatever path
 * leads to its folder: by default one in this process, with `NodeCheckpoint.layer` one in all processes.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Checkpoint } from "effect-glacier"
 * import { NodeFileSystem } from "@effect/platform-node"
 * import { Layer } from "effect"
 *
 * const layer = Checkpoint.layerFileSystem("checkpoints").pipe(Layer.provide(NodeFileSystem.layer))
 */
export const layerFileSystem = (directory: string): Layer.Layer<Checkpoint, never, FileSystem.FileSystem> =>
  Layer.effect(
    Checkpoint,
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const { acquire } = yield* FileLock.FileLock
      return yield* make(
        (name) => Effect.map(pathOf(directory, name), (path) => LogFile.make(fs, path)),
        (name) =>
          Folder.resolve(fs, directory).pipe(
            Effect.flatMap((real) => pathOf(real, name)),
            Effect.flatMap((path) => acquire(path, `${path}.lock`))
          )
      )
    })
  )
