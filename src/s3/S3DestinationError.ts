/**
 * The errors of `S3Destination`, besides those of the object store and of the checkpoint.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { errorClass } from "../protocol/ErrorClass.ts"

/**
 * The destination does not take an archive. It is reported before a retrieval is paid for, unless the object appears later.
 *
 * - `exists`: an object with this key exists, and it is not a copy of the archive.
 * - `key`: the key has more than 1,024 bytes in UTF-8.
 * - `size`: the archive is larger than the store or the part size allows.
 *
 * @since 0.1.0
 * @category errors
 */
export class ObjectRejected extends errorClass<ObjectRejected>()("ObjectRejected", {
  location: Schema.String,
  reason: Schema.Literal("exists", "key", "size"),
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.location} ${this.problem}`
  }
}

/**
 * An object that should be a copy of an archive is not. The object is still in the store.
 *
 * @since 0.1.0
 * @category errors
 */
export class ObjectWrong extends errorClass<ObjectWrong>()("ObjectWrong", {
  location: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.location} ${this.problem}. Look at the object, and delete it to store the archive again`
  }
}
