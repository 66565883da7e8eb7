/**
 * The command `effect-glacier move`: retrieves archives to a bucket.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Destination from "../../services/Destination.ts"
import type * as RetrievalPlan from "../../services/RetrievalPlan.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Copies from "../Copies.ts"
import * as Globals from "../Globals.ts"
import { Output } from "../Output.ts"
import * as Places from "../Places.ts"
import type * as Plans from "../Plans.ts"
import type { VaultState } from "../State.ts"

const args = Args.text({ name: "glob-then-url" }).pipe(
  Args.atLeast(1),
  Args.withDescription(
    "Patterns such as 'photos/2014/**' or ids (default: all archives), and at the end s3://BUCKET/PREFIX"
  )
)

const encode = Schema.encodeSync(Destination.Proof)

/** Writes a file that says where each archive is, and by which hashes this is known. */
const writeProofs = Effect.fnUntraced(function*({ plans }: VaultState, { name }: Plans.Plan, plan: RetrievalPlan.Plan) {
  const fs = yield* FileSystem.FileSystem
  const file = `${plans}/${name}.proofs.jsonl`
  const lines = Stream.map(
    plan.proofs,
    ({ archive: { archiveId }, proof }) => `${JSON.stringify({ archiveId, ...encode(proof) })}\n`
  )
  yield* Stream.run(Stream.encodeText(lines), fs.sink(file))
  yield* Effect.flatMap(Output, ({ note }) => note(`The proofs are in ${file}`))
})

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "move",
  {
    args,
    globals: Globals.options,
    ...Places.bucketOptions,
    storageClass: Options.text("storage-class").pipe(
      Options.optional,
      Options.withDescription("The storage class of new objects, such as DEEP_ARCHIVE. Default: that of the store")
    ),
    readBack: Options.choice("read-back", ["none", "sample", "all"]).pipe(
      Options.withDefault("none" as const),
      Options.withDescription(
        "The bytes of each new object that are read again. The store has compared all when it got them"
      )
    ),
    ...Copies.options
  },
  ({ args, globals, overwrite, readBack, storageClass, ...wanted }) =>
    CliCommand.withGlobals(globals)(Copies.make((state) =>
      Effect.map(
        Places.bucket(args.at(-1) ?? "", state, wanted),
        (place): Copies.Wanted => ({
          ...wanted,
          kind: "move",
          globs: args.slice(0, -1),
          place: { ...place, storageClass: Option.getOrUndefined(storageClass) },
          writing: { overwrite, readBack }
        })
      ), writeProofs))
).pipe(CliCommand.toProgram({
  description: "Retrieve archives to a bucket of S3 or another object store, within a budget. The same command resumes",
  examples: [
    "effect-glacier move --vault photos s3://my-archives/photos --tier Bulk --storage-class DEEP_ARCHIVE",
    "effect-glacier move --vault photos '2014/**' s3://films --s3-endpoint https://minio.example.com --path-style"
  ]
}))
