/**
 * File locks that work between processes.
 *
 * @since 0.1.0
 */
import * as Layer from "effect/Layer"
import * as FileLock from "../transfer/FileLock.ts"
import { acquire } from "./internal/lock.ts"

/**
 * Locks each file in use by a folder beside it, and removes the folder at the end. A second owner fails with `FileInUse`, in
 * this process or another one, and by any path to the file.
 *
 * The lock of a dead process is taken over, even if another process has its number now. A lock of another host or container
 * that shares the folder is never taken over, because this process cannot check whether the owner lives. The error names
 * the owner and the folder to remove.
 *
 * `NodeGlacier`, `NodeEmulator` and `NodeCheckpoint` use this layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<never> = Layer.succeed(FileLock.FileLock, { acquire })
