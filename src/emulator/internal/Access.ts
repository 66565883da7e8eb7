/**
 * Whether a vault lets a request through: what its lock policy or its access policy denies is denied, even to its
 * owner.
 *
 * @internal
 */
import * as Either from "effect/Either"
import type { ArchiveId } from "../../protocol/Names.ts"
import * as Policy from "./Policy.ts"
import * as Refusal from "./Refusal.ts"
import type { Call } from "./Router.ts"
import * as State from "./State.ts"
import type { Step } from "./Store.ts"

const dayMillis = 86_400_000

/** The vault of a request as it is now, if there is one and its policies do not deny the operation. */
export const vault = (
  step: Step,
  call: Call,
  arn: string,
  archiveId?: ArchiveId
): Either.Either<State.Vault, Refusal.Refusal> =>
  Either.filterOrLeft(
    step.vault(arn),
    (vault) => isAllowed(vault, step.now, call, archiveId),
    () =>
      Refusal.accessDenied(
        `User: arn:${arn.split(":")[1]}:iam::${call.accountId}:root is not authorized to perform: ` +
          `glacier:${call.operation} on resource: ${arn} with an explicit deny in a resource-based policy`
      )
  )

const isAllowed = (vault: State.Vault, now: number, call: Call, archiveId: ArchiveId | undefined): boolean => {
  const { accessPolicy, lock, tags } = vault.settings
  if (accessPolicy === undefined && lock === undefined) return true
  const archive = archiveId === undefined ? undefined : State.archiveOf(vault, archiveId)
  const question: Policy.Question = {
    action: `glacier:${call.operation}`,
    accountId: call.accountId,
    resource: vault.arn,
    archiveAgeInDays: archive && Math.floor((now - archive.createdAt) / dayMillis),
    tags
  }
  return ![lock?.policy, accessPolicy].some((policy) => policy !== undefined && Policy.denies(policy, question))
}
