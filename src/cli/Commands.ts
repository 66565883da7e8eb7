/**
 * The commands of the program. Each is loaded when it is used, because loading all of them would take too long.
 *
 * @since 0.1.0
 */
import type { Program } from "./CliCommand.ts"

/**
 * A command: its name, the line about it in the help of the program, and its module.
 *
 * @since 0.1.0
 * @category models
 */
export interface Entry {
  readonly name: string
  readonly about: string
  readonly load: () => Promise<{ readonly program: Program }>
}

/**
 * The commands, in the order of the help.
 *
 * @since 0.1.0
 * @category commands
 */
export const commands: ReadonlyArray<Entry> = [
  { name: "vaults", about: "List the vaults", load: () => import("./commands/Vaults.ts") },
  {
    name: "inventory",
    about: "Retrieve or import the inventory of a vault",
    load: () => import("./commands/Inventory.ts")
  },
  { name: "doctor", about: "Check everything that the commands need", load: () => import("./commands/Doctor.ts") },
  { name: "tree-hash", about: "Print the tree hash of each file", load: () => import("./commands/TreeHash.ts") },
  { name: "emulator", about: "Run an emulator of Amazon Glacier", load: () => import("./commands/Emulator.ts") }
]
