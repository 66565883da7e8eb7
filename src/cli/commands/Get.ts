/**
 * The command `effect-glacier get`: retrieves archives to a folder.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Arguments from "../Arguments.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Copies from "../Copies.ts"
import { Usage } from "../Failures.ts"
import * as Globals from "../Globals.ts"
import * as Places from "../Places.ts"

const args = Args.text({ name: "glob-then-folder" }).pipe(
  Args.atLeast(1),
  Args.withDescription("Patterns such as 'photos/2014/**' or ids (default: all archives), and at the end the folder")
)

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "get",
  { args, globals: Globals.options, ...Copies.options },
  ({ args, globals, overwrite, ...wanted }) =>
    CliCommand.withGlobals(globals)(Effect.gen(function*() {
      const path = args.at(-1) ?? ""
      if (Places.isUrl(path)) {
        return yield* new Usage({ message: `${path} is not a folder. To copy to a bucket, use effect-glacier move` })
      }
      // If the folder is forgotten, the pattern would be the folder, and all archives would be selected.
      if (
        /[*?[{]|^[\w-]{138}$/.test(path) && !(yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.exists(path)))
      ) {
        return yield* new Usage({
          message: `${path} is a pattern or an id, and there is no folder with this name: give the folder at the end`
        })
      }
      yield* Arguments.checkFolder(path, "the last argument")
      const place = yield* Places.folder(path)
      const writing = { overwrite, readBack: "none" } as const
      const globs = args.slice(0, -1)
      yield* Copies.make(() => Effect.succeed({ ...wanted, kind: "get", globs, place, writing }), () => Effect.void)
    }))
).pipe(CliCommand.toProgram({
  description: "Retrieve archives to a folder, within a budget. The same command resumes after an interruption",
  examples: [
    "effect-glacier get --vault photos '2014/**' restored --tier Bulk",
    "effect-glacier get --vault photos restored --unnamed-by-id --all-versions --max-cost 20 --bytes-per-day 100GiB"
  ]
}))
