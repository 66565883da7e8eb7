/**
 * The command `effect-glacier verify`: checks copies against the tree hashes of the inventory, without retrieving.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as NodeCheckpoint from "../../node/NodeCheckpoint.ts"
import * as NodeGlacier from "../../node/NodeGlacier.ts"
import { formatBytes, formatCount, formatNumber } from "../../policy/Format.ts"
import * as CliCommand from "../CliCommand.ts"
import * as CopyChecks from "../CopyChecks.ts"
import * as Explain from "../Explain.ts"
import { SomeFailed, StateError, Usage } from "../Failures.ts"
import * as Glob from "../Glob.ts"
import * as Globals from "../Globals.ts"
import * as Names from "../Names.ts"
import * as Naming from "../Naming.ts"
import { Output } from "../Output.ts"
import * as Places from "../Places.ts"
import * as PlanRuns from "../PlanRuns.ts"
import * as Plans from "../Plans.ts"
import { printable } from "../Printable.ts"
import * as Records from "../Records.ts"
import * as Selection from "../Selection.ts"
import * as Shell from "../Shell.ts"
import * as State from "../State.ts"
import * as Work from "../Work.ts"

const args = Args.text({ name: "glob-then-place" }).pipe(
  Args.repeated,
  Args.withDescription(
    "Patterns or ids (default: all archives), and at the end an existing folder or s3://BUCKET/PREFIX. Without a place, " +
      "all copies are checked that the commands have made"
  )
)

interface Values extends Naming.Values, Places.BucketValues {
  readonly args: ReadonlyArray<string>
  readonly noRead: boolean
}

const preview = Effect.fnUntraced(function*(selection: Selection.Selection, place: Places.Place) {
  const { result } = yield* Output
  const archives = yield* Stream.runCount(Selection.entries(selection))
  yield* result({
    json: { type: "summary", dryRun: true, archives },
    text: `This would look for the copies of ${formatCount(archives, "archive")} in ${Places.nameOf(place)}`
  })
})

/** Checks the copies in a place by a new plan, whose proofs count for `delete`. */
const checkPlace = (values: Values, globs: ReadonlyArray<string>, url: string) =>
  State.withVault(Effect.fnUntraced(function*(state) {
    const place = yield* Places.isUrl(url) ? Places.bucket(url, state, values) : Places.folder(url)
    const selection = yield* Selection.make(state, globs)
    if ((yield* Globals.Globals).dryRun) return yield* preview(selection, place)
    const key = {
      kind: "verify",
      arguments: [...globs, Places.nameOf(place), ...yield* Naming.argumentsOf(values)],
      place
    } as const
    const before = (yield* Plans.all(state)).filter((plan) => Plans.isSame(plan, key))
    const run = Effect.gen(function*() {
      const check = yield* CopyChecks.make(state, place, { read: !values.noRead })
      const file = yield* Effect.flatMap(
        Plans.make({ ...key, inventory: selection.asOf }),
        (made) => Plans.start(state, made)
      )
      const plan = yield* Naming.plan(file.name, selection, { ...values, platform: Places.platformOf(place) })
      const rejected = yield* PlanRuns.reportRejected(plan)
      const discardBefore = Effect.ignoreLogged(
        Effect.forEach(before, (plan) => Effect.zipRight(Plans.discard(state, plan), Records.remove(state, plan.name)))
      )
      const options = {
        file,
        plan,
        destination: CopyChecks.destination(check),
        command: Plans.commandOf(file),
        state: "verified"
      } as const
      yield* Effect.tapBoth(PlanRuns.run(state, options, rejected), {
        // Only a run that has reached its end has the proofs of all copies that are still there.
        onFailure: ({ _tag }) => _tag === "SomeFailed" ? discardBefore : Effect.void,
        onSuccess: () => discardBefore
      })
    })
    yield* run.pipe(Effect.scoped, Effect.provide(NodeCheckpoint.layer(state.checkpoints)))
  })).pipe(Effect.provide(NodeGlacier.layer))

