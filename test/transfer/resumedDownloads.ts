/** A folder with an older file, and downloads that replace it. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Download from "../../src/transfer/Download.ts"
import { Hasher } from "../../src/transport/Hasher.ts"
import { promptly } from "../support/retryPolicies.ts"
import * as Support from "./support.ts"

const { address, mebibyte, pattern, replacing } = Support

export const windowSize = mebibyte

export const bytes = pattern(3.5 * mebibyte)

export const older = new TextEncoder().encode("the holiday before")

/** A folder with an older file, and an output for it. `requested` has the fetched windows, by their MiB. */
export const prepared = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const path = `${directory}/holiday.tar`
  yield* fs.writeFile(path, older)
  const glacier = yield* GlacierClient
  const hashes = yield* (yield* Hasher).hashes(bytes)
  const { archiveId } = yield* glacier.uploadArchive({ ...address, ...hashes, body: bytes })
  const { jobId } = yield* glacier.initiateJob({ ...address, parameters: { type: "archive-retrieval", archiveId } })
  const { treeHash } = yield* glacier.describeJob({ ...address, jobId })
  const output: Download.Output = { vault: address, jobId, size: bytes.length, treeHash }
  const names = Effect.map(fs.readDirectory(directory), (names) => names.sort())
  const named = (ending: string) =>
    Effect.map(names, (names) => names.filter((name) => name.endsWith(ending)).map((name) => `${directory}/${name}`))
  const requested: Array<number> = []
  const download = (options: Download.FileOptions = {}) =>
    Download.toFile(output, path, { windowSize, concurrency: 2, ...options }).pipe(
      replacing((glacier) => ({
        getJobOutput: (input) => {
          requested.push((input.range?.start ?? 0) / mebibyte)
          return glacier.getJobOutput(input)
        }
      }))
    )
  return { fs, path, output, names, requested, download, partial: named(".partial"), checkpoint: named(".checkpoint") }
})

export const inFolder = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.provideService(RetryPolicy.RetryPolicy, promptly(1)),
    Effect.provide(Support.layer()),
    Effect.provide(NodeFileSystem.layer)
  )

/** The windows that a window log has whole lines for, by their MiB. */
export const recorded = (checkpoint: string) =>
  Array.from(checkpoint.matchAll(/^(\d+)-\d+ [0-9a-f]{64}$/gm), ([, start]) => Number(start) / mebibyte)
