/**
 * Empties and deletes a vault: deletes the archives of a full inventory, waits for the next inventory, deletes the archives
 * that were stored meanwhile, and deletes the vault as soon as the service allows it. This takes days. The state is in the
 * `Checkpoint` in use, so the program can be stopped and started again at any time.
 *
 * **Deleted archives cannot be restored.** Look at `dryRun` first, and use `proof` if copies of the archives must exist.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { GlacierClient } from "../client/GlacierClient.ts"
import { formatBytes, formatCount } from "../policy/Format.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import { check, Concurrency } from "../protocol/InputCheck.ts"
import type { Entry } from "../protocol/Inventory.ts"
import { AccountId, VaultName } from "../protocol/Names.ts"
import type { Checkpoint, CheckpointError, CheckpointInUse } from "../transfer/Checkpoint.ts"
import type { Event, Look, Next, Reason, Remedies, ReportedInventory, RunError } from "./DecommissionEvent.ts"
import { formatReason, formatStep } from "./DecommissionEvent.ts"
import * as DecommissionLog from "./internal/decommissionLog.ts"
import * as DecommissionReport from "./internal/decommissionReport.ts"
import * as DecommissionRun from "./internal/decommissionRun.ts"
import * as Vault from "./Vault.ts"

/**
 * Options that a run and a dry run have in common.
 *
 * @since 0.1.0
 * @category models
 */
export interface DryRunOptions<E = never, R = never> {
  /** The owner of the vault, if it is not the account of the credentials. */
  readonly accountId?: string | undefined
  /**
   * Returns whether a verified copy of an archive exists. It runs immediately before the deletion of each archive. An archive
   * without a proof is never deleted. Default: no archive needs a proof.
   */
  readonly proof?: ((archive: Entry) => Effect.Effect<boolean, E, R>) | undefined
  /** The number of concurrent deletions or proofs. Default: 8. The `RatePolicy` in use paces the requests. */
  readonly concurrency?: number | undefined
  /** Archives younger than 90 days, whose deletion AWS bills. Default: `stop`. */
  readonly youngArchives?: "stop" | "delete" | undefined
  /** The price of storage, to compute the cost of deleting young archives. */
  readonly pricePerGiBMonth?: number | undefined
  /** Open multipart uploads. Default: `stop`. */
  readonly openUploads?: "stop" | "abort" | undefined
  /** Jobs that retrieve archives. Their outputs are lost with the vault. Default: `stop`. */
  readonly runningJobs?: "stop" | "ignore" | undefined
  /**
   * Policies that may deny a deletion, but not to everybody or not always. `try` sends the requests, and stops when the service
   * denies one. A policy that certainly denies always stops the program. Default: `stop`.
   */
  readonly uncertainDenials?: "stop" | "try" | undefined
  /**
   * The vault, once an inventory is empty. With `keep`, the last event is `VaultKept`, and a later run with `delete` continues
   * from there. Default: `delete`.
   */
  readonly emptyVault?: "delete" | "keep" | undefined
}

/**
 * Options of a run.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<E = never, R = never> extends DryRunOptions<E, R> {
  /** The name of the checkpoint. Default: `decommission of vault NAME`. */
  readonly name?: string | undefined
  /**
   * Receives each archive after the service has deleted it, and before the checkpoint records this. So it may receive an archive
   * again, in the next run, but misses none. If it fails, the Stream fails.
   */
  readonly onDeleted?: ((archive: Entry) => Effect.Effect<void, E, R>) | undefined
  /** The time between two requests for the date of the last inventory. Default: 1 hour. */
  readonly every?: Duration.DurationInput | undefined
}

const nameOf = (vaultName: string, { name }: { readonly name?: string | undefined }): string =>
  name ?? `decommission of vault ${vaultName}`

const Price = Schema.UndefinedOr(Schema.NonNegative)

