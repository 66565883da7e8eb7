/**
 * The events of a program that empties and deletes a vault (`Decommission`), and the reasons for which it stops. All are
 * plain data: counts, ids and dates.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { formatBytes, formatCount, formatNumber } from "../policy/Format.ts"
import { errorClass } from "../protocol/ErrorClass.ts"
import type { InvalidInput, JobFailed, MalformedEntry } from "../protocol/GlacierError.ts"
import { VaultName } from "../protocol/Names.ts"
import type { operations } from "../protocol/Operations.ts"
import type { CheckpointError, CheckpointInUse } from "../transfer/Checkpoint.ts"
import type { Failure } from "../transport/Method.ts"
import type * as Job from "./Job.ts"
import type { ReadError } from "./JobInventory.ts"
import type * as JobWaiting from "./JobWaiting.ts"
import type * as Vault from "./Vault.ts"

/**
 * A statement of a policy that denies a deletion. `certain` is false if it denies the deletion only to some users, or under
 * a condition that only the service can evaluate.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Denial = Schema.Struct({
  policy: Schema.Literal("vault lock", "access policy"),
  action: Schema.Literal("DeleteArchive", "DeleteVault"),
  certain: Schema.Boolean,
  /** The statement denies the deletion of archives that are younger than this number of days. */
  youngerThanDays: Schema.UndefinedOr(Schema.Int),
  /** The statement as JSON. */
  statement: Schema.String
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type Denial = typeof Denial.Type

/**
 * The archives that are younger than 90 days. AWS bills their deletion as if they had been stored for 90 days.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Early = Schema.Struct({
  archives: Schema.NonNegativeInt,
  bytes: Schema.NonNegativeInt,
  /** The storage that is left to bill, with the overhead of 32 KiB for each archive. A month has 30 days. */
  gibMonths: Schema.NonNegative,
  /** The cost, if a price was given. */
  cost: Schema.Option(Schema.NonNegative),
  /** The time at which the youngest of them is 90 days old. */
  until: Schema.DateTimeUtc
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type Early = typeof Early.Type

/**
 * An open multipart upload.
 *
 * @since 0.1.0
 * @category schemas
 */
