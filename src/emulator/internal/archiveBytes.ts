/**
 * Reads byte ranges of archives and computes their tree hashes. An archive is a list of blobs, one for each part.
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as ByteRange from "../../protocol/ByteRange.ts"
import * as Limits from "../../protocol/Limits.ts"
import type * as Sha256 from "../../protocol/Sha256.ts"
import * as TreeHash from "../../protocol/TreeHash.ts"
import type { Blobs } from "./blobs.ts"
import type { Blob } from "./event.ts"
import type { Archive } from "./state.ts"
import type { EmulatorStorageError } from "./storageError.ts"

interface Piece {
  readonly blob: Blob
  readonly offset: number
  readonly length: number
}

// A range of an archive as pieces of its blobs.
function* pieces(blobs: ReadonlyArray<Blob>, range: ByteRange.ByteRange): Generator<Piece> {
  let start = 0
  for (const blob of blobs) {
    const from = Math.max(range.start - start, 0)
    const to = Math.min(range.end - start + 1, blob.size)
    if (from < to) yield { blob, offset: from, length: to - from }
    start += blob.size
    if (start > range.end) return
  }
}

const leavesOf = ({ leaves, treeHash }: Blob): Uint8Array =>
  Either.getOrThrow(leaves === undefined ? Encoding.decodeHex(treeHash) : Encoding.decodeBase64(leaves))

function* leaves(archive: Archive, range: ByteRange.ByteRange) {
  for (const { blob, length, offset } of pieces(archive.blobs, range)) {
    const digests = leavesOf(blob)
    for (let leaf = offset / Limits.mebibyte; leaf * Limits.mebibyte < offset + length; leaf++) {
      yield digests.subarray(leaf * 32, leaf * 32 + 32)
    }
  }
}

/** Returns the tree hash of a range, if one node of the archive's hash tree spans the range. Reads no bytes. */
export const treeHash = (
  sha256: Sha256.Create,
  archive: Archive,
  range: ByteRange.ByteRange
): Option.Option<TreeHash.TreeHash> =>
  !ByteRange.isTreeHashAligned(range, archive.size)
    ? Option.none()
    : ByteRange.length(range) === archive.size
    ? Option.some(archive.treeHash)
    : Option.some(TreeHash.ofLeaves(sha256, leaves(archive, range)))

/** Streams the bytes of a range. */
export const read = (
  blobs: Blobs,
  archive: Archive,
  range: ByteRange.ByteRange
): Stream.Stream<Uint8Array, EmulatorStorageError> => {
  const [first, ...others] = Array.from(pieces(archive.blobs, range))
  const read = ({ blob, length, offset }: Piece) => blobs.read(blob.id, offset, length)
  if (first === undefined) return Stream.empty
  return others.length === 0 ? read(first) : Stream.flatMap(Stream.fromIterable([first, ...others]), read)
}
