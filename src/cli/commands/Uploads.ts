/**
 * The command `effect-glacier uploads`: lists the open multipart uploads of a vault or a bucket, or aborts them.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as NodeCheckpoint from "../../node/NodeCheckpoint.ts"
import * as NodeGlacier from "../../node/NodeGlacier.ts"
import { formatBytes, formatCount, formatSeconds } from "../../policy/Format.ts"
import * as ArchiveName from "../../protocol/ArchiveName.ts"
import type { UploadDescription } from "../../protocol/Uploads.ts"
import * as ObjectStore from "../../s3/ObjectStore.ts"
import * as S3Destination from "../../s3/S3Destination.ts"
import * as Vault from "../../services/Vault.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Confirm from "../Confirm.ts"
import { InUse, StateError } from "../Failures.ts"
import * as Globals from "../Globals.ts"
import { Output, type Result } from "../Output.ts"
import * as Places from "../Places.ts"
import { printable } from "../Printable.ts"
import * as State from "../State.ts"
import * as Table from "../Table.ts"
import * as Work from "../Work.ts"

const ageOf = (date: DateTime.Utc, now: DateTime.Utc): string => formatSeconds(DateTime.distanceDuration(date, now))

const rowOf = (now: DateTime.Utc) => ({ archiveDescription, creationDate, partSize, uploadId }: UploadDescription) => {
  const description = Option.getOrElse(archiveDescription, () => "")
  const name = Option.getOrNull(Option.map(ArchiveName.read(description), ({ path }) => path))
  return {
    json: { uploadId, name, description, partSize, created: DateTime.formatIso(creationDate) },
    cells: [
      ageOf(creationDate, now),
      formatBytes(partSize),
      printable(name ?? description),
      uploadId
    ]
  }
}

const objectRowOf = (now: DateTime.Utc) => ({ initiated, key, uploadId }: ObjectStore.OpenObjectUpload) => ({
  json: { uploadId, name: key, created: DateTime.formatIso(initiated) },
  cells: [ageOf(initiated, now), printable(key), uploadId]
})

const print = Effect.fnUntraced(function*(
  titles: ReadonlyArray<string>,
  rows: ReadonlyArray<Pick<Result, "json"> & { readonly cells: ReadonlyArray<string> }>
) {
  const { heading, results } = yield* Output
  const [first = "", ...lines] = Table.format(titles, rows.map(({ cells }) => cells))
  yield* heading(first)
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

/** Fails while a command stores files in the vault: its uploads are among the open ones. */
const checkIdle = Effect.fnUntraced(function*(state: State.VaultState) {
  const uploading = (yield* Work.running(state)).find(({ command }) => command.startsWith("upload "))
  if (uploading === undefined) return
  return yield* new InUse({
    message:
      `The process ${uploading.pid} stores files in the vault ${state.vaultName}, and its uploads are open, too. ` +
      "Wait for its end, or interrupt it by Ctrl-C"
  })
})

/** Lists or aborts the uploads that `move` has left open in a bucket. */
const runBucket = Effect.fnUntraced(function*(url: string, isAbort: boolean, options: Places.BucketValues) {
  const state = yield* State.offline
  const bucket = yield* Places.bucket(url, state, options)
  const work = Effect.gen(function*() {
    const { note } = yield* Output
    const { dryRun } = yield* Globals.Globals
    const store = yield* ObjectStore.ObjectStore
    const open = Array.from(yield* Stream.runCollect(store.uploads(bucket.prefix)))
    if (open.length === 0) return yield* note("There are no open uploads")
    yield* print(["AGE", "NAME", "ID"], open.map(objectRowOf(yield* DateTime.now)))
    if (!isAbort) return
    const what = `the uploads in ${Places.nameOf(bucket)} that effect-glacier move has left open`
    if (dryRun) return yield* note(`This would abort ${what}`)
    yield* Confirm.vaultName(
      state,
      `This aborts ${what} for archives of the vault ${state.vaultName}, and discards the parts that were sent`
    )
    const { length: ofArchives } = yield* S3Destination.abortAbandoned(bucket)
    const aborted = ofArchives + (yield* Places.abortProbes(bucket))
    const others = open.length - aborted
    yield* note(
      `Aborted ${formatCount(aborted, "upload")}${
        others <= 0 ? "" : ". The others belong to a running command or to another program"
      }`
    )
  })
  yield* work.pipe(
    Effect.provide(Layer.merge(Places.layerStore(bucket), NodeCheckpoint.layer(state.checkpoints))),
    Effect.scoped
  )
})

const runVault = (ids: ReadonlyArray<string>, isAbort: boolean) =>
  State.withVault(Effect.fnUntraced(function*(state) {
    const vault = yield* Vault.Vault
    const { note } = yield* Output
    const { dryRun } = yield* Globals.Globals
    const uploads = yield* find(ids)
    if (uploads.length === 0) return yield* note("There are no open uploads")
    yield* print(["AGE", "PARTS OF", "NAME", "ID"], uploads.map(rowOf(yield* DateTime.now)))
    if (!isAbort) return
    yield* checkIdle(state)
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

const run = Effect.fnUntraced(function*(
  args: ReadonlyArray<string>,
  isAbort: boolean,
  options: Places.BucketValues
) {
  const [first = ""] = args
  return yield* args.length === 1 && Places.isUrl(first)
    ? runBucket(first, isAbort, options)
    : runVault(args, isAbort)
})

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "uploads",
  {
    ids: Args.text({ name: "id-or-url" }).pipe(
      Args.repeated,
      Args.withDescription("Ids of uploads (default: all open uploads of the vault), or s3://BUCKET/PREFIX")
    ),
    abort: Options.boolean("abort").pipe(
      Options.withDescription(
        "Abort the uploads and discard the parts that were sent. In a bucket only those that move has left open"
      )
    ),
    ...Places.bucketOptions,
    globals: Globals.options
  },
  ({ abort, globals, ids, ...options }) => CliCommand.withGlobals(globals)(run(ids, abort, options))
).pipe(CliCommand.toProgram({
  description: "List the open multipart uploads of a vault, or those of a bucket, or abort them. " +
    "The store bills the parts of uploads that an interrupted move has left in a bucket",
  examples: [
    "effect-glacier uploads --vault photos",
    "effect-glacier uploads --vault photos --abort",
    "effect-glacier uploads --vault photos s3://my-archives/photos --abort"
  ]
}))
