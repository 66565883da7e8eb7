/**
 * The command `effect-glacier uploads`: lists the open multipart uploads of a vault, or aborts them.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as NodeGlacier from "../../node/NodeGlacier.ts"
import { formatBytes, formatCount, formatSeconds } from "../../policy/Format.ts"
import * as ArchiveName from "../../protocol/ArchiveName.ts"
import type { UploadDescription } from "../../protocol/Uploads.ts"
import * as Vault from "../../services/Vault.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Confirm from "../Confirm.ts"
import { StateError } from "../Failures.ts"
import * as Globals from "../Globals.ts"
import { Output } from "../Output.ts"
import { printable } from "../Printable.ts"
import * as State from "../State.ts"
import * as Table from "../Table.ts"

const rowOf = (now: DateTime.Utc) => ({ archiveDescription, creationDate, partSize, uploadId }: UploadDescription) => {
  const description = Option.getOrElse(archiveDescription, () => "")
  const name = Option.getOrNull(Option.map(ArchiveName.read(description), ({ path }) => path))
  return {
    json: { uploadId, name, description, partSize, created: DateTime.formatIso(creationDate) },
    cells: [
      formatSeconds(DateTime.distanceDuration(creationDate, now)),
      formatBytes(partSize),
      printable(name ?? description),
      uploadId
    ]
  }
}

const print = Effect.fnUntraced(function*(uploads: ReadonlyArray<UploadDescription>) {
  const { heading, results } = yield* Output
  const rows = uploads.map(rowOf(yield* DateTime.now))
  const [titles = "", ...lines] = Table.format(["AGE", "PARTS OF", "NAME", "ID"], rows.map(({ cells }) => cells))
  yield* heading(titles)
  yield* results(Stream.fromIterable(rows.map(({ json }, row) => ({ json, text: lines[row] ?? "" }))))
})

/** The open uploads, or those of them with these ids. */
const find = Effect.fnUntraced(function*(ids: ReadonlyArray<string>) {
  const { name, uploads } = yield* Vault.Vault
  const open = Array.from(yield* Stream.runCollect(uploads))
  if (ids.length === 0) return open
  const missing = ids.find((id) => !open.some(({ uploadId }) => uploadId === id))
  if (missing === undefined) return open.filter(({ uploadId }) => ids.includes(uploadId))
  return yield* new StateError({
    message: `The vault ${name} has no open upload ${missing}: effect-glacier uploads --vault ${name} lists them`
  })
})

const run = (ids: ReadonlyArray<string>, isAbort: boolean) =>
  State.withVault(Effect.fnUntraced(function*(state) {
    const vault = yield* Vault.Vault
    const { note } = yield* Output
    const { dryRun } = yield* Globals.Globals
    const uploads = yield* find(ids)
    if (uploads.length === 0) return yield* note("There are no open uploads")
    yield* print(uploads)
    if (!isAbort) return
    const what = `${formatCount(uploads.length, "upload")} of the vault ${state.vaultName}`
    if (dryRun) return yield* note(`This would abort ${what}`)
    yield* Confirm.vaultName(state, `This aborts ${what}, and discards the parts that were sent`)
    yield* Effect.forEach(uploads, ({ uploadId }) =>
      // It may have ended meanwhile.
      Effect.catchTag(vault.abortUpload(uploadId), "UploadNotFound", () => note(`The upload ${uploadId} has ended`)), {
      concurrency: 4,
      discard: true
    })
    yield* note(`Aborted ${what}`)
  })).pipe(Effect.provide(NodeGlacier.layer))

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "uploads",
  {
    ids: Args.text({ name: "id" }).pipe(
      Args.repeated,
      Args.withDescription("The id of an upload. Default: all open uploads")
    ),
    abort: Options.boolean("abort").pipe(
      Options.withDescription("Abort the uploads and discard the parts that were sent")
    ),
    globals: Globals.options
  },
  ({ abort, globals, ids }) => CliCommand.withGlobals(globals)(run(ids, abort))
).pipe(CliCommand.toProgram({
  description: "List the open multipart uploads of a vault, or abort them",
  examples: ["effect-glacier uploads --vault photos", "effect-glacier uploads --vault photos --abort"]
}))
