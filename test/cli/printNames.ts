/** Prints the path of each archive id in its arguments, from the Synology mapping in the first argument. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Names from "../../src/cli/Names.ts"
import { ArchiveId } from "../../src/protocol/Names.ts"
import { TreeHash } from "../../src/protocol/TreeHash.ts"

const [file = "", ...ids] = process.argv.slice(2)

Names.make({ boto: false, synology: Option.some(file) }).pipe(
  Effect.flatMap((nameOf) =>
    Effect.forEach(ids, (id) =>
      Console.log(Option.match(
        nameOf({
          archiveId: Schema.decodeSync(ArchiveId)(id),
          description: "",
          creationDate: DateTime.unsafeMake(0),
          size: 0,
          treeHash: Schema.decodeSync(TreeHash)("0".repeat(64))
        }),
        { onNone: () => "none", onSome: ({ path }) => path }
      )))
  ),
  Effect.provide(NodeContext.layer),
  Effect.runPromise
)
