/** An emulator program that is killed and started again with the same files. */
import type { Glacier } from "@aws-sdk/client-glacier"
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { expect } from "@effect/vitest"
import { Deferred, Effect, Fiber, type Scope } from "effect"
import { runEmulator } from "../support/processes.ts"
import * as Support from "./support.ts"

const { call, treeHash } = Support

export const vault = { accountId: "-", vaultName: "killed" }

/**
 * Runs `body` with an emulator program that keeps its data in files. Each `life` is one process of it, which is killed at its
 * end, and starts with the files of the process before.
 */
export const onDisk = <A, E>(
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
export const killAfter = <E>(
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

export const retrieve = (glacier: Glacier, jobId: string | undefined) =>
  Effect.gen(function*() {
    const job = { ...vault, jobId: jobId! }
    yield* Support.until(call(() => glacier.describeJob(job)), ({ Completed }) => Completed === true)
    const { body, checksum } = yield* call(() => glacier.getJobOutput(job))
    return { checksum, bytes: Buffer.from(yield* call(() => body!.transformToByteArray())) }
  })

export const archiveJob = (archiveId: string | undefined) => ({ Type: "archive-retrieval", ArchiveId: archiveId })

export const initiate = (glacier: Glacier, archiveId: string | undefined) =>
  call(() => glacier.initiateJob({ ...vault, jobParameters: archiveJob(archiveId) }))

export const expectArchive = (glacier: Glacier, archiveId: string | undefined, expected: Buffer) =>
  Effect.gen(function*() {
    const { jobId } = yield* initiate(glacier, archiveId)
    const { bytes, checksum } = yield* retrieve(glacier, jobId)
    expect(checksum).toBe(treeHash(expected))
    expect(bytes.equals(expected)).toBe(true)
  })

export const fails = (run: () => Promise<unknown>) =>
  Effect.map(Effect.flip(call(run)), ({ name }) => void expect(name).toBe("ResourceNotFoundException"))
