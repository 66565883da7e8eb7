/**
 * The check of a vault's policies before an operation on the vault. A `Deny` of the lock policy or of the access policy
 * rejects the request, even of the vault's owner. Other accounts also need an `Allow`.
 *
 * @internal
 */
import * as Either from "effect/Either"
import type { ArchiveId } from "../../protocol/Names.ts"
import { dayMillis } from "./delays.ts"
import * as ErrorResponse from "./errorResponse.ts"
import * as Policy from "./policy.ts"
import type { Call } from "./router.ts"
import * as State from "./state.ts"
import type { Step } from "./store.ts"

/** Returns the vault of a call, or the error response when there is no such vault or its policies reject the call. */
export const authorize = (
  step: Step,
  call: Call,
  arn: string,
  archiveId?: ArchiveId
): Either.Either<State.Vault, ErrorResponse.ErrorResponse> => {
  const found = step.vault(arn)
  // To other accounts a vault that does not exist looks like a vault without permission.
  if (Either.isLeft(found)) return call.caller === call.accountId ? found : wrongAccount(call)
  const { accessPolicy, lock } = found.right.settings
  const request = accessRequest(found.right, step.now, call, archiveId)
  const hasMatch = (effect: Policy.Effect) =>
    [lock?.policy, accessPolicy].some((policy) => policy !== undefined && Policy.hasMatch(effect, policy, request))
  if (hasMatch("Deny")) return Either.left(explicitDeny(call, arn))
  return call.caller === call.accountId || hasMatch("Allow") ? found : wrongAccount(call)
}

const wrongAccount = ({ accountId }: Call) => Either.left(ErrorResponse.wrongAccount(accountId))

const explicitDeny = ({ caller, operation }: Call, arn: string): ErrorResponse.ErrorResponse =>
  ErrorResponse.accessDenied(
    `User: arn:${arn.split(":")[1]}:iam::${caller}:root is not authorized to perform: ` +
      `glacier:${operation} on resource: ${arn} with an explicit deny in a resource-based policy`
  )

const accessRequest = (
  vault: State.Vault,
  now: number,
  call: Call,
  archiveId: ArchiveId | undefined
): Policy.AccessRequest => {
  const archive = archiveId === undefined ? undefined : State.archiveOf(vault, archiveId)
  return {
    action: `glacier:${call.operation}`,
    accountId: call.caller,
    resource: vault.arn,
    archiveAgeInDays: archive && Math.floor((now - archive.createdAt) / dayMillis),
    tags: vault.settings.tags
  }
}
