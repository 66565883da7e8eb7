/**
 * @internal
 */
import * as Data from "effect/Data"

/**
 * The emulator's files cannot be read or written, or a journal is not one of this emulator's.
 *
 * @since 0.1.0
 * @category errors
 */
export class EmulatorStorageError extends Data.TaggedError("EmulatorStorageError")<{
  /** The file or directory. */
  readonly path: string
  /** What went wrong. */
  readonly reason: string
  readonly cause?: unknown
}> {
  override get message(): string {
    const because = this.cause === undefined
      ? ""
      : ` (${this.cause instanceof Error ? this.cause.message : String(this.cause)})`
    return `${this.path}: ${this.reason}${because}`
  }
}

/** Names the file in an error of the file system. */
export const at = (path: string, reason: string) => (cause: unknown): EmulatorStorageError =>
  new EmulatorStorageError({ path, reason, cause })
