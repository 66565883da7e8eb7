/**
 * The check of the data-retrieval policy. The service does not publish its formula; here the bytes of the Standard
 * retrievals that were initiated in the last period count. See Data Retrieval Policies (Amazon Glacier Developer
 * Guide).
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Account from "./account.ts"
import * as ErrorResponse from "./errorResponse.ts"
import type * as Event from "./event.ts"
import * as State from "./state.ts"
import type { Step } from "./store.ts"

type Task = (typeof Event.JobInitiated.Type)["task"]

const bytesOf = ({ end, start }: typeof Event.ArchiveRetrieval.Type): number => end - start + 1

/** Rejects a Standard retrieval that exceeds the limit of the account's policy. */
export const check = (step: Step, place: string, task: Task): Either.Either<void, ErrorResponse.ErrorResponse> => {
  const account = State.accountOf(step.state, place)
  const limit = Account.retrievalLimitOf(account)
  if (limit === undefined || task._tag !== "ArchiveRetrieval" || task.tier !== "Standard") return Either.void
  const since = step.now - limit.millis
  const before = account.retrievals.reduce((sum, { at, bytes }) => at > since ? sum + bytes : sum, 0)
  return before + bytesOf(task) <= limit.bytes
    ? Either.void
    : Either.left(ErrorResponse.policyEnforced("InitiateJob request denied by current data retrieval policy."))
}