/** Checks the options, and completes them by the defaults. */
const checkOptions = Effect.fnUntraced(function*<E, R>(vaultName: string, options: DryRunOptions<E, R>) {
  const name = yield* check("decommission", "vaultName", VaultName, vaultName)
  const accountId = yield* check("decommission", "accountId", Schema.UndefinedOr(AccountId), options.accountId)
  const { emptyVault = "delete" } = options
  return {
    address: { vaultName: name, accountId },
    vault: yield* Vault.make(name, { accountId }),
    concurrency: yield* check("decommission", "concurrency", Concurrency, options.concurrency ?? 8),
    pricePerGiBMonth: yield* check("decommission", "pricePerGiBMonth", Price, options.pricePerGiBMonth),
    proof: options.proof,
    youngArchives: options.youngArchives ?? "stop",
    openUploads: options.openUploads ?? "stop",
    runningJobs: options.runningJobs ?? "stop",
    uncertainDenials: options.uncertainDenials ?? "stop",
    emptyVault,
    lastStep: emptyVault === "keep" ? "keepVault" as const : "deleteVault" as const
  }
})

/**
 * Empties and deletes the vault with this name (or keeps it: `emptyVault`), and emits events with the next step and its time. The program proceeds only
 * when its consumer pulls the next event, so a consumer that ends at `Planned` deletes nothing.
 *
 * A round retrieves the inventory, deletes its archives, and waits for an inventory that was taken after the last deletion.
 * The archives that the next inventory lists are those of the next round. When an inventory is empty, the vault is deleted,
 * with its notification configuration, access policy and tags.
 *
 * - Only archives of an inventory are deleted, and only uploads are aborted that were listed (`openUploads: "abort"`).
 * - The Stream fails with `DecommissionStopped` when it may not or cannot continue, so a program cannot mistake this for
 *   success. The reason is data. Uploads and jobs are checked at each start and before the vault is deleted.
 * - After a failure, an interruption or a crash, the next run resumes: it uses the inventory job and the plan of its round,
 *   and skips what is deleted. The checkpoint remains after the end. If a vault of that name exists again, the next run
 *   starts from the beginning.
 * - Memory does not grow with the number of archives. A wait of days holds the state of the round only.
 *
 * A program that writes to the vault meanwhile delays the end. Between the last list of uploads and the deletion of the vault,
 * an upload could be opened; stop the programs that write to the vault first.
 *
 * @since 0.1.0
 * @category running
 * @example
 * import { Decommission, DecommissionEvent } from "effect-glacier"
 * import { NodeCheckpoint, NodeGlacier } from "effect-glacier/node"
 * import { Console, Effect, Stream } from "effect"
 *
 * const program = Decommission.run("photos", { youngArchives: "delete" }).pipe(
 *   Stream.runForEach((event) => Console.log(DecommissionEvent.format(event))),
 *   Effect.catchTag("DecommissionStopped", ({ message }) => Console.error(message)),
 *   Effect.provide([NodeGlacier.layer, NodeCheckpoint.layer("checkpoints")])
 * )
 */
export const run = <E = never, R = never>(
  vaultName: string,
  options: Options<E, R> = {}
): Stream.Stream<Event, RunError | E, GlacierClient | Checkpoint | R> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const checked = yield* checkOptions(vaultName, options)
    return DecommissionRun.events({
      ...checked,
      log: yield* DecommissionLog.open(nameOf(vaultName, options)),
      onDeleted: options.onDeleted,
      every: Duration.decode(options.every ?? "1 hour"),
      denials: [],
      announced: undefined,
      foundEmpty: false,
      isKept: false,
      lostJobs: 0
    })
  })).pipe(Stream.provideService(RetryPolicy.Default, RetryPolicy.patient))

/**
 * Removes the checkpoint of a decommission, so that the next run starts from the beginning. Deletes nothing in the vault.
 * Fails with `CheckpointInUse` while the decommission runs.
 *
 * @since 0.1.0
 * @category removing
 */
export const clear = (
  vaultName: string,
  options: { readonly name?: string | undefined } = {}
): Effect.Effect<void, CheckpointError | CheckpointInUse, Checkpoint> =>
  DecommissionLog.clear(nameOf(vaultName, options))

/**
 * The result of a dry run.
 *
 * @since 0.1.0
 * @category models
 */
