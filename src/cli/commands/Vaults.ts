/**
 * The command `effect-glacier vaults`: lists all vaults of the account in the region.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../client/GlacierClient.ts"
import * as Pages from "../../client/Pages.ts"
import * as NodeGlacier from "../../node/NodeGlacier.ts"
import { formatBytes, formatNumber } from "../../policy/Format.ts"
import type { VaultDescription } from "../../protocol/Vaults.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Globals from "../Globals.ts"
import { Output } from "../Output.ts"
import * as Table from "../Table.ts"

/** The lock and the policy, each as a word: `unknown` if the credentials may not read it. */
const settingsOf = Effect.fnUntraced(function*(vaultName: string, accountId: string | undefined) {
  const glacier = yield* GlacierClient
  const lock = yield* glacier.getVaultLock({ vaultName, accountId }).pipe(
    Effect.map(({ state }) => state === "Locked" ? "locked" : "in progress"),
    Effect.catchTags({ VaultLockNotSet: () => Effect.succeed("none"), AccessDenied: () => Effect.succeed("unknown") })
  )
  const policy = yield* Effect.as(glacier.getVaultAccessPolicy({ vaultName, accountId }), "set").pipe(
    Effect.catchTags({
      AccessPolicyNotSet: () => Effect.succeed("none"),
      AccessDenied: () => Effect.succeed("unknown")
    })
  )
  return { lock, policy }
})

/** A count of the last inventory, which a vault does not have at first. */
const shown = (format: (value: number) => string) => Option.match({ onNone: () => "none", onSome: format })

const rowOf = Effect.fnUntraced(function*(vault: VaultDescription, accountId: string | undefined) {
  const { lock, policy } = yield* settingsOf(vault.vaultName, accountId)
  const inventory = Option.getOrNull(Option.map(vault.lastInventoryDate, DateTime.formatIso))
  const created = DateTime.formatIso(vault.creationDate)
  return {
    json: {
      vault: vault.vaultName,
      archives: Option.getOrNull(vault.numberOfArchives),
      bytes: Option.getOrNull(vault.sizeInBytes),
      inventory,
      created,
      lock,
      policy
    },
    cells: [
      vault.vaultName,
      shown(formatNumber)(vault.numberOfArchives),
      shown(formatBytes)(vault.sizeInBytes),
      inventory?.slice(0, 10) ?? "none",
      created.slice(0, 10),
      lock,
      policy
    ]
  }
})

const list = Effect.gen(function*() {
  const accountId = Option.getOrUndefined((yield* Globals.Globals).account)
  const { heading, note, results } = yield* Output
  const rows = yield* Pages.vaults({ accountId }).pipe(
    Stream.mapEffect((vault) => rowOf(vault, accountId), { concurrency: 8 }),
    Stream.runCollect
  )
  if (rows.length === 0) return yield* note("There are no vaults in this region. Choose another by --region")
  const [titles = "", ...lines] = Table.format(
    ["VAULT", "ARCHIVES", "SIZE", "INVENTORY", "CREATED", "LOCK", "POLICY"],
    Array.from(rows, ({ cells }) => cells),
    ["left", "right", "right"]
  )
  yield* heading(titles)
  yield* results(Stream.fromIterable(Array.from(rows, ({ json }, row) => ({ json, text: lines[row] ?? "" }))))
}).pipe(Effect.provide(NodeGlacier.layer))

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "vaults",
  { globals: Globals.options },
  ({ globals }) => CliCommand.withGlobals(globals)(list)
).pipe(CliCommand.toProgram({
  description: "List the vaults, with the counts of their last inventories",
  examples: ["effect-glacier vaults", "effect-glacier vaults --region eu-west-1 --json"]
}))
