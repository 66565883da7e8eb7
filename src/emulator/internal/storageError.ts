/**
 * The error of the emulator's files.
 *
 * @internal
 */
import * as Data from "effect/Data"

/**
 * The emulator cannot read or write its files, or its journal was not written by this emulator.
 *
 * @since 0.1.0
 * @category errors
 */
export class EmulatorStorageError extends Data.TaggedError("EmulatorStorageError")<{
  /** The file or directory. */
  readonly path: string
  /** The failure, as a clause: "the journal cannot be opened". */
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

/** Makes a function that wraps the error of an operation on a file. */
export const at = (path: string, reason: string) => (cause: unknown): EmulatorStorageError =>
  new EmulatorStorageError({ path, reason, cause })
