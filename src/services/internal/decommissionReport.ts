/**
 * Looks at everything that a decommission would do, and changes nothing.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { VaultAddress } from "../../protocol/Vaults.ts"
import type { Look as Found, Next, Reason, ReportedInventory } from "../DecommissionEvent.ts"
import type * as DeletionPlan from "../DeletionPlan.ts"
import type * as Vault from "../Vault.ts"
import * as Look from "./decommissionLook.ts"
import * as Tally from "./decommissionTally.ts"

/** The settings of a dry run. */
export interface DryRun<E, R> extends Look.Choices, Pick<DeletionPlan.RunOptions<E, R>, "proof"> {
  readonly vault: Vault.Service
  readonly address: VaultAddress
  readonly concurrency: number
  readonly youngArchives: "stop" | "delete"
  readonly lastStep: "deleteVault" | "keepVault"
  readonly pricePerGiBMonth: number | undefined
}

/** Reads the last inventory, and checks each archive. Returns none if the service has taken no inventory yet. */
const readInventory = Effect.fnUntraced(function*<E, R>(dryRun: DryRun<E, R>, denials: Found["denials"]) {
  const { concurrency, pricePerGiBMonth, proof, vault } = dryRun
  const job = yield* vault.retrieveInventory({ reuse: { lasts: "1 hour", maxAge: 0 } })
  yield* job.wait()
  const { archives, inventoryDate } = yield* job.inventory
  let unproven = 0
  let unprovenBytes = 0
  const checked = proof === undefined ?
    archives() :
    Stream.mapEffect(archives(), (archive) =>
      Effect.map(proof(archive), (proven) => {
        if (!proven) {
          unproven += 1
          unprovenBytes += archive.size
        }
        return archive
      }), { concurrency })
  const tally = yield* Tally.count(checked, denials, pricePerGiBMonth)
  const inventory: ReportedInventory = { ...tally.listed, inventoryDate, unproven, unprovenBytes }
  return { tally, inventory }
})

/** The steps of a run that starts now. */
const stepsOf = (
  now: DateTime.Utc,
  { archives, lastInventoryDate }: Found,
  lastStep: DryRun<never, never>["lastStep"]
): ReadonlyArray<Next> => {
  const step = (step: Next["step"], after: Duration.DurationInput = 0): Next => ({
    step,
    at: DateTime.addDuration(now, after)
  })
  if (Option.isNone(lastInventoryDate) && lastStep === "deleteVault") {
    return [
      ...[step("check"), step("deleteVault"), step("wait")],
      ...[step("list", "1 day"), step("delete", "1 day"), step("wait", "1 day"), step("deleteVault", "2 days")]
    ]
  }
  return archives === 0
    ? [step("check"), step(lastStep)]
    : [step("check"), step("list"), step("delete"), step("wait"), step(lastStep, "1 day")]
}

/** Makes the parts of a report. */
export const make = Effect.fnUntraced(function*<E, R>(dryRun: DryRun<E, R>) {
  const look = yield* Look.look(dryRun.vault, dryRun.address)
  const isListed = Option.isSome(look.lastInventoryDate) && look.archives > 0
  const read = !isListed ? Option.none() : yield* Effect.asSome(readInventory(dryRun, look.denials)).pipe(
    Effect.catchTag("InventoryNotReady", () => Effect.succeedNone)
  )
  const stops: ReadonlyArray<Reason> = [
    ...Look.reasons(look, dryRun),
    ...Option.match(read, {
      onNone: () => [],
      onSome: ({ inventory: { unproven, unprovenBytes }, tally }): ReadonlyArray<Reason> => [
        ...Tally.reasons(tally, dryRun.youngArchives),
        ...(unproven > 0 ? [{ _tag: "Unproven" as const, archives: unproven, bytes: unprovenBytes }] : [])
      ]
    })
  ]
  return {
    look,
    inventory: Option.map(read, ({ inventory }) => inventory),
    stops,
    steps: stepsOf(yield* DateTime.now, look, dryRun.lastStep)
  }
})