/** Checks the copies of all plans. A copy that several plans have made is checked once. */
const checkAll = Effect.fnUntraced(function*({ args, noRead }: Values) {
  const state = yield* State.offline
  const { note, result } = yield* Output
  const last = args.at(-1)
  if (last !== undefined) yield* note(`${last} is not a folder: checks the copies that the commands have made`)
  const nameOf = yield* Names.inUse
  const selects = yield* Effect.mapError(Glob.make(args), ({ message }) => new Usage({ message }))
  const seen = new Set<string>()
  const counts = { copies: 0, bytes: 0, failed: 0 }

  const checkPlan = Effect.fnUntraced(function*(work: Work.Work, file: Plans.Plan, place: Places.Place) {
    const check = yield* CopyChecks.make(state, place, { read: !noRead })
    const { proofs } = yield* Plans.open(file)
    const selected = Stream.filter(proofs, ({ archive, proof: { location } }) => {
      const path = Option.getOrUndefined(nameOf(archive))?.path
      const copy = JSON.stringify([Places.endpointOf(place), location])
      if (seen.has(copy) || !selects({ archiveId: archive.archiveId, path })) return false
      seen.add(copy)
      return true
    })
    yield* Stream.runForEach(
      Stream.mapEffect(
        selected,
        ({ archive, proof }) => Effect.map(Effect.either(check(archive)), (found) => ({ archive, found, proof })),
        { concurrency: 4, unordered: true }
      ),
      ({ archive: { archiveId, path }, found, proof: { location, size } }) => {
        if (found._tag === "Right") {
          counts.copies++
          counts.bytes += size
          const json = { type: "verified", archiveId, path, location, bytes: size }
          return work.done(size, { json, text: printable(location) })
        }
        counts.failed++
        const message = Explain.textOf(found.left)
        return work.failed({
          json: { type: "failed", archiveId, path, location, error: found.left._tag, message },
          text: printable(message)
        })
      }
    )
  }, Effect.scoped)

  const plans = (yield* Plans.all(state)).flatMap((file) =>
    file.place === undefined || file.started === undefined ? [] : [{ file, place: file.place }]
  )
  if (plans.length === 0) {
    return yield* new StateError({
      message: "The commands have made no copies yet. To check others, give their folder or s3://BUCKET/PREFIX"
    })
  }
  yield* Work.run(
    state,
    Shell.join(["verify", ...args]),
    (work) => Effect.forEach(plans, ({ file, place }) => checkPlan(work, file, place))
  ).pipe(
    Effect.provide(NodeCheckpoint.layer(state.checkpoints))
  )
  const { bytes, copies, failed } = counts
  if (copies + failed === 0) {
    return yield* new StateError({
      message:
        "No copy that the commands have made is selected. To check others, give their folder or s3://BUCKET/PREFIX"
    })
  }
  yield* result({
    json: { type: "summary", copies, bytes, failed },
    text: `${PlanRuns.formatCopies(copies)} verified, ${formatBytes(bytes)}${
      failed === 0 ? "" : `, ${formatNumber(failed)} failed`
    }`
  })
  if (failed > 0) {
    return yield* new SomeFailed({ message: `${PlanRuns.missing(failed)}. ${PlanRuns.repair}` })
  }
})

const run = Effect.fnUntraced(function*(values: Values) {
  const fs = yield* FileSystem.FileSystem
  const last = values.args.at(-1) ?? ""
  const isFolder = yield* Effect.orElseSucceed(
    Effect.map(fs.stat(last), ({ type }) => type === "Directory"),
    () => false
  )
  yield* isFolder || Places.isUrl(last) ? checkPlace(values, values.args.slice(0, -1), last) : checkAll(values)
})

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "verify",
  {
    args,
    noRead: Options.boolean("no-read").pipe(
      Options.withDescription("Compare only sizes, checksums and metadata of objects, and do not read their bytes")
    ),
    globals: Globals.options,
    ...Naming.options,
    ...Places.bucketOptions
  },
  ({ globals, ...values }) => CliCommand.withGlobals(globals)(run(values))
).pipe(CliCommand.toProgram({
  description: "Check copies against the tree hashes of the inventory. Retrieves nothing",
  examples: [
    "effect-glacier verify --vault photos",
    "effect-glacier verify --vault photos '2014/**' restored",
    "effect-glacier verify --vault photos s3://my-archives/photos --no-read"
  ]
}))
