/**
 * Logs by name, from which long work resumes after its process has died. A log is a list of short texts, its entries, that
 * grows until the work is done. The work decides what the entries contain.
 *
 * A log has one user at a time. Each line has a checksum that covers it and all lines before it. If a log is torn or
 * damaged, the entries before the damage are used. In a folder, an entry counts once it is fsynced (`internal/logFile.ts`).
 *
 * @since 0.1.0
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { errorClass } from "../protocol/ErrorClass.ts"
import { show } from "../protocol/GlacierError.ts"
import * as Sha256 from "../protocol/Sha256.ts"
import * as FileLock from "./FileLock.ts"
import * as Folder from "./internal/folder.ts"
import * as LogFile from "./internal/logFile.ts"
import * as LogKeys from "./internal/logKeys.ts"
import * as Records from "./internal/records.ts"

/**
 * A checkpoint cannot be read or written, or was written by other work.
 *
 * @since 0.1.0
 * @category errors
 */
export class CheckpointError extends errorClass<CheckpointError>()(
  "CheckpointError",
  { name: Schema.String, problem: Schema.String }
) {
  override get message(): string {
    return `Checkpoint ${show(this.name)}: ${this.problem}`
  }
}

/**
 * Another upload, plan or program uses the checkpoint.
 *
 * @since 0.1.0
 * @category errors
 */
export class CheckpointInUse extends errorClass<CheckpointInUse>()(
  "CheckpointInUse",
  {
    name: Schema.String,
    /** The process that uses it, for instance `this process` or `process 4711`. */
    owner: Schema.String,
    /** The path to remove when the owner no longer runs but its lock still exists. */
    lock: Schema.optional(Schema.String)
  }
) {
  override get message(): string {
    const hint = this.lock === undefined ? "" : `. If that process no longer runs, remove ${this.lock}`
    return `Checkpoint ${show(this.name)} is in use by ${this.owner}${hint}`
  }
}

/**
 * An open log.
 *
 * @since 0.1.0
 * @category models
 */
export interface Log {
  /** The entries, the first one first. */
  readonly entries: Stream.Stream<string, CheckpointError>
  /** Adds an entry, any text. When it returns, the entry is durable. */
  readonly append: (entry: string) => Effect.Effect<void, CheckpointError>
  /** Removes all entries. */
  readonly clear: Effect.Effect<void, CheckpointError>
}

/**
 * A store of logs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Opens the log of that name, any text, until the Scope ends. A log that does not exist yet is empty. Fails with
   * `CheckpointInUse` while another user has opened it.
   */
  readonly open: (name: string) => Effect.Effect<Log, CheckpointError | CheckpointInUse, Scope.Scope>
}

/**
 * The store of checkpoints in use. On Node.js, provide `NodeCheckpoint.layer` of `effect-glacier/node`.
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
 *   // Run it again after a failure or the death of the process, and it resumes
 *   return yield* vault.uploadWithCheckpoint("holiday", Source.file("holiday.tar"))
 * }).pipe(Effect.provide(NodeCheckpoint.layer("checkpoints")))
 *
 * // Forgets that upload: the next run begins a new one
 * const forget = Checkpoint.clear("holiday")
 */
export class Checkpoint extends Context.Tag("effect-glacier/Checkpoint")<Checkpoint, Service>() {}

type Acquire = (name: string) => Effect.Effect<void, FileLock.FileLockError, Scope.Scope>

/** Locks a log until the Scope ends. */
const lock = (acquire: Acquire, name: string) =>
  Effect.catchTags(acquire(name), {
    FileInUse: ({ lock, owner }) => new CheckpointInUse({ name, owner, ...(lock !== undefined && { lock }) }),
    FileLockFailed: ({ problem }) => new CheckpointError({ name, problem: `cannot be locked: ${problem}` })
  })

/** The checksum and the end of a log without entries. */
const empty = { checksum: "", end: 0 }

/** An entry that is not written yet. */
interface Pending {
  readonly entry: string
  readonly written: Deferred.Deferred<void, CheckpointError>
}

