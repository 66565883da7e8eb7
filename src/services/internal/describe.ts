import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { GlacierClient } from "../../client/GlacierClient.ts"
import { JobExpired } from "../../protocol/GlacierError.ts"
import type { JobDescription } from "../../protocol/Jobs.ts"
import type { JobId } from "../../protocol/Names.ts"
import { ResourceNotFound } from "../../protocol/ServiceError.ts"
import type { VaultAddress } from "../../protocol/Vaults.ts"

/**
 * An error that says that a job is gone as `JobExpired`; `seen` is the job as it was. What is not found the service
 * names: the job, or else its vault.
 */
export const expired = (jobId: JobId, seen?: JobDescription) => <E>(error: E): E | JobExpired =>
  error instanceof ResourceNotFound && error.message.includes(jobId)
    ? new JobExpired({
      jobId,
      completionDate: seen && Option.getOrUndefined(seen.completionDate),
      message: error.message
    })
    : error

/** The job as it stands. */
export const describe = (vault: VaultAddress, jobId: JobId) =>
  GlacierClient.pipe(
    Effect.flatMap((glacier) => glacier.describeJob({ ...vault, jobId })),
    Effect.mapError(expired(jobId))
  )
