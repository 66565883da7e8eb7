/**
 * Resumes an upload that failed half-way, by its upload id.
 *
 *     node --import tsx examples/resume.ts
 *
 * Credentials, region and endpoint come from the environment.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Data, Effect, Layer, Ref, Stream } from "effect"
import { Source, Vault } from "effect-glacier"
import { NodeGlacier } from "effect-glacier/node"

const mebibyte = 1024 * 1024

class PowerCut extends Data.TaggedError("PowerCut") {}

const bytes = Uint8Array.from({ length: 5 * mebibyte }, (_, i) => i >> 12)

/** A source that fails after the first half of the bytes. */
const half = Stream.concat(Stream.make(bytes.subarray(0, bytes.length / 2)), Stream.fail(new PowerCut()))

const program = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  yield* vault.create
  const archive = yield* vault.upload(Source.stream(half), { partSize: mebibyte, onFailure: "keep" }).pipe(
    Effect.catchTag("UploadKept", ({ uploadId }) =>
      Effect.gen(function*() {
        yield* Console.log(`Interrupted: ${uploadId}`)
        // Another program can resume with this id, or find it in `vault.uploads`.
        const read = yield* Ref.make(0)
        return yield* vault.resumeUpload(uploadId, Source.bytes(bytes), {
          onProgress: ({ bytes }) => Ref.set(read, bytes)
        }).pipe(Effect.ensuring(Effect.flatMap(Ref.get(read), (bytes) => Console.log(`Read ${bytes} bytes`))))
      }))
  )
  yield* Console.log(`${archive.size} bytes in ${archive.parts} parts, tree hash ${archive.treeHash}`)
})

program.pipe(Effect.provide(Layer.provideMerge(Vault.layer("resumed"), NodeGlacier.layer)), NodeRuntime.runMain)
