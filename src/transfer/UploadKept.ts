/**
 * The error of an upload that has failed and is kept open.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type { UploadId } from "../protocol/Names.ts"
import { TypeId } from "../protocol/ServiceError.ts"

/**
 * A multipart upload has failed and stays open for 24 hours after its last part, because of `onFailure: "keep"`. `cause` is
 * the error that ended it, and `uploadId` is the id to resume it by. A single request, or an upload that could not be
 * opened, fails with the cause itself.
 *
 * @since 0.1.0
 * @category errors
 */
export class UploadKept<E> extends Data.TaggedError("UploadKept")<{
  readonly uploadId: UploadId
  readonly cause: E
}> {
  readonly [TypeId]: TypeId = TypeId
  readonly retry = "never"
  override get message(): string {
    return `Upload ${this.uploadId} has failed, and its parts are kept for 24 hours: ${String(this.cause)}`
  }
}

/**
 * The fate of the parts when an upload fails or is interrupted: `discard` aborts the upload, `keep` leaves it open.
 *
 * @since 0.1.0
 * @category models
 */
export type OnFailure = "discard" | "keep"

/**
 * `UploadKept` where `onFailure` may be `keep`, else no error.
 *
 * @since 0.1.0
 * @category models
 */
export type Kept<Chosen extends OnFailure, E> = "keep" extends Chosen ? UploadKept<E> : never
