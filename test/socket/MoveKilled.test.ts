/** A move to an object store whose process is killed and started again. */
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3"
import { expect, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Stream } from "effect"
import * as NodeHttp from "../../src/node/NodeHttp.ts"
import * as ByteRange from "../../src/protocol/ByteRange.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"
import { ObjectStore } from "../../src/s3/ObjectStore.ts"
import * as S3ObjectStore from "../../src/s3/S3ObjectStore.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import { temporaryFolder } from "../support/folders.ts"
import { isFull } from "../support/full.ts"
import * as Swift from "../support/swift.ts"
import { countOf, makeRunnerOf, repeated, withEmulator } from "./killedTransfers.ts"
import * as Support from "./support.ts"

const { mebibyte, ramp } = Support

/** The sizes of the large archives in MiB, the number of all archives, and the number of kills. */
const [large, count, kills] = isFull ? [[300, 150, 100, 64], 40, 25] as const : [[40], 6, 3] as const

/** The number of parts in flight, and of archives. */
const inFlight = 4

const sizeOf = (index: number) => (large[index] ?? 0) * mebibyte || 100_000 + index * 50_000

const isSkipped = !Swift.isInstalled

it.scopedLive.skipIf(isSkipped)(
  `moves ${count} archives of up to ${
    large[0]
  } MiB to Swift when the process is killed ${kills} times, and sends only ` +
    `parts in flight twice [I10]${isSkipped ? " (skipped: Swift is not installed)" : ""}`,
  () =>
    Effect.gen(function*() {
      const checkpoints = yield* temporaryFolder
      const url = yield* Swift.start
      const { keys: { accessKeyId, secretAccessKey }, region } = Swift.options
      const client = new S3Client({
        endpoint: url,
        region,
        forcePathStyle: true,
        credentials: { accessKeyId, secretAccessKey: Redacted.value(secretAccessKey) }
      })
      yield* Effect.promise(() => client.send(new CreateBucketCommand({ Bucket: "films" })))
      const store = S3ObjectStore.layer({ ...Swift.options, endpoint: url, bucket: "films", checksums: "none" }).pipe(
        Layer.provide(NodeHttp.layer)
      )
      yield* withEmulator(
        Effect.gen(function*() {
          const vault = yield* Vault.make("films")
          const archives = yield* Effect.forEach(Array.from({ length: count }, (_, index) => index), (index) =>
            Effect.map(
              vault.upload(Source.bytes(ramp(sizeOf(index), index)), { description: `film ${index}` }),
              ({ size, treeHash }) => ({ path: `film ${index}`, size, treeHash })
            ))

          const { runToEnd, runUntilStored, storeTraffic } = yield* makeRunnerOf("move.ts", Number(new URL(url).port))
          for (let kill = 0; kill < kills; kill++) {
            yield* runUntilStored(({ methods }) =>
              countOf(methods, "PUT") >= 2 + kill % 2, checkpoints)
          }
          yield* runToEnd(checkpoints)
          expect(repeated(storeTraffic)).toBeLessThanOrEqual(kills * inFlight)

          const { get, head, uploads } = yield* ObjectStore
          for (const { path, size, treeHash } of archives) {
            const key = `films/${path}`
            expect((yield* Effect.flatten(head(key))).size, path).toBe(size)
            expect(yield* TreeHash.ofStream(get(key, ByteRange.make(0, size))), path).toBe(treeHash)
          }
          expect(yield* Stream.runCount(uploads(""))).toBe(0)
          const jobs = Stream.filter(vault.jobs(), ({ action }) =>
            action === "ArchiveRetrieval")
          expect(yield* Stream.runCount(jobs)).toBe(count)
        }).pipe(Effect.provide(store))
      )
    }),
  600_000
)
