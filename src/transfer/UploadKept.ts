/**
 * An upload that has failed and is left open.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type { UploadId } from "../protocol/Names.ts"

/**
 * A multipart upload has failed for that cause, and stays open for 24 hours after its last part, as was chosen by
 * `onFailure: "keep"`: with its id it can be resumed. A single request, or an upload that could not be opened, fails
 * with the cause itself.
 *
 * @since 0.1.0
 * @category errors
 */
export class UploadKept<E> extends Data.TaggedError("UploadKept")<{
  readonly uploadId: UploadId
  readonly cause: E
}> {
  override get message(): string {
    return `Upload ${this.uploadId} has failed and is kept: ${String(this.cause)}`
  }
}

/**
 * What is to become of the parts when an upload fails or is interrupted.
 *
 * @since 0.1.0
 * @category models
 */
export type OnFailure = "discard" | "keep"

/**
 * `UploadKept`, if uploads are kept.
 *
 * @since 0.1.0
 * @category models
 */
export type Kept<Chosen extends OnFailure, E> = "keep" extends Chosen ? UploadKept<E> : never
