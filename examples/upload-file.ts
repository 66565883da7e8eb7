/**
 * A file into a vault: in one request when it is small, else in parallel parts.
 *
 *     node --import tsx examples/upload-file.ts FILE
 *
 * Credentials, region and endpoint come from the environment.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { Source, Vault } from "effect-glacier"
import { NodeGlacier } from "effect-glacier/node"

const program = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  yield* vault.create
  const archive = yield* vault.upload(Source.file(process.argv[2] ?? "node_modules/typescript/lib/typescript.js"), {
    partSize: 1024 * 1024,
    onProgress: ({ bytes, total }) => Console.log(`${bytes} of ${total} bytes`)
  })
  yield* Console.log(`${archive.size} bytes in ${archive.parts} parts, tree hash ${archive.treeHash}`)
  yield* Console.log(`Keep this: ${archive.archiveId}`)
})

program.pipe(Effect.provide(Layer.provideMerge(Vault.layer("files"), NodeGlacier.layer)), NodeRuntime.runMain)