export const OpenUpload = Schema.Struct({
  uploadId: Schema.String,
  description: Schema.Option(Schema.String),
  creationDate: Schema.DateTimeUtc
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type OpenUpload = typeof OpenUpload.Type

/**
 * Why a decommission stops:
 *
 * - `PolicyDenies`: a policy denies the deletion, or may deny it. With `youngerThanDays`, `archives` is the number of archives
 *   that are too young, and `until` the time from which all of them can be deleted.
 * - `AccessDenied`: the service denied a deletion.
 * - `YoungArchives`: archives are younger than 90 days, so their deletion is billed.
 * - `OpenUploads`: multipart uploads are open. Some other program may still write to the vault.
 * - `RunningJobs`: archives are being retrieved. The outputs are lost with the vault.
 * - `Unproven`: archives have no proof of a copy. They remain in the vault.
 * - `DeletionsFailed`: archives could not be deleted. `message` is that of the last error.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Reason = Schema.Union(
  Schema.TaggedStruct("PolicyDenies", {
    denials: Schema.Array(Denial),
    archives: Schema.Option(Schema.NonNegativeInt),
    until: Schema.Option(Schema.DateTimeUtc)
  }),
  Schema.TaggedStruct("AccessDenied", { operation: Schema.String, message: Schema.String }),
  Schema.TaggedStruct("YoungArchives", { early: Early }),
  Schema.TaggedStruct("OpenUploads", { uploads: Schema.Array(OpenUpload) }),
  Schema.TaggedStruct("RunningJobs", { jobs: Schema.NonNegativeInt }),
  Schema.TaggedStruct("Unproven", { archives: Schema.NonNegativeInt, bytes: Schema.NonNegativeInt }),
  Schema.TaggedStruct("DeletionsFailed", { archives: Schema.NonNegativeInt, message: Schema.String })
)

/**
 * @since 0.1.0
 * @category schemas
 */
export type Reason = typeof Reason.Type

const iso = DateTime.formatIso

const verbOf = (count: number): string => count === 1 ? "is" : "are"

const formatDenial = ({ action, certain, policy, statement, youngerThanDays }: Denial): string =>
  `the ${policy} ${certain ? "denies" : "may deny"} ${action}${
    youngerThanDays === undefined ? "" : ` of archives younger than ${formatCount(youngerThanDays, "day")}`
  }: ${statement}`

const formatCost = ({ cost, gibMonths }: Early): string =>
  `${gibMonths.toFixed(3)} GiB-months${
    Option.match(cost, { onNone: () => "", onSome: (cost) => `, ${cost.toFixed(2)}` })
  }`

/**
 * How a user overrules a reason, by the options of `Decommission`.
 *
 * @since 0.1.0
 * @category models
 */
export type Remedies = Readonly<Record<"youngArchives" | "openUploads" | "runningJobs" | "uncertainDenials", string>>

const options: Remedies = {
  youngArchives: "set youngArchives: \"delete\"",
  openUploads: "set openUploads: \"abort\"",
  runningJobs: "set runningJobs: \"ignore\"",
  uncertainDenials: "set uncertainDenials: \"try\""
}

/**
 * Formats a reason as a sentence: what was found, and what to do. A program whose users do not see the options of `Decommission`
 * gives remedies of its own, such as `use --abort-uploads`.
 *
 * @since 0.1.0
 * @category formatting
 */
export const formatReason = (reason: Reason, remedies: Remedies = options): string => {
  switch (reason._tag) {
    case "PolicyDenies": {
      const uncertain = reason.denials.some(({ certain }) => !certain)
      const denials = reason.denials.map(formatDenial).join("; ") +
        (uncertain ? `. To send the requests all the same, ${remedies.uncertainDenials}` : "")
      return Option.match(Option.zipWith(reason.archives, reason.until, (archives, until) => ({ archives, until })), {
        onNone: () => denials,
        onSome: ({ archives, until }) =>
          `${denials}. ${formatCount(archives, "archive")} ${verbOf(archives)} too young; all can be deleted from ${
            iso(until)
          }`
      })
    }
    case "AccessDenied":
      return `the service denied ${reason.operation}: ${reason.message}`
    case "YoungArchives": {
      const { archives, bytes, until } = reason.early
      return `${formatCount(archives, "archive")} (${formatBytes(bytes)}) ${verbOf(archives)} younger than 90 days. ` +
        `To delete ${archives === 1 ? "it" : "them"} now is billed as ${formatCost(reason.early)}. Wait until ${
          iso(until)
        }, or ${remedies.youngArchives}`
    }
    case "OpenUploads":
      return `${formatCount(reason.uploads.length, "multipart upload")} ${verbOf(reason.uploads.length)} open (${
        reason.uploads.slice(0, 3).map(({ uploadId }) => uploadId).join(", ")
      }${reason.uploads.length > 3 ? ", ..." : ""}). Complete or abort them, or ${remedies.openUploads}`
    case "RunningJobs":
      return `${formatCount(reason.jobs, "archive")} ${
        verbOf(reason.jobs)
      } being retrieved. Read the outputs first, or ${remedies.runningJobs}`
    case "Unproven":
      return `${formatCount(reason.archives, "archive")} (${formatBytes(reason.bytes)}) ${
        reason.archives === 1 ? "has" : "have"
      } no proof of a verified copy. Copy and verify them, and run the program again`
    case "DeletionsFailed":
      return `${formatCount(reason.archives, "archive")} could not be deleted: ${reason.message}`
  }
}

/**
 * A decommission has stopped, and the vault still exists. Run it again to resume it.
 *
 * @since 0.1.0
 * @category errors
 */
export class DecommissionStopped extends errorClass<DecommissionStopped>()("DecommissionStopped", {
  vaultName: VaultName,
  reason: Reason
}) {
  override get message(): string {
    return `The vault ${this.vaultName} was not deleted: ${formatReason(this.reason)}`
  }
}

type Failures<Name extends keyof typeof operations> = Failure<(typeof operations)[Name]>

/**
 * The errors of a decommission, besides those of its proof. `DecommissionStopped` has the reason for which it stopped.
 *
 * @since 0.1.0
 * @category errors
 */
export type RunError =
  | DecommissionStopped
  | InvalidInput
  | CheckpointError
  | CheckpointInUse
  | Vault.RetrieveError
  | JobWaiting.WaitError
  | JobFailed
  | Job.OutputError
  | ReadError
  | MalformedEntry
  | Failures<
    | "describeVault"
    | "listMultipartUploads"
    | "abortMultipartUpload"
    | "listJobs"
    | "getVaultLock"
    | "getVaultAccessPolicy"
    | "getVaultNotifications"
    | "listTagsForVault"
    | "deleteVault"
  >

/**
 * The settings of a vault that are deleted together with it. A setting is none if the credentials may not read it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  readonly notifications: Option.Option<boolean>
  readonly accessPolicy: Option.Option<boolean>
  /** The number of tags. */
  readonly tags: Option.Option<number>
  readonly lock: Option.Option<"InProgress" | "Locked" | "none">
}

/**
 * The contents of a vault besides its archives, and the counts of its last inventory.
 *
 * @since 0.1.0
 * @category models
 */
export interface Look {
  readonly vaultArn: string
  /** The date of the last inventory, with its counts. None until the first inventory. */
  readonly lastInventoryDate: Option.Option<DateTime.Utc>
  readonly archives: number
  /** The size in bytes, including the service's overhead for each archive. */
  readonly bytes: number
  readonly uploads: ReadonlyArray<OpenUpload>
  /** The number of jobs that retrieve archives and are in progress. */
  readonly runningJobs: number
  /** The number of archive retrievals whose output can still be read. */
  readonly readableOutputs: number
  readonly denials: ReadonlyArray<Denial>
  readonly settings: Settings
}

/**
 * The archives that are to be deleted: those of an inventory.
 *
 * @since 0.1.0
 * @category models
 */
export interface Listed {
  readonly archives: number
  readonly bytes: number
  /** The creation date of the youngest archive. */
  readonly youngest: Option.Option<DateTime.Utc>
  /** Those that are younger than 90 days, if there are any. */
  readonly early: Option.Option<Early>
}

/**
 * The archives of an inventory, with the number of archives without a proof.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReportedInventory extends Listed {
  /** The time at which the service took the inventory. */
  readonly inventoryDate: Option.Option<DateTime.Utc>
  readonly unproven: number
  readonly unprovenBytes: number
}

