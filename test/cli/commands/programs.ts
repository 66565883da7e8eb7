/** Runs commands as processes, for a vault of the emulator in the context. */
import { Effect, Option, Schedule, Stream } from "effect"
import { join } from "node:path"
import * as NodeEmulator from "../../../src/node/NodeEmulator.ts"
import * as ArchiveName from "../../../src/protocol/ArchiveName.ts"
import * as Vault from "../../../src/services/Vault.ts"
import * as Source from "../../../src/transfer/Source.ts"
import { temporaryFolder } from "../../support/folders.ts"
import { runProgramIn } from "../../support/processes.ts"
import { runOnTerminal, type Typed } from "../../support/terminal.ts"
import { environment } from "../emulator.ts"

/** Runs a command until it ends. */
type Run = (...args: ReadonlyArray<string>) => Effect.Effect<
  { readonly code: number | null; readonly stdout: string; readonly stderr: string }
>

/** Makes an empty vault, and a state folder. */
export const makePrograms = (vaultName: string) =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const vault = yield* Vault.make(vaultName)
    yield* vault.create
    const env = { ...yield* environment(join(folder, "state")), EFFECT_GLACIER_VAULT: vaultName }
    const start = (...args: ReadonlyArray<string>) => runProgramIn(env, args)
    const run: Run = (...args) => Effect.scoped(Effect.flatMap(start(...args), ({ exit }) => exit))
    return {
      /** A folder for files of the test. The state folder is `state` in it. */
      folder,
      env,
      vault,
      start,
      run,
      /** Runs a command on a terminal, until it ends. */
      type: (input: ReadonlyArray<Typed>, ...args: ReadonlyArray<string>) =>
        Effect.scoped(Effect.flatMap(runOnTerminal(args, { env, input }), ({ exit }) => exit))
    }
  })

/** Stores archives with these descriptions, each of as many bytes as the description has characters. */
export const storeAll = ({ upload }: Vault.Service, descriptions: ReadonlyArray<string>) =>
  Effect.forEach(
    descriptions,
    (description) => upload(Source.bytes(new TextEncoder().encode(description)), { description }),
    { concurrency: 8 }
  )

/** An emulator whose jobs are done at once, and whose inventories are always new. */
export const emulator = NodeEmulator.layer({ jobDelay: 0, inventoryDelay: 0 })

/** The archives of a vault. */
export const archivesOf = ({ retrieveInventory }: Vault.Service) =>
  Effect.gen(function*() {
    const job = yield* retrieveInventory()
    yield* job.wait()
    const { archives } = yield* job.inventory
    return Array.from(yield* Stream.runCollect(archives()))
  }).pipe(Effect.catchTag("InventoryNotReady", () => Effect.succeed([])))

/** The paths of the archives of a vault, sorted. */
export const pathsOf = (vault: Vault.Service) =>
  Effect.map(
    archivesOf(vault),
    (archives) =>
      archives.map(({ description }) =>
        Option.match(ArchiveName.read(description), { onNone: () => description, onSome: ({ path }) => path })
      ).sort()
  )

/** Waits until the number of archives of a vault meets a condition. */
export const until = ({ describe }: Vault.Service, condition: (archives: number) => boolean) =>
  Effect.repeat(describe, {
    until: ({ numberOfArchives }) => condition(Option.getOrElse(numberOfArchives, () => 0)),
    schedule: Schedule.spaced("1 millis")
  })

/** The objects in lines of JSON. */
export const jsonLines = (text: string): ReadonlyArray<Record<string, unknown>> =>
  text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))
