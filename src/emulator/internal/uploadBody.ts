/**
 * Receives the body of an upload into a new blob, and verifies its length and both hashes.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import type * as Scope from "effect/Scope"
import * as Limits from "../../protocol/Limits.ts"
import * as TreeHash from "../../protocol/TreeHash.ts"
import * as ErrorResponse from "./errorResponse.ts"
import type { Blob } from "./event.ts"
import * as RequestBody from "./requestBody.ts"
import * as Router from "./router.ts"
import type { EmulatorStorageError } from "./storageError.ts"
import type { Store } from "./store.ts"

/** A verified blob. It is removed unless `keep` is called in the same step that commits the event with the blob. */
export interface ReceivedBlob {
  readonly blob: Blob
  readonly keep: () => void
}

/** Returns the `Content-Length` of an upload. Fails when it is missing or more than one request may have. */
export const announcedLength = (call: Router.Call): Either.Either<number, ErrorResponse.ErrorResponse> => {
  const text = Router.header(call, "content-length")
  if (text === undefined) return Either.left(ErrorResponse.missing("Content-Length"))
  const size = /^\d{1,15}$/.test(text) ? Number(text) : 0
  return size > 0 && size <= Limits.maximumPartSize
    ? Either.right(size)
    : Either.left(ErrorResponse.invalid(`Invalid Content-Length: ${text}`))
}

/** Makes the error response for a body whose hash differs from the signed hash. */
export const hashMismatch = (expected: string, computed: string): ErrorResponse.ErrorResponse =>
  ErrorResponse.invalidSignature(
    "The value passed in as x-amz-content-sha256 does not match the computed payload hash. " +
      `Computed digest: ${computed} expected hash: ${expected}`
  )

const join = (digests: ReadonlyArray<Uint8Array>): Uint8Array => {
  const joined = new Uint8Array(digests.length * 32)
  digests.forEach((digest, i) => joined.set(digest, i * 32))
  return joined
}

const tooLong = ErrorResponse.badRequest("The request body is longer than its Content-Length.")

/** Receives the body of an upload. Fails when its length, its hash or its tree hash differs from the headers. */
export const receive = (
  store: Store,
  call: Router.Call,
  announced: { readonly length: number; readonly contentSha256: string; readonly treeHash: TreeHash.TreeHash }
): Effect.Effect<ReceivedBlob, ErrorResponse.ErrorResponse | EmulatorStorageError, Scope.Scope> =>
  Effect.gen(function*() {
    const { contentSha256, length, treeHash } = announced
    const { id, keep, write } = yield* store.blobs.create
    const leaves: Array<Uint8Array> = []
    const tree = TreeHash.builder(call.sha256, (digest) => leaves.push(digest))
    // The tree hash of up to 1 MiB is the plain hash: no second hash is needed.
    const plain = length > Limits.mebibyte ? call.sha256() : undefined

    yield* RequestBody.receive(
      call.request,
      call.bodyTimeout,
      (bytes): Effect.Effect<void, ErrorResponse.ErrorResponse | EmulatorStorageError> => {
        if (tree.size() + bytes.length > length) return Effect.fail(tooLong)
        tree.update(bytes)
        plain?.update(bytes)
        return write(bytes)
      }
    )
    if (tree.size() < length) return yield* Effect.fail(RequestBody.cutShort)

    const computed = tree.digest()
    const digest = plain === undefined ? computed : Encoding.encodeHex(plain.digest())
    if (digest !== contentSha256) return yield* Effect.fail(hashMismatch(contentSha256, digest))
    if (computed !== treeHash) {
      return yield* Effect.fail(ErrorResponse.invalid(`Checksum mismatch: expected ${treeHash}, computed ${computed}`))
    }
    return {
      blob: { id, size: length, treeHash, leaves: leaves.length > 1 ? Encoding.encodeBase64(join(leaves)) : undefined },
      keep
    }
  })
