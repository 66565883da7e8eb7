/**
 * The state of a run of a `RetrievalPlan`, and the steps that retrieve one of its archives to a file.
 *
 * @internal
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Waiting from "../../policy/Waiting.ts"
import * as ArchiveName from "../../protocol/ArchiveName.ts"
import * as ByteRange from "../../protocol/ByteRange.ts"
import type { Entry } from "../../protocol/Inventory.ts"
import type { Tier } from "../../protocol/Jobs.ts"
import * as Limits from "../../protocol/Limits.ts"
import * as TreeHash from "../../protocol/TreeHash.ts"
import type * as Download from "../../transfer/Download.ts"
import { Event } from "../../transfer/Progress.ts"
import type * as SafePath from "../../transfer/SafePath.ts"
import * as Target from "../../transfer/Target.ts"
import * as Job from "../Job.ts"
import type * as Vault from "../Vault.ts"
import { isLive } from "./jobReuse.ts"
import type { MakeReporter } from "./planProgress.ts"
import type { Item } from "./planRun.ts"

/** A plan that is running. */
export interface Run {
  readonly vault: Vault.Service
  readonly tier: Tier
  /** The folder of the files. */
  readonly directory: string
  /** Whether an existing file with other bytes is replaced. */
  readonly overwrite: boolean
  /** Whether a file gets the modification time in its archive's description. */
  readonly keepModified: boolean
  readonly download: Omit<Download.Options, "onProgress">
  /** Limits the number of concurrent downloads. */
  readonly downloads: Effect.Semaphore
  readonly renew: Job.RenewOptions
  readonly reporter: MakeReporter
}

/** An archive and its path below the directory. */
type Placed = Entry & { readonly path: SafePath.SafePath }

/** The modification time in a description. */
const modifiedOf = ({ description }: Entry): DateTime.Utc | undefined =>
  Option.getOrUndefined(Option.flatMap(ArchiveName.read(description), ({ modified }) => modified))

/** Whether a file has the bytes of an archive. False for a file that cannot be read. */
const isThere = Effect.fnUntraced(function*(path: string, { size, treeHash }: Entry) {
  const fs = yield* FileSystem.FileSystem
  const found = yield* fs.stat(path)
  return found.type === "File" && found.size === BigInt(size) &&
    (yield* TreeHash.ofStream(fs.stream(path, { chunkSize: Limits.mebibyte }))) === treeHash
}, Effect.orElseSucceed(() => false))

/**
 * Prepares the target of an archive. Returns whether the file is there already: then it is not paid for again, even if the
 * checkpoint was lost.
 */
const prepareTarget = (archive: Placed, { directory, overwrite }: Run) =>
  Target.prepare(directory, archive.path).pipe(
    Effect.map((target) => ({ target, isDone: false })),
    Effect.catchTag("TargetRejected", (rejection) =>
      Effect.gen(function*() {
        if (rejection.reason !== "exists") return yield* rejection
        if (yield* isThere(rejection.path, archive)) return { target: rejection.path, isDone: true }
        return overwrite ? { target: yield* Target.check(rejection.path), isDone: false } : yield* rejection
      }))
  )

/**
 * Makes a function that returns a job for an archive: a known job if its output does not expire too soon, else a new one. The
 * first time any known job will do: it is paid for, and its output may still be read in time.
 */
const makeRetrieve = ({ tier, vault }: Run, { archiveId, size }: Placed, { jobIds, started }: Item) => {
  let known = jobIds
  let atLeast: Duration.DurationInput = 0
  return (reuse: Duration.Duration) =>
    Effect.gen(function*() {
      const isUsable = yield* isLive(atLeast)
      atLeast = reuse
      for (const id of known) {
        const job = yield* vault.job(id)
        const live = job.describe.pipe(
          Effect.map(isUsable),
          Effect.catchTag("JobExpired", () => Effect.succeed(false))
        )
        if (yield* live) return job
      }
      const job = yield* vault.retrieveArchive(archiveId, { tier, size })
      known = [job.id]
      yield* started(job.id)
      return job
    })
}

/** Retrieves an archive to its target. Returns whether the file was there before. */
export const retrieve = Effect.fnUntraced(function*(run: Run, archive: Placed, item: Item) {
  const { downloads, reporter } = run
  const { size } = archive
  const { progress, waiting } = reporter()
  const { isDone, target } = yield* prepareTarget(archive, run)
  if (isDone) {
    // The run that downloaded the file may have died before it removed the files beside it.
    yield* Target.finish(target, archive.treeHash)
    yield* progress(Event.Kept({ range: ByteRange.make(0, size), bytes: size, total: Option.some(size) }))
  } else {
    const modified = run.keepModified ? modifiedOf(archive) : undefined
    const download = { ...run.download, onProgress: progress, onFailure: "keep", modified } as const
    const outer = yield* Waiting.OnWait
    yield* Job.renewed(
      makeRetrieve(run, archive, item),
      (job) =>
        downloads.withPermits(1)(job.outputToFile(target, download)).pipe(
          // A download reports its waits itself.
          Effect.provideService(Waiting.OnWait, outer)
        ),
      run.renew
    ).pipe(Waiting.onWait(waiting))
  }
  yield* item.finished
  return isDone
})
