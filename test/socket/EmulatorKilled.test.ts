import type { Glacier } from "@aws-sdk/client-glacier"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { archiveJob, expectArchive, fails, initiate, killAfter, onDisk, retrieve, vault } from "./killedEmulator.ts"
import * as Support from "./support.ts"

const { call, mebibyte, ramp, treeHash } = Support

describe.concurrent("an emulator that is killed", () => {
  it.scopedLive(
    "keeps vaults, and the parts of an upload during which it was killed three times",
    () =>
      onDisk((life, blobs) =>
        Effect.gen(function*() {
          const bytes = ramp(15.5 * mebibyte)
          const parts = Array.from({ length: 16 }, (_, i) => bytes.subarray(i * mebibyte, (i + 1) * mebibyte))
          const rangeOf = (index: number) => `${index * mebibyte}-${index * mebibyte + parts[index]!.length - 1}`
          const acknowledged = new Set<number>()
          const empty = { ...vault, vaultName: "empty" }

          const [, { uploadId }] = yield* life((glacier) =>
            Effect.zipRight(
              call(() => glacier.createVault(vault)),
              Effect.all([
                call(() => glacier.createVault(empty)),
                call(() => glacier.initiateMultipartUpload({ ...vault, partSize: String(mebibyte) }))
              ], { concurrency: 2 })
            )
          )
          const upload = { ...vault, uploadId: uploadId! }
          const put = (glacier: Glacier, index: number) => {
            const part = { ...upload, range: `bytes ${rangeOf(index)}/*`, body: parts[index]! }
            return Effect.map(call(() => glacier.uploadMultipartPart(part)), () => void acknowledged.add(index))
          }
          /** The parts that the emulator does not have, last first. */
          const missing = (glacier: Glacier) =>
            Effect.gen(function*() {
              yield* call(() => glacier.describeVault(empty))
              const { Parts = [] } = yield* call(() => glacier.listParts(upload))
              const listed = Parts.map((part) => Number.parseInt(part.RangeInBytes!) / mebibyte)
              expect(listed).toEqual(expect.arrayContaining([...acknowledged]))
              expect(Parts).toEqual(listed.map((index) => ({
                RangeInBytes: rangeOf(index),
                SHA256TreeHash: treeHash(parts[index]!)
              })))
              expect(yield* blobs).toBe(listed.length)
              return parts.flatMap((_, index) => listed.includes(index) ? [] : [index]).reverse()
            })
          for (const successes of [1, 2, 3]) {
            yield* life((glacier, kill) =>
              Effect.flatMap(
                missing(glacier),
                (indices) => killAfter(successes, kill, indices.map((index) => put(glacier, index)))
              )
            )
          }
          expect(acknowledged.size).toBeLessThan(parts.length)

          const complete = { ...upload, archiveSize: String(bytes.length), checksum: treeHash(bytes) }
          const [{ archiveId }] = yield* life((glacier) =>
            Effect.gen(function*() {
              yield* Effect.forEach(yield* missing(glacier), (index) => put(glacier, index), { concurrency: 4 })
              return yield* Effect.all([
                call(() => glacier.completeMultipartUpload(complete)),
                call(() => glacier.deleteVault(empty))
              ], { concurrency: 2 })
            })
          )
          yield* life((glacier) =>
            Effect.gen(function*() {
              yield* fails(() => glacier.describeVault(empty))
              yield* fails(() => glacier.listParts(upload))
              expect((yield* call(() => glacier.completeMultipartUpload(complete))).archiveId).toBe(archiveId)
              yield* expectArchive(glacier, archiveId, bytes)
            })
          )
        })
      ),
    90_000
  )

  it.scopedLive(
    "keeps archives during whose uploads it was killed twice, jobs and deletions",
    () =>
      onDisk((life, blobs) =>
        Effect.gen(function*() {
          const acknowledged = new Map<string, Buffer>()
          const check = (glacier: Glacier) =>
            Effect.gen(function*() {
              for (const [archiveId, bytes] of acknowledged) yield* expectArchive(glacier, archiveId, bytes)
              const { NumberOfArchives } = yield* call(() => glacier.describeVault(vault))
              expect(NumberOfArchives).toBeGreaterThanOrEqual(acknowledged.size)
              expect(yield* blobs).toBe(NumberOfArchives)
            })
          for (const successes of [1, 3]) {
            yield* life((glacier, kill) =>
              Effect.gen(function*() {
                yield* call(() => glacier.createVault(vault))
                yield* check(glacier)
                const uploads = Array.from({ length: 8 }, (_, i) => {
                  const body = ramp(2 * mebibyte, successes * 8 + i)
                  return Effect.map(
                    call(() => glacier.uploadArchive({ ...vault, body })),
                    ({ archiveId }) => void acknowledged.set(archiveId!, body)
                  )
                })
                yield* killAfter(successes, kill, uploads)
              })
            )
          }
          expect(acknowledged.size).toBeGreaterThanOrEqual(4)
          const [archiveId, bytes] = [...acknowledged][0]!

          const [{ jobId }, { uploadId }] = yield* life((glacier) =>
            Effect.zipRight(
              check(glacier),
              Effect.all([
                initiate(glacier, archiveId),
                call(() => glacier.initiateMultipartUpload({ ...vault, partSize: String(mebibyte) }))
              ], { concurrency: 2 })
            )
          )
          const upload = { ...vault, uploadId: uploadId! }
          const isRetrieved = (glacier: Glacier) =>
            Effect.map(retrieve(glacier, jobId), (output) => expect(output.bytes.equals(bytes)).toBe(true))
          yield* life((glacier) =>
            Effect.zipRight(
              isRetrieved(glacier),
              Effect.all([
                call(() => glacier.deleteArchive({ ...vault, archiveId })),
                call(() => glacier.abortMultipartUpload(upload))
              ], { concurrency: 2 })
            )
          )
          yield* life((glacier) =>
            Effect.gen(function*() {
              yield* fails(() => glacier.initiateJob({ ...vault, jobParameters: archiveJob(archiveId) }))
              yield* fails(() => glacier.listParts(upload))
              yield* isRetrieved(glacier)
            })
          )
        })
      ),
    90_000
  )
})
