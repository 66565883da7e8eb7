/**
 * Locks of files that all processes see.
 *
 * @since 0.1.0
 */
import * as Layer from "effect/Layer"
import * as FileLock from "../transfer/FileLock.ts"
import { acquire } from "./internal/lock.ts"

/**
 * Locks each file in use by a folder beside it, which is removed at the end. A second owner, in this process or another one,
 * fails with `FileInUse`, by whatever path it reaches the file.
 *
 * The lock of a process that died is taken over, even if another process has its number by now. A lock of another host or
 * container that shares the folder is never taken over, because nobody can see from here whether its owner lives: the
 * error names the owner and what to remove.
 *
 * `NodeGlacier`, `NodeEmulator` and `NodeCheckpoint` provide it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<never> = Layer.succeed(FileLock.FileLock, { acquire })
