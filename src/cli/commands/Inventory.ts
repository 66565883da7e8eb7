/**
 * The command `effect-glacier inventory`: retrieves the inventory of a vault, or imports one, and keeps it.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as NodeGlacier from "../../node/NodeGlacier.ts"
import { formatBytes, formatCount } from "../../policy/Format.ts"
import * as Vault from "../../services/Vault.ts"
import * as CliCommand from "../CliCommand.ts"
import { NotReady } from "../Failures.ts"
import * as Globals from "../Globals.ts"
import * as Inventories from "../Inventories.ts"
import * as JobTracking from "../JobTracking.ts"
import { Output } from "../Output.ts"
import * as State from "../State.ts"
import * as Work from "../Work.ts"

/** Prints what is kept. */
const report = Effect.fnUntraced(function*(
  { vaultName }: State.VaultState,
  { archives, asOf, bytes, format, path }: Inventories.Kept & { readonly archives: number; readonly bytes: number }
) {
  const { note, result } = yield* Output
  const date = DateTime.formatIso(asOf)
  yield* result({
    json: { vault: vaultName, archives, bytes, asOf: date, path },
    text: `${vaultName}: ${formatCount(archives, "archive")}, ${formatBytes(bytes)}, as of ${date}`
  })
  if (format === "CSV") yield* note(`${date} is ${Inventories.csvDate}`)
})

/** How long the output of a job must not expire, so that it can be read. */
const reuse: Vault.ReuseInventory = { lasts: "1 hour" }

const retrieve = (wait: boolean) =>
  State.withVault(Effect.fnUntraced(function*(state) {
    const vault = yield* Vault.Vault
    const { note } = yield* Output
    if ((yield* Globals.Globals).dryRun) {
      return yield* note(`This would retrieve the inventory of the vault ${vault.name}`)
    }
    const job = yield* vault.retrieveInventory({ reuse })
    const { completed, creationDate } = yield* job.describe
    if (!completed && !wait) {
      return yield* new NotReady({
        message:
          `The inventory was requested at ${DateTime.formatIso(creationDate)}, which usually takes 3 to 5 hours. ` +
          `Run the command again after ${DateTime.formatIso(DateTime.add(creationDate, { hours: 4 }))}, or use --wait`
      })
    }
    if (!completed) yield* note(`The inventory was requested at ${DateTime.formatIso(creationDate)}. Waiting for it`)
    const kept = yield* Work.run(state, wait ? "inventory --wait" : "inventory", (work) =>
      Effect.zipRight(
        job.wait().pipe(
          JobTracking.track(1, ({ count, next }) =>
            work.update(() => ({ jobs: count, next: Option.getOrUndefined(next) })))
        ),
        Inventories.keep(state, job.output())
      ))
    yield* report(state, kept)
  })).pipe(Effect.provide(NodeGlacier.layer))

/** The vault of a document: that in its head, else the one in the options. */
const importFile = Effect.fnUntraced(function*(path: string) {
  const { head } = yield* Inventories.headOf(path)
  const state = yield* Option.match(head, {
    onNone: () => Effect.provide(Effect.map(State.online, ({ state }) => state), NodeGlacier.layer),
    onSome: ({ vaultArn }) => State.ofArn(vaultArn)
  })
  if ((yield* Globals.Globals).dryRun) {
    const { note } = yield* Output
    return yield* note(`This would keep ${path} as the inventory of the vault ${state.vaultName} (${state.region})`)
  }
  yield* Effect.flatMap(Inventories.keep(state, Inventories.bytesOf(path)), (kept) => report(state, kept))
})

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "inventory",
  {
    wait: Options.boolean("wait").pipe(Options.withDescription("Wait for the inventory, for 3 to 5 hours")),
    file: Options.file("import", { exists: "yes" }).pipe(
      Options.optional,
      Options.withDescription("Keep the inventory in this file, JSON or CSV, that another program has saved")
    ),
    globals: Globals.options
  },
  ({ file, globals, wait }) =>
    CliCommand.withGlobals(globals)(Effect.gen(function*() {
      if (Option.isSome(file)) return yield* importFile(file.value)
      return yield* retrieve(wait)
    }))
).pipe(CliCommand.toProgram({
  description: "Retrieve the inventory of a vault, or import one, and keep it for the other commands",
  examples: [
    "effect-glacier inventory --vault photos --wait",
    "effect-glacier inventory --vault photos --import inventory.csv"
  ]
}))
