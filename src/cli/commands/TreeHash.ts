/**
 * The command `effect-glacier tree-hash`: prints the tree hash of files, to compare with the tree hash of an archive.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as NodeHashing from "../../node/NodeHashing.ts"
import * as NodeTreeHash from "../../node/NodeTreeHash.ts"
import { formatCount } from "../../policy/Format.ts"
import * as TreeHash from "../../protocol/TreeHash.ts"
import * as CliCommand from "../CliCommand.ts"
import { SomeFailed } from "../Failures.ts"

const files = Args.text({ name: "file" }).pipe(
  Args.atLeast(1),
  Args.withDescription("The path of a file, or - for standard input")
)

/**
 * The command. It prints the tree hash and the path of each file, in the format of sha256sum. If it cannot read a file, it
 * prints the error and continues with the next file.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make("tree-hash", { files }, ({ files }) =>
  Effect.gen(function*() {
    const unread = yield* Effect.reduce(files, 0, (unread, file) =>
      (file === "-" ? TreeHash.ofStream(NodeStream.stdin) : NodeTreeHash.ofFile(file)).pipe(
        Effect.flatMap((treeHash) =>
          Console.log(`${treeHash}  ${file}`)
        ),
        Effect.as(unread),
        Effect.catchAll((error) =>
          Effect.as(Console.error(`${file}: ${error.description ?? error.message}`), unread + 1)
        )
      ))
    if (unread > 0) {
      return yield* new SomeFailed({
        message: `${unread} of ${formatCount(files.length, "file")} could not be read`
      })
    }
  }).pipe(Effect.provide(NodeHashing.layer))).pipe(CliCommand.toProgram({
    description: "Print the tree hash of each file",
    examples: [
      "effect-glacier tree-hash photos.tar",
      "gpg --decrypt photos.tar.gpg | effect-glacier tree-hash -"
    ]
  }))
