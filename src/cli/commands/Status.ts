/**
 * The command `effect-glacier status`: the commands that run now, and the plans that are not finished.
 *
 * @since 0.1.0
 */
import * as Command from "@effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as CliCommand from "../CliCommand.ts"
import * as Globals from "../Globals.ts"
import { Output, type Result } from "../Output.ts"
import * as Plans from "../Plans.ts"
import * as Shell from "../Shell.ts"
import * as State from "../State.ts"
import * as Work from "../Work.ts"

const describeWork = (
  { account, region, vaultName: vault }: State.VaultState,
  { command, pid, progress, started, updated }: Work.Running
): Result => ({
  json: { type: "running", account, region, vault, command, pid, started, updated, progress },
  text: [
    `${vault} (${region}): effect-glacier ${command}`,
    `  process ${pid}, since ${DateTime.formatIso(started)}`,
    `  ${Work.format(progress)}`
  ].join("\n").trimEnd()
})

const describePlan = (
  { account, region, vaultName: vault }: State.VaultState,
  folder: string | undefined,
  plan: Plans.Plan
): Result => {
  const { endpoint, kind, made, name, profile } = plan
  const values = { vault, region, account, profile, endpoint, state: folder }
  const options = Object.entries(values).flatMap(([name, value]) => value === undefined ? [] : [`--${name}`, value])
  const command = `effect-glacier ${Plans.commandOf(plan)} ${Shell.join(options)}`
  return {
    json: { type: "plan", account, region, vault, name, kind, made, command },
    text: `${vault} (${region}): not finished since ${DateTime.formatIso(made)}. To continue:\n  ${command}`
  }
}

const ofVault = Effect.fnUntraced(function*(state: State.VaultState) {
  const running = yield* Work.running(state)
  const commands = running.map(({ command }) => command)
  const left = (yield* Plans.unfinished(state)).filter((plan) => !commands.includes(Plans.commandOf(plan)))
  const folder = Option.isSome((yield* Globals.Globals).state) ? yield* State.root : undefined
  return [
    ...running.map((work) => describeWork(state, work)),
    ...left.map((plan) => describePlan(state, folder, plan))
  ]
})

const print = Effect.gen(function*() {
  const { note, result } = yield* Output
  const all = (yield* Effect.forEach(yield* State.known, ofVault)).flat()
  if (all.length === 0) {
    yield* note("No command runs, and no plan is left to continue")
  }
  yield* Effect.forEach(all, result)
})

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "status",
  { globals: Globals.options },
  ({ globals }) => CliCommand.withGlobals(globals)(print)
).pipe(CliCommand.toProgram({
  description: "Show the commands that run in other terminals, and the plans that are not finished. Sends no request",
  examples: ["effect-glacier status", "effect-glacier status --json"]
}))