/**
 * A step of a decommission:
 *
 * - `check`: look at uploads, jobs and policies
 * - `list`: retrieve the inventory
 * - `delete`: delete the listed archives
 * - `wait`: wait for an inventory that was taken after the last deletion
 * - `deleteVault`: delete the vault
 * - `keepVault`: end with the empty vault
 *
 * @since 0.1.0
 * @category models
 */
export type Step = "check" | "list" | "delete" | "wait" | "deleteVault" | "keepVault"

/**
 * The next step, and the time at which it is expected to start.
 *
 * @since 0.1.0
 * @category models
 */
export interface Next {
  readonly step: Step
  readonly at: DateTime.Utc
}

/**
 * An event of a decommission:
 *
 * - `Checked`: uploads, jobs and policies were looked at. Emitted at each start.
 * - `UploadAborted`: an open multipart upload was aborted.
 * - `InventoryRequested`: a job retrieves the inventory of this round, or has retrieved it.
 * - `Planned`: the archives of the inventory are in the checkpoint. Nothing of this round is deleted before this event.
 * - `Progress`: the counts of this run. Emitted for each 1,000 archives, or each minute.
 * - `Emptied`: all archives of this round are deleted.
 * - `Waiting`: the program waits for the next inventory. Emitted once for each inventory.
 * - `VaultDeleted`: the vault is deleted, now or `before`. It is the last event.
 * - `VaultKept`: the last inventory lists no archives, or none was taken yet. It is the last event with `emptyVault: "keep"`.
 *
 * @since 0.1.0
 * @category models
 */
