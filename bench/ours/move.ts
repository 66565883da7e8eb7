/**
 * Moves the output of a job to an object store.
 *
 *     move PART_SIZE JOB
 */
import { Checkpoint, SafePath, Vault } from "effect-glacier"
import { NodeHttp } from "effect-glacier/node"
import { S3Destination, S3ObjectStore } from "effect-glacier/s3"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { main } from "./main.ts"

const [partSize, jobId = ""] = process.argv.slice(2)

/** The store is the server that the environment names. */
const store = Layer.provide(S3ObjectStore.layer({ bucket: "bucket", checksums: "none" }), NodeHttp.layer)

main(
  Effect.gen(function*() {
    const vault = yield* Vault.make("bench")
    const job = yield* vault.job(jobId)
    const { archiveId, archiveSizeInBytes, archiveTreeHash, creationDate } = yield* job.describe
    const archive = {
      archiveId: yield* archiveId,
      description: "archive.bin",
      creationDate,
      size: yield* archiveSizeInBytes,
      treeHash: yield* archiveTreeHash,
      path: yield* SafePath.make("archive.bin")
    }
    const destination = yield* S3Destination.make({ partSize: Number(partSize), concurrency: 4 })
    const { size } = yield* destination.store(archive, job, () => Effect.void)
    if (size !== archive.size) return yield* Effect.dieMessage(`${size} bytes were stored`)
    return {}
  }).pipe(Effect.provide([store, Checkpoint.layerMemory]))
)
