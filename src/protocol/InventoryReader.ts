/**
 * Reads an inventory document in JSON or Amazon's CSV entry by entry. Memory does not grow with the document. The bytes can
 * come from a job, a file or another program.
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import { MalformedEntry, MalformedInventory } from "./GlacierError.ts"
import * as Csv from "./internal/inventoryCsv.ts"
import * as Encoding from "./internal/inventoryEncoding.ts"
import type { Found, Reader } from "./internal/inventoryEntry.ts"
import * as Json from "./internal/inventoryJson.ts"
import type { Entry, Head } from "./Inventory.ts"
import type { InventoryFormat } from "./Jobs.ts"

/**
 * Options for reading a document.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<E, R> {
  readonly format: typeof InventoryFormat.Type
  /**
   * The size of the document in bytes: `inventorySizeInBytes` of its job, or the length of the job's output. A document of
   * another size fails with `MalformedInventory`. Without it, a CSV document that was cut off between two rows looks
   * complete. Leave it out for a document that another program has changed, for example by another encoding or line ends.
   */
  readonly size?: number | undefined
  /**
   * Handles an entry that cannot be decoded, for instance by logging it. The Stream continues with the next entry.
   * `Effect.fail` ends the Stream with the error.
   */
  readonly onMalformed: (entry: MalformedEntry) => Effect.Effect<void, E, R>
}

/** The bytes that are decoded at once; their entries are in memory together. */
const sliceLength = 262_144

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sliceLength) yield bytes.subarray(at, at + sliceLength)
}

const read = <E, R>(
  reader: Reader,
  bytes: Stream.Stream<Uint8Array, E, R>,
  size?: number
): Stream.Stream<ReadonlyArray<Found>, E, R> => {
  const { end, write } = Encoding.make(reader)
  let length = 0
  return bytes.pipe(
    Stream.mapConcat(slices),
    // One by one: the entries of a slice are emitted before the next slice is decoded.
    Stream.rechunk(1),
    Stream.map((slice) => {
      length += slice.length
      return write(slice)
    }),
    Stream.concat(Stream.sync(() =>
      size === undefined || length === size
        ? end()
        : [new MalformedInventory({ offset: length, problem: `ends here, but must have ${size} bytes` })]
    ))
  )
}

/** Emits the decoded entries in chunks that end before a malformed one. */
const emit = <E, R>(
  all: ReadonlyArray<Found>,
  onMalformed: (entry: MalformedEntry) => Effect.Effect<void, E, R>,
  from = 0
): Stream.Stream<Entry, MalformedInventory | E, R> => {
  const entries: Array<Entry> = []
  for (let at = from; at < all.length; at++) {
    const found = all[at]
    if (found instanceof MalformedInventory) return Stream.concat(Stream.fromIterable(entries), Stream.fail(found))
    if (found instanceof MalformedEntry) {
      return Stream.fromIterable(entries).pipe(
        Stream.concat(Stream.execute(onMalformed(found))),
        Stream.concat(Stream.suspend(() => emit(all, onMalformed, at + 1)))
      )
    }
    if (found !== undefined) entries.push(found)
  }
  return Stream.fromChunk(Chunk.unsafeFromArray(entries))
}

/**
 * Streams the entries of a document in its order. Fails with `MalformedInventory` when the document is not an inventory, is
 * cut off, or has an entry of more than 64 KiB. Without `size` it cannot detect a CSV document that was cut off between two
 * rows. Skips a byte order mark, and finds the columns of CSV by their names.
 *
 * @since 0.1.0
 * @category reading
 * @example
 * import { FileSystem } from "@effect/platform"
 * import { InventoryReader } from "effect-glacier"
 * import { Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const fs = yield* FileSystem.FileSystem
 *   const entries = InventoryReader.entries(fs.stream("inventory.csv"), { format: "CSV", onMalformed: Effect.fail })
 *   return yield* Stream.runFold(entries, 0, (bytes, { size }) => bytes + size)
 * })
 */
export const entries = <E, R, E2, R2>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  options: Options<E2, R2>
): Stream.Stream<Entry, E | E2 | MalformedInventory, R | R2> =>
  Stream.suspend(() => {
    const reader = options.format === "CSV" ? Csv.make() : Json.make()
    return Stream.flatMap(read(reader, bytes, options.size), (all) => emit(all, options.onMalformed))
  })

/**
 * Reads the head of a JSON document. The service writes it first, so little is read. When it comes after the entries, the
 * whole document is read.
 *
 * @since 0.1.0
 * @category reading
 */
export const head = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Effect.Effect<Head, E | MalformedInventory, R> =>
  Effect.suspend(() => {
    const reader = Json.make()
    return read(reader, bytes).pipe(
      Stream.takeUntil((all) =>
        Either.isRight(reader.head()) || all.some((found) => found instanceof MalformedInventory)
      ),
      Stream.runDrain,
      Effect.zipRight(Effect.suspend(reader.head))
    )
  })