export interface Report {
  readonly vaultName: string
  readonly look: Look
  /** The archives to delete. None if the vault is empty, or its first inventory is not taken yet. */
  readonly inventory: Option.Option<ReportedInventory>
  /** The reasons for which a run with the same options would stop. */
  readonly stops: ReadonlyArray<Reason>
  /**
   * The steps of a run that starts now, and when they are expected to start. If the service has taken no inventory yet, the
   * first step after the check is `deleteVault`, and the others follow only if the service rejects that.
   */
  readonly steps: ReadonlyArray<Next>
}

/**
 * Reports everything that a first run with the same options would do, and changes nothing. Retrieves the inventory by a job, or
 * reuses a job, so it takes some hours. A run within the next day uses the same job.
 *
 * @since 0.1.0
 * @category running
 */
export const dryRun: <E = never, R = never>(
  vaultName: string,
  options?: DryRunOptions<E, R>
) => Effect.Effect<Report, Exclude<RunError, { readonly _tag: "DecommissionStopped" }> | E, GlacierClient | R> = Effect
  .fn(
    "Decommission.dryRun"
  )(function*<E, R>(vaultName: string, options: DryRunOptions<E, R> = {}) {
    const report = yield* DecommissionReport.make(yield* checkOptions(vaultName, options)).pipe(
      Effect.provideService(RetryPolicy.Default, RetryPolicy.patient)
    )
    return { vaultName, ...report }
  })

const formatInventory = (inventory: ReportedInventory): ReadonlyArray<string> => {
  const { archives, bytes, early, unproven, youngest } = inventory
  return [
    `To delete: ${formatCount(archives, "archive")}, ${formatBytes(bytes)}`,
    ...Option.toArray(Option.map(youngest, (date) => `Youngest archive: ${DateTime.formatIso(date)}`)),
    ...Option.toArray(
      Option.map(
        early,
        ({ archives, cost, gibMonths }) =>
          `Younger than 90 days: ${formatCount(archives, "archive")}, billed as ${gibMonths.toFixed(3)} GiB-months${
            Option.match(cost, {
              onNone: () => "",
              onSome: (cost) => ` (${cost.toFixed(2)})`
            })
          }`
      )
    ),
    ...(unproven === 0 ? [] : [`Without a proof: ${formatCount(unproven, "archive")}, which will not be deleted`])
  ]
}

const formatSettings = ({ settings: { accessPolicy, lock, notifications, tags } }: Look): string => {
  const known = <A>(setting: Option.Option<A>, text: (value: A) => string | undefined, name: string) =>
    Option.match(setting, { onNone: () => `${name} (not readable)`, onSome: text })
  const parts = [
    known(
      notifications,
      (found) => found ? "the notification configuration" : undefined,
      "the notification configuration"
    ),
    known(accessPolicy, (found) => found ? "the access policy" : undefined, "the access policy"),
    known(lock, (state) => state === "none" ? undefined : `the vault lock (${state})`, "the vault lock"),
    known(tags, (count) => count === 0 ? undefined : formatCount(count, "tag"), "the tags")
  ].filter((part) => part !== undefined)
  return `Deleted with the vault: ${parts.length === 0 ? "no settings" : parts.join(", ")}`
}

/**
 * Formats a report as lines for a terminal. `remedies` are those of `formatReason`.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = ({ inventory, look, steps, stops, vaultName }: Report, remedies?: Remedies): string =>
  [
    `Vault ${vaultName}: ${
      Option.match(look.lastInventoryDate, {
        onNone: () => "no inventory yet",
        onSome: (date) => `${formatCount(look.archives, "archive")} in the inventory of ${DateTime.formatIso(date)}`
      })
    }`,
    ...Option.match(inventory, { onNone: () => [], onSome: formatInventory }),
    `Open multipart uploads: ${look.uploads.length}. Retrievals in progress: ${look.runningJobs}. ` +
    `Readable outputs: ${look.readableOutputs}`,
    ...(steps.some(({ step }) => step === "deleteVault") ? [formatSettings(look)] : []),
    ...stops.map((reason) => `Stops: ${formatReason(reason, remedies)}`),
    "Steps:",
    ...steps.map(({ at, step }) => `  ${DateTime.formatIso(at)}  ${formatStep(step)}`)
  ].join("\n")
