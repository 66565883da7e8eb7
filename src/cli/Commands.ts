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
  { name: "ls", about: "List archives with states, sizes, dates and names", load: () => import("./commands/Ls.ts") },
  { name: "find", about: "Print the names of archives that meet conditions", load: () => import("./commands/Find.ts") },
  { name: "du", about: "Add up the archives in each folder", load: () => import("./commands/Du.ts") },
  { name: "quote", about: "Show what a retrieval costs in each tier", load: () => import("./commands/Quote.ts") },
  {
    name: "retrieve",
    about: "Start the jobs of a retrieval, and no more",
    load: () => import("./commands/Retrieve.ts")
  },
  { name: "get", about: "Retrieve archives to a folder", load: () => import("./commands/Get.ts") },
  { name: "move", about: "Retrieve archives to a bucket", load: () => import("./commands/Move.ts") },
  { name: "verify", about: "Check copies without retrieving", load: () => import("./commands/Verify.ts") },
  { name: "delete", about: "Delete archives that have a verified copy", load: () => import("./commands/Delete.ts") },
  { name: "empty", about: "Empty a vault, and delete it", load: () => import("./commands/Empty.ts") },
  { name: "upload", about: "Store files, one archive for each", load: () => import("./commands/Upload.ts") },
  {
    name: "uploads",
    about: "List or abort the open multipart uploads of a vault",
    load: () => import("./commands/Uploads.ts")
  },
  { name: "jobs", about: "List the jobs of a vault", load: () => import("./commands/Jobs.ts") },
  {
    name: "status",
    about: "Show the commands that run, and plans to continue",
    load: () => import("./commands/Status.ts")
  },
  {
    name: "lock",
    about: "Show, begin, test and complete the lock of a vault",
    load: () => import("./commands/Lock.ts")
  },
  { name: "policy", about: "Show or change the access policy of a vault", load: () => import("./commands/Policy.ts") },
  { name: "tags", about: "Show or change the tags of a vault", load: () => import("./commands/Tags.ts") },
  {
    name: "notifications",
    about: "Show or change the notifications of a vault",
    load: () => import("./commands/Notifications.ts")
  },
  { name: "doctor", about: "Check everything that the commands need", load: () => import("./commands/Doctor.ts") },
  { name: "tree-hash", about: "Print the tree hash of each file", load: () => import("./commands/TreeHash.ts") },
  { name: "emulator", about: "Run an emulator of Amazon Glacier", load: () => import("./commands/Emulator.ts") }
]
