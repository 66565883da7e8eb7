/**
 * Uploads a file as a Stream of unknown length.
 *
 *     uploadStream FILE PART_SIZE
 */
import * as NodeStream from "@effect/platform-node/NodeStream"
import { Source, Vault } from "effect-glacier"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { createReadStream } from "node:fs"
import { main } from "./main.ts"

const [file = "", partSize] = process.argv.slice(2)

class ReadFailed extends Data.TaggedError("ReadFailed")<{ readonly cause: unknown }> {}

/** The size of a read: 1 MiB, as a fast program reads a large file. */
const stream = NodeStream.fromReadable<ReadFailed, Uint8Array>(
  () => createReadStream(file, { highWaterMark: 1_048_576 }),
  (cause) => new ReadFailed({ cause })
)

main(Effect.gen(function*() {
  const vault = yield* Vault.make("bench")
  const { treeHash } = yield* vault.upload(Source.stream(stream), { partSize: Number(partSize), concurrency: 4 })
  return { treeHash }
}))