/** Opens a log that is locked. */
const openLog = Effect.fnUntraced(function*(sha256: Sha256.Create, name: string, medium: Records.Medium) {
  const failed = (problem: string) => ({ message }: PlatformError.PlatformError) =>
    new CheckpointError({ name, problem: `${problem}: ${message}` })
  const records = Stream.mapError(Records.read(sha256, medium.lines), failed("cannot be read"))
  const sync = Effect.mapError(medium.sync, failed("cannot be written"))
  const mutex = yield* Effect.makeSemaphore(1)
  const exclusive = (effect: Effect.Effect<void, CheckpointError>) =>
    mutex.withPermits(1)(Effect.uninterruptible(effect))

  let last = Option.getOrElse(yield* Stream.runLast(records), () => empty)
  /** Whether nothing follows the last entry. A write that failed may have left a torn line there. */
  let isClean = false
  /** The entries that arrived since the last write began. The next write has all of them, for one fsync. */
  const pending = new Set<Pending>()

  const writePending = Effect.suspend(() => {
    const entries = Array.from(pending)
    const wasClean = isClean
    pending.clear()
    isClean = false
    let { checksum } = last
    const lines = entries.map(({ entry }) => {
      const encoded = Records.encode(sha256, checksum, entry)
      checksum = encoded.checksum
      return encoded.line
    })
    return medium.write(lines, last.end, wasClean).pipe(
      Effect.mapError(failed("cannot be written")),
      Effect.map((end) => {
        isClean = true
        last = { checksum, end }
      }),
      Effect.exit,
      Effect.flatMap((exit) =>
        Effect.forEach(entries, ({ written }) => Deferred.done(written, exit), { discard: true })
      )
    )
  })

  const log: Log = {
    // A reader relies on these entries, but the process that wrote them may have died before its fsync. It is not made
    // when the log is opened, because it can fail, and clearing the log does not need it.
    entries: Stream.suspend(() =>
      Stream.concat(
        Stream.execute(last.end > 0 ? sync : Effect.void),
        Stream.map(records, ({ entry }) => entry)
      )
    ),
    append: Effect.fnUntraced(function*(entry) {
      const written = yield* Deferred.make<void, CheckpointError>()
      const own = { entry, written }
      yield* Effect.suspend(() => {
        pending.add(own)
        // The write before may have taken this entry with it.
        return exclusive(Effect.suspend(() => pending.has(own) ? writePending : Effect.void))
      }).pipe(Effect.onInterrupt(() => Effect.sync(() => pending.delete(own))))
      yield* Deferred.await(written)
    }),
    clear: exclusive(Effect.gen(function*() {
      isClean = false
      yield* Effect.mapError(medium.clear, failed("cannot be removed"))
      last = empty
    }))
  }
  return log
})

/** Makes a store of logs from the medium and the lock of each log. */
const make = (
  mediumOf: (name: string) => Effect.Effect<Records.Medium>,
  acquire: Acquire
): Effect.Effect<Service> =>
  Effect.map(Sha256.Sha256, (sha256) => ({
    open: Effect.fnUntraced(function*(name) {
      yield* lock(acquire, name)
      return yield* openLog(sha256, name, yield* mediumOf(name))
    })
  }))

/** Returns a unique name that any store accepts, for a name of any characters and any length. */
const safeName = (name: string): Effect.Effect<string> =>
  Effect.map(Sha256.Sha256, (sha256) => {
    const readable = name.toLowerCase().split(/[^a-z0-9]+/).filter((word) => word !== "").join("-").slice(-60)
    return `${readable}-${Sha256.hex(sha256, new TextEncoder().encode(name)).slice(0, 32)}`
  })

/**
 * Returns the path of the file in which `layerFileSystem` keeps the log of that name.
 *
 * @since 0.1.0
 * @category getters
 */
export const pathOf = (directory: string, name: string): Effect.Effect<string> =>
  Effect.map(safeName(name), (safe) => `${directory}/${safe}.checkpoint`)

/**
 * Removes all entries of a log, so that its work starts from the beginning. Fails with `CheckpointInUse` while the log is
 * in use.
 *
 * @since 0.1.0
 * @category removing
 */
export const clear = (name: string): Effect.Effect<void, CheckpointError | CheckpointInUse, Checkpoint> =>
  Effect.scoped(
    Effect.flatMap(Checkpoint, ({ open }) => Effect.flatMap(open(name), ({ clear }) => clear))
  )

/**
 * Keeps logs in a `KeyValueStore`, one key for each entry. How durable an entry is depends on the store:
 * `KeyValueStore.layerFileSystem` does not fsync. A torn entry is detected and ignored.
 *
 * A log in use is locked only for users of the same layer, because a `KeyValueStore` does not know other processes.
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
 * Keeps logs in memory. They survive a failure or an interruption, but not the process.
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
 * Keeps logs in a folder, one file for each. The file is created with the first entry and removed when the log is cleared.
 * Each entry is fsynced, and so is the folder when the file is created.
 *
 * The `FileLock` in use locks a log, by whatever path its folder is reached. The default lock knows the users in this
 * process only; `NodeCheckpoint.layer` provides a lock for all processes.
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
