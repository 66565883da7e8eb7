/** Uploads and downloads whose process is killed and started again: nothing is stored, sent or written twice. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { temporaryFolder } from "../support/folders.ts"
import { isFull } from "../support/full.ts"
import { expectOneArchive, makeRunner, moments, repeated, retrieve, withEmulator, workers } from "./killedTransfers.ts"
import * as Support from "./support.ts"

const { mebibyte, ramp } = Support

it.scopedLive(
  "sends no part twice when the process is killed as it opens the upload, between parts and as it completes it [I4]",
  () =>
    Effect.gen(function*() {
      const checkpoints = yield* temporaryFolder
      const bytes = ramp(12.5 * mebibyte)
      const file = join(yield* temporaryFolder, "film")
      writeFileSync(file, bytes)
      yield* withEmulator(Effect.gen(function*() {
        const { runToEnd, runUntil, traffic } = yield* makeRunner
        for (const isOver of moments) yield* runUntil(isOver, "upload", file, checkpoints)
        expect(traffic.transfers.size).toBe(13)
        const archiveId = yield* runToEnd("upload", file, checkpoints)
        // The upload is not open any more, and completing it again returns its archive.
        expect(traffic.methods).toEqual(["GET", "POST"])
        expect(repeated(traffic)).toBe(0)
        expect(readdirSync(checkpoints)).toEqual([])
        // The response to opening the first upload was not passed on.
        yield* expectOneArchive(archiveId, bytes, 1)
      }))
    }),
  180_000
)

/** The number of kills during the upload, and during the download. */
const kills = isFull ? { upload: 13, download: 12 } : { upload: 3, download: 2 }

/** Numbers of bytes after which processes are killed: 0 to 2.7 MiB, in the middle of a part or window. */
const killPoints = (kills: number) => Array.from({ length: kills }, (_, kill) => ((kill * 7) % 10) * 0.3 * mebibyte)

it.scopedLive(
  `stores and downloads the right bytes after ${kills.upload + kills.download} kills, and repeats little [I4]`,
  () =>
    Effect.gen(function*() {
      const checkpoints = yield* temporaryFolder
      const films = yield* temporaryFolder
      const bytes = ramp(40.5 * mebibyte)
      const file = join(films, "film")
      writeFileSync(file, bytes)
      yield* withEmulator(Effect.gen(function*() {
        const up = yield* makeRunner
        const uploads = killPoints(kills.upload)
        for (const killPoint of uploads) {
          yield* up.runUntil(({ bytes }) => bytes > killPoint, "upload", file, checkpoints)
        }
        const archiveId = yield* up.runToEnd("upload", file, checkpoints)
        expect(up.traffic.transfers.size).toBe(41)
        expect(repeated(up.traffic)).toBeLessThanOrEqual(uploads.length * workers)
        expect(readdirSync(checkpoints)).toEqual([])
        yield* expectOneArchive(archiveId, bytes, uploads.length)

        const down = yield* makeRunner
        const jobId = yield* retrieve(archiveId)
        const target = join(films, "back")
        const downloads = killPoints(kills.download)
        for (const killPoint of downloads) {
          yield* down.runUntil(({ bytes }) => bytes > killPoint, "download", target, jobId)
          expect(existsSync(target)).toBe(false)
        }
        yield* down.runToEnd("download", target, jobId)
        expect(readFileSync(target).equals(bytes)).toBe(true)
        expect(readdirSync(films).sort()).toEqual(["back", "film"])
        expect(down.traffic.transfers.size).toBe(41)
        expect(repeated(down.traffic)).toBeLessThanOrEqual(downloads.length * workers)
      }))
    }),
  300_000
)
