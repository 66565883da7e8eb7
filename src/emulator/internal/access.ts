/**
 * Whether a vault lets a request through. What its lock policy or its access policy denies is denied, even to its
 * owner; to other accounts also what neither allows.
 *
 * @internal
 */
import * as Either from "effect/Either"
import type { ArchiveId } from "../../protocol/Names.ts"
import * as ErrorResponse from "./errorResponse.ts"
import * as Policy from "./policy.ts"
import type { Call } from "./router.ts"
import * as State from "./state.ts"
import type { Step } from "./store.ts"

const dayMillis = 86_400_000

/** The vault of a request as it is now, if there is one and its policies let the caller do what it asks for. */
export const authorize = (
  step: Step,
  call: Call,
  arn: string,
  archiveId?: ArchiveId
): Either.Either<State.Vault, ErrorResponse.ErrorResponse> => {
  const found = step.vault(arn)
  // Others learn nothing, not even what vaults there are.
  if (Either.isLeft(found)) return call.caller === call.accountId ? found : foreign(call)
  const { accessPolicy, lock } = found.right.settings
  const question = accessRequest(found.right, step.now, call, archiveId)
  const says = (effect: Policy.Effect) =>
    [lock?.policy, accessPolicy].some((policy) => policy !== undefined && Policy.hasMatch(effect, policy, question))
  if (says("Deny")) return Either.left(denied(call, arn))
  return call.caller === call.accountId || says("Allow") ? found : foreign(call)
}

const foreign = ({ accountId }: Call) => Either.left(ErrorResponse.wrongAccount(accountId))

const denied = ({ caller, operation }: Call, arn: string): ErrorResponse.ErrorResponse =>
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
