import type { Glacier } from "@aws-sdk/client-glacier"
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, type Scope } from "effect"
import { runEmulator } from "../support/processes.ts"
import * as Support from "./support.ts"

const { call, mebibyte, ramp, treeHash } = Support

const vault = { accountId: "-", vaultName: "killed" }

/**
 * Runs `body` with an emulator program that keeps its data in files. Each `life` is one process of it, which is killed at its
 * end, and starts with the files of the process before.
 */
const onDisk = <A, E>(
  body: (
    life: <B, E>(
      use: (glacier: Glacier, kill: Effect.Effect<void>) => Effect.Effect<B, E, Scope.Scope>
    ) => Effect.Effect<B, E>,
    blobs: Effect.Effect<number>
  ) => Effect.Effect<A, E>
) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const data = yield* fs.makeTempDirectoryScoped()
    return yield* body(
      (use) =>
        Effect.scoped(Effect.gen(function*() {
          const { exit, kill, port } = yield* runEmulator(
            ...["--data", data, "--job-delay", "50 millis", "--inventory-delay", "0 millis"]
          )
          const glacier = yield* Support.sdk(port)
          return yield* use(glacier, Effect.zipRight(kill("SIGKILL"), exit))
        })),
      Effect.orDie(Effect.map(fs.readDirectory(`${data}/blobs`), ({ length }) => length))
    )
  }).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

/** Runs calls, four at a time, and kills the emulator after some of them have succeeded and others are still running. */
const killAfter = <E>(
  successes: number,
  kill: Effect.Effect<void>,
  calls: ReadonlyArray<Effect.Effect<unknown, E>>
) =>
  Effect.gen(function*() {
    const enough = yield* Deferred.make<void>()
    let count = 0
    const all = yield* Effect.forEach(calls, (call) =>
      Effect.ignore(Effect.zipRight(
        call,
        Effect.suspend(() => ++count === successes ? Deferred.succeed(enough, undefined) : Effect.void)
      )), { concurrency: 4, discard: true }).pipe(Effect.fork)
    yield* Deferred.await(enough)
    yield* kill
    yield* Fiber.await(all)
  })

const retrieve = (glacier: Glacier, jobId: string | undefined) =>
  Effect.gen(function*() {
    const job = { ...vault, jobId: jobId! }
    yield* Support.until(call(() => glacier.describeJob(job)), ({ Completed }) => Completed === true)
    const { body, checksum } = yield* call(() => glacier.getJobOutput(job))
    return { checksum, bytes: Buffer.from(yield* call(() => body!.transformToByteArray())) }
  })

const archiveJob = (archiveId: string | undefined) => ({ Type: "archive-retrieval", ArchiveId: archiveId })

const initiate = (glacier: Glacier, archiveId: string | undefined) =>
  call(() => glacier.initiateJob({ ...vault, jobParameters: archiveJob(archiveId) }))

const expectArchive = (glacier: Glacier, archiveId: string | undefined, expected: Buffer) =>
  Effect.gen(function*() {
    const { jobId } = yield* initiate(glacier, archiveId)
    const { bytes, checksum } = yield* retrieve(glacier, jobId)
    expect(checksum).toBe(treeHash(expected))
    expect(bytes.equals(expected)).toBe(true)
  })

const fails = (run: () => Promise<unknown>) =>
  Effect.map(Effect.flip(call(run)), ({ name }) => void expect(name).toBe("ResourceNotFoundException"))

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
