/**
 * Looks at what would be deleted with a vault, and at what keeps it from being deleted. Changes nothing.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../client/GlacierClient.ts"
import type { VaultAddress } from "../../protocol/Vaults.ts"
import type { Denial, Look, OpenUpload, Reason, Settings } from "../DecommissionEvent.ts"
import type * as Vault from "../Vault.ts"
import * as PolicyDenials from "./policyDenials.ts"

/** The choices for the reasons to stop that a caller can overrule. */
export interface Choices {
  readonly openUploads: "stop" | "abort"
  readonly runningJobs: "stop" | "ignore"
  readonly uncertainDenials: "stop" | "try"
  readonly emptyVault: "delete" | "keep"
}

/** Replaces a missing setting, and a setting that the credentials may not read. */
const setting = <A, B, E extends { readonly _tag: string }, R, Missing extends string>(
  effect: Effect.Effect<A, E, R>,
  missing: Missing,
  found: (value: A) => B,
  absent: B
): Effect.Effect<Option.Option<B>, Exclude<E, { readonly _tag: Missing | "AccessDenied" }>, R> =>
  Effect.matchEffect(effect, {
    onSuccess: (value) => Effect.succeedSome(found(value)),
    onFailure: (error) =>
      error._tag === missing
        ? Effect.succeedSome(absent)
        : error._tag === "AccessDenied"
        ? Effect.succeedNone
        // The compiler does not narrow a type parameter by a tag.
        : Effect.fail(error as Exclude<E, { readonly _tag: Missing | "AccessDenied" }>)
  })

const denialsOf = (
  policy: Denial["policy"],
  text: Option.Option<string | undefined>,
  vaultArn: string
): ReadonlyArray<Denial> =>
  Option.match(Option.filter(text, (text) => text !== undefined), {
    onNone: () => [],
    onSome: (text) => PolicyDenials.find(text, vaultArn).map((found) => ({ policy, ...found }))
  })

/** Looks at the policies, the notifications and the tags. */
const settingsOf = Effect.fnUntraced(function*(vault: VaultAddress, vaultArn: string) {
  const glacier = yield* GlacierClient
  const lock = yield* setting(glacier.getVaultLock(vault), "VaultLockNotSet", Option.some, Option.none())
  const access = yield* setting(
    glacier.getVaultAccessPolicy(vault),
    "AccessPolicyNotSet",
    ({ policy }): string | undefined => policy,
    undefined
  )
  const settings: Settings = {
    notifications: yield* setting(glacier.getVaultNotifications(vault), "NotificationsNotSet", () => true, false),
    accessPolicy: Option.map(access, (policy) => policy !== undefined),
    tags: yield* setting(glacier.listTagsForVault(vault), "", ({ tags }) => Object.keys(tags).length, 0),
    lock: Option.map(lock, Option.match({ onNone: () => "none" as const, onSome: ({ state }) => state }))
  }
  const lockText = Option.map(lock, (found) => Option.getOrUndefined(found)?.policy)
  const denials = [...denialsOf("vault lock", lockText, vaultArn), ...denialsOf("access policy", access, vaultArn)]
  return { settings, denials }
})

/** Lists the open uploads. Their programs may still write to the vault. */
export const openUploads = (vault: Vault.Service) =>
  Effect.map(
    Stream.runCollect(vault.uploads),
    (uploads) =>
      Array.from(uploads, ({ archiveDescription, creationDate, uploadId }): OpenUpload => ({
        uploadId,
        description: archiveDescription,
        creationDate
      }))
  )

/** Counts the retrievals of archives that are in progress, and those whose output can be read. */
export const countJobs = (vault: Vault.Service) =>
  Stream.runFold(vault.jobs(), { running: 0, readable: 0 }, (counts, { action, statusCode }) => {
    if (action !== "ArchiveRetrieval") return counts
    if (statusCode === "InProgress") return { ...counts, running: counts.running + 1 }
    return statusCode === "Succeeded" ? { ...counts, readable: counts.readable + 1 } : counts
  })

/** Looks at the whole vault. */
export const look = Effect.fnUntraced(function*(vault: Vault.Service, address: VaultAddress) {
  const { lastInventoryDate, numberOfArchives, sizeInBytes, vaultArn } = yield* vault.describe
  const { denials, settings } = yield* settingsOf(address, vaultArn)
  const jobs = yield* countJobs(vault)
  const look: Look = {
    vaultArn,
    lastInventoryDate,
    archives: Option.getOrElse(numberOfArchives, () => 0),
    bytes: Option.getOrElse(sizeInBytes, () => 0),
    uploads: yield* openUploads(vault),
    runningJobs: jobs.running,
    readableOutputs: jobs.readable,
    denials,
    settings
  }
  return look
})

/** The denials that forbid everything, or may. Those of young archives depend on the archives. */
const denialReason = (denials: ReadonlyArray<Denial>, choices: Choices): ReadonlyArray<Reason> => {
  const found = denials.filter(({ action, certain, youngerThanDays }) =>
    action === "DeleteVault" && choices.emptyVault === "keep"
      ? false
      : certain
      ? youngerThanDays === undefined
      : choices.uncertainDenials === "stop"
  )
  return found.length === 0
    ? []
    : [{ _tag: "PolicyDenies", denials: found, archives: Option.none(), until: Option.none() }]
}

/** Returns the reasons to stop before anything is deleted. */
export const reasons = (
  { denials, runningJobs, uploads }: Pick<Look, "denials" | "runningJobs" | "uploads">,
  choices: Choices
): ReadonlyArray<Reason> => [
  ...denialReason(denials, choices),
  ...(uploads.length > 0 && choices.openUploads === "stop" ? [{ _tag: "OpenUploads" as const, uploads }] : []),
  ...(runningJobs > 0 && choices.runningJobs === "stop" ? [{ _tag: "RunningJobs" as const, jobs: runningJobs }] : [])
]
