/**
 * DescribeJob, with a typed error for a job that has expired.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { GlacierClient } from "../../client/GlacierClient.ts"
import { JobExpired } from "../../protocol/GlacierError.ts"
import type { JobDescription } from "../../protocol/Jobs.ts"
import type { JobId } from "../../protocol/Names.ts"
import { JobNotFound } from "../../protocol/ServiceError.ts"
import type { VaultAddress } from "../../protocol/Vaults.ts"
import { isMissing } from "./isMissing.ts"

/** Replaces an error that says that a job does not exist by `JobExpired`. `seen` is the last known description of the job. */
export const expired = (jobId: JobId, seen?: JobDescription) => <E>(error: E): E | JobExpired =>
  isMissing(JobNotFound, jobId)(error)
    ? new JobExpired({
      jobId,
      completionDate: seen && Option.getOrUndefined(seen.completionDate),
      message: error.message
    })
    : error

/** Describes a job. */
export const describe = (vault: VaultAddress, jobId: JobId) =>
  GlacierClient.pipe(
    Effect.flatMap((glacier) => glacier.describeJob({ ...vault, jobId })),
    Effect.mapError(expired(jobId))
  )
