/**
 * The state of a run of a `RetrievalPlan`, and the steps that retrieve one of its archives to the destination.
 *
 * @internal
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Waiting from "../../policy/Waiting.ts"
import * as ByteRange from "../../protocol/ByteRange.ts"
import type { Entry } from "../../protocol/Inventory.ts"
import type { Tier } from "../../protocol/Jobs.ts"
import { Event } from "../../transfer/Progress.ts"
import type { Archive, Destination } from "../Destination.ts"
import * as Job from "../Job.ts"
import type * as Vault from "../Vault.ts"
import { isLive } from "./jobReuse.ts"
import type { MakeReporter } from "./planProgress.ts"
import type { Item } from "./planRun.ts"

/** A plan that is running. */
export interface Run<E, R> {
  readonly vault: Vault.Service
  readonly tier: Tier
  readonly destination: Destination<E, R>
  /** Limits the number of concurrent downloads. */
  readonly downloads: Effect.Semaphore
  readonly renew: Job.RenewOptions
  readonly reporter: MakeReporter
}

/**
 * Makes a function that returns a job for an archive: a known job if its output does not expire too soon, else a new one. The
 * first time any known job will do: it is paid for, and its output may still be read in time.
 */
const makeRetrieve = (
  { tier, vault }: Pick<Run<never, never>, "tier" | "vault">,
  { archiveId, size }: Entry,
  { jobIds, started }: Item
) => {
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

/** Retrieves an archive to the destination. Returns its proof, and whether the destination had the archive before. */
export const retrieve = Effect.fnUntraced(function*<E, R>(run: Run<E, R>, archive: Archive, item: Item) {
  const { destination, downloads, renew, reporter } = run
  const { size } = archive
  const { progress, waiting } = reporter()
  const found = yield* destination.find(archive)
  if (Option.isSome(found)) {
    yield* progress(Event.Kept({ range: ByteRange.make(0, size), bytes: size, total: Option.some(size) }))
    yield* item.finished(found.value)
    return { archive, proof: found.value, before: true }
  }
  const outer = yield* Waiting.OnWait
  const proof = yield* Job.renewed(
    makeRetrieve(run, archive, item),
    (job) =>
      downloads.withPermits(1)(destination.store(archive, job, progress)).pipe(
        // A download reports its waits itself.
        Effect.provideService(Waiting.OnWait, outer)
      ),
    renew
  ).pipe(Waiting.onWait(waiting))
  yield* item.finished(proof)
  return { archive, proof, before: false }
})
