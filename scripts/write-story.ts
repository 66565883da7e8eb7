/** Writes docs/inherited-vault.md: runs the story of an inherited vault, and prints its commands and their outputs. */
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Effect } from "effect"
import { guideOf } from "../test/story/guide.ts"
import { run } from "../test/story/run.ts"

run(3_000).pipe(
  Effect.flatMap(({ folder, printed }) =>
    Effect.flatMap(
      FileSystem.FileSystem,
      (fs) => fs.writeFileString("docs/inherited-vault.md", guideOf(printed, folder))
    )
  ),
  Effect.scoped,
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain
)
