/**
 * Uploads standard input, a stream of unknown length, to a vault.
 *
 *     tar c photos | node --import tsx examples/upload-stream.ts
 *
 * Credentials, region and endpoint come from the environment.
 */
import { NodeRuntime, NodeStream } from "@effect/platform-node"
import { Console, Data, Effect, Layer } from "effect"
import { Source, Vault } from "effect-glacier"
import { NodeGlacier } from "effect-glacier/node"

class Unreadable extends Data.TaggedError("Unreadable")<{ readonly cause: unknown }> {}

const input = NodeStream.fromReadable<Unreadable, Uint8Array>(
  () => process.stdin,
  (cause) => new Unreadable({ cause })
)

const program = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  yield* vault.create
  // 10,000 parts of 1 MiB hold at most 9.8 GiB. The default part size of 16 MiB allows 156 GiB.
  const archive = yield* vault.upload(Source.stream(input), { partSize: 1024 * 1024 })
  yield* Console.log(`${archive.size} bytes in ${archive.parts} parts, tree hash ${archive.treeHash}`)
  yield* Console.log(`Keep this: ${archive.archiveId}`)
})

program.pipe(Effect.provide(Layer.provideMerge(Vault.layer("streams"), NodeGlacier.layer)), NodeRuntime.runMain)
