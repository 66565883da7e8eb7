/**
 * Uploads a file to a vault: a small file in one request, a larger file in parallel parts.
 *
 *     node --import tsx examples/upload-file.ts FILE
 *
 * Credentials, region and endpoint come from the environment.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Duration, Effect, Layer, Option, Stream } from "effect"
import { Progress, Source, Vault } from "effect-glacier"
import { NodeGlacier } from "effect-glacier/node"

const file = process.argv[2] ?? "node_modules/typescript/lib/typescript.js"

const program = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  yield* vault.create
  const upload = Progress.stream((onProgress) => vault.upload(Source.file(file), { partSize: 1024 * 1024, onProgress }))
  yield* upload.pipe(
    Progress.estimates,
    Stream.changesWith((a, b) => a._tag === "Estimate" && b._tag === "Estimate" && a.bytes === b.bytes),
    Stream.runForEach((event) =>
      event._tag === "Estimate"
        ? Console.log(`${event.bytes} bytes, ${
          Option.match(event.remaining, {
            onNone: () => "no idea how long",
            onSome: (duration) => `${Duration.format(duration)} to go`
          })
        }`)
        : Console.log(
          `${event.value.size} bytes in ${event.value.parts} parts, tree hash ${event.value.treeHash}\n` +
            `Keep this: ${event.value.archiveId}`
        )
    )
  )
})

program.pipe(Effect.provide(Layer.provideMerge(Vault.layer("files"), NodeGlacier.layer)), NodeRuntime.runMain)