export type Event = Data.TaggedEnum<{
  readonly Checked: { readonly look: Look; readonly next: Next }
  readonly UploadAborted: { readonly uploadId: string; readonly next: Next }
  readonly InventoryRequested: { readonly round: number; readonly jobId: string; readonly next: Next }
  readonly Planned: { readonly round: number; readonly listed: Listed; readonly next: Next }
  readonly Progress: {
    readonly round: number
    /** The number of archives in the plan of this round, with those that earlier runs have deleted. */
    readonly archives: number
    readonly deleted: number
    readonly bytes: number
    readonly unproven: number
    readonly failed: number
    readonly next: Next
  }
  readonly Emptied: { readonly round: number; readonly archives: number; readonly next: Next }
  readonly Waiting: {
    readonly round: number
    readonly lastInventoryDate: Option.Option<DateTime.Utc>
    /** The time of the last deletion, if there was one. */
    readonly lastDeletion: Option.Option<DateTime.Utc>
    readonly next: Next
  }
  readonly VaultDeleted: { readonly vaultArn: string; readonly before: boolean }
  readonly VaultKept: { readonly vaultArn: string; readonly lastInventoryDate: Option.Option<DateTime.Utc> }
}>

/**
 * The constructors of events.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Event = Data.taggedEnum<Event>()

const steps: Readonly<Record<Step, string>> = {
  check: "look at the vault",
  list: "retrieve the inventory",
  delete: "delete archives",
  wait: "wait for the next inventory",
  deleteVault: "delete the vault",
  keepVault: "end with the empty vault"
}

/**
 * Formats a step as a text, such as `delete archives`.
 *
 * @since 0.1.0
 * @category formatting
 */
export const formatStep = (step: Step): string => steps[step]

const dateOf = Option.match({ onNone: () => "none", onSome: iso })

const textOf = (event: Event): string => {
  switch (event._tag) {
    case "Checked":
      return `${formatCount(event.look.archives, "archive")} in the inventory of ${
        dateOf(event.look.lastInventoryDate)
      }`
    case "UploadAborted":
      return `Aborted the multipart upload ${event.uploadId}`
    case "InventoryRequested":
      return `Round ${event.round}: the job ${event.jobId} retrieves the inventory`
    case "Planned": {
      const { archives, bytes } = event.listed
      return `Round ${event.round}: ${formatCount(archives, "archive")} (${formatBytes(bytes)}) to delete`
    }
    case "Progress":
      return `Round ${event.round}: deleted ${formatNumber(event.deleted)} of ${
        formatCount(event.archives, "archive")
      }` +
        (event.unproven > 0 ? `, ${formatNumber(event.unproven)} without a proof` : "") +
        (event.failed > 0 ? `, ${formatNumber(event.failed)} failed` : "")
    case "Emptied":
      return `Round ${event.round}: ${formatCount(event.archives, "archive")} deleted`
    case "Waiting":
      return `Waiting for an inventory; the last one is of ${dateOf(event.lastInventoryDate)}`
    case "VaultDeleted":
      return `${event.vaultArn} ${event.before ? "was deleted before" : "is deleted"}`
    case "VaultKept":
      return Option.match(event.lastInventoryDate, {
        onNone: () =>
          `${event.vaultArn} has no inventory yet. The service takes one about a day after the first archive is stored`,
        onSome: (date) => `${event.vaultArn} has no archives in the inventory of ${iso(date)}`
      })
  }
}

/**
 * Formats an event as a line for a terminal, with the next step and its time.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = (event: Event): string =>
  "next" in event ? `${textOf(event)}. Next: ${steps[event.next.step]}, ${iso(event.next.at)}` : textOf(event)
