/**
 * The plans of a vault: a file `plans/NAME.json` for each, which says what the plan is for. The name is that of the plan's
 * checkpoint, too. A command that is started again with the same arguments continues its plan.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as NodeCheckpoint from "../node/NodeCheckpoint.ts"
import type { Entry } from "../protocol/Inventory.ts"
import { Tier } from "../protocol/Jobs.ts"
import * as RetrievalPlan from "../services/RetrievalPlan.ts"
import { StateError } from "./Failures.ts"
import * as Files from "./Files.ts"
import { Globals } from "./Globals.ts"
import * as Places from "./Places.ts"
import * as Shell from "./Shell.ts"
import type { VaultState } from "./State.ts"
import * as WrongCopies from "./WrongCopies.ts"

/** The command of a plan. */
const Kind = Schema.Literal("get", "move", "verify", "retrieve", "delete", "upload", "empty")

/**
 * The content of a plan's file.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Plan = Schema.Struct({
  name: Schema.String,
  kind: Kind,
  /** The arguments that make it the same plan: patterns, the place, and options that select archives or name copies. */
  arguments: Schema.Array(Schema.String),
  place: Schema.optional(Places.Place),
  tier: Schema.optional(Tier),
  /** The time as of which the inventory lists the vault, if the plan is made of one. */
  inventory: Schema.optional(Schema.DateTimeUtc),
  /** The options of the last run that limit its cost and speed. */
  limits: Schema.optional(Schema.Array(Schema.String)),
  /** The endpoint and the profile of the last run, if they were given. */
  endpoint: Schema.optional(Schema.String),
  profile: Schema.optional(Schema.String),
  made: Schema.DateTimeUtc,
  /** The time at which the user has confirmed the plan. */
  started: Schema.optional(Schema.DateTimeUtc),
  /** Whether the user has not confirmed what is left: only a limit of the cost permits it. */
  unconfirmed: Schema.optional(Schema.Boolean),
  /** The time at which nothing was left to do. */
  finished: Schema.optional(Schema.DateTimeUtc)
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type Plan = typeof Plan.Type

const Json = Schema.parseJson(Plan, { space: 2 })

const encode = Schema.encodeSync(Json)

const decode = Schema.decodeOption(Json)

const failed = (what: string) => ({ message }: { readonly message: string }) =>
  new StateError({ message: `${what}: ${message}` })

const fileOf = ({ plans }: VaultState, { name }: Pick<Plan, "name">): string => `${plans}/${name}.json`

/**
 * The plans of a vault, the newest one first.
 *
 * @since 0.1.0
 * @category getters
 */
export const all = (state: VaultState): Effect.Effect<ReadonlyArray<Plan>, StateError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    if (!(yield* fs.exists(state.plans))) return []
    const names = (yield* fs.readDirectory(state.plans)).filter((name) => name.endsWith(".json"))
    const plans = yield* Effect.forEach(
      names,
      (name) => Effect.map(fs.readFileString(`${state.plans}/${name}`), decode)
    )
    return plans.flatMap(Option.toArray).sort((a, b) => DateTime.distance(a.made, b.made))
  }).pipe(Effect.mapError(failed(`The plans in ${state.plans} cannot be read`)))

/**
 * Writes the file of a plan.
 *
 * @since 0.1.0
 * @category writing
 */
export const save = (
  state: VaultState,
  plan: Plan
): Effect.Effect<void, StateError, FileSystem.FileSystem | Path.Path | Globals> =>
  Effect.gen(function*() {
    const { endpoint, profile } = yield* Globals
    const reached = { endpoint: Option.getOrUndefined(endpoint), profile: Option.getOrUndefined(profile) }
    yield* Files.replace(fileOf(state, plan), `${encode({ ...plan, ...reached })}\n`)
  }).pipe(Effect.mapError(failed(`The plan ${fileOf(state, plan)} cannot be written`)))

/**
 * Records that the user has confirmed a plan. Before, a command that is started again makes the plan anew.
 *
 * @since 0.1.0
 * @category writing
 */
export const start = (
  state: VaultState,
  plan: Plan
): Effect.Effect<Plan, StateError, FileSystem.FileSystem | Path.Path | Globals> =>
  Effect.flatMap(DateTime.now, (started) => Effect.as(save(state, { ...plan, started }), { ...plan, started }))

/**
 * Records that a command has begun whose plan has the same name each time: the command itself finds what is left to do.
 *
 * @since 0.1.0
 * @category writing
 */
export const begin = Effect.fnUntraced(function*(
  state: VaultState,
  plan: Pick<Plan, "name" | "kind" | "arguments">
) {
  return yield* start(state, { ...plan, made: yield* DateTime.now })
})

/**
 * Records that nothing is left to do.
 *
 * @since 0.1.0
 * @category writing
 */
export const finish = (state: VaultState, plan: Plan) =>
  Effect.flatMap(DateTime.now, (finished) => save(state, { ...plan, finished }))

/**
 * Removes a plan. Its records and its copies remain.
 *
 * @since 0.1.0
 * @category writing
 */
export const discard = Effect.fnUntraced(function*(state: VaultState, plan: Plan) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.provide(RetrievalPlan.clear(plan.name), NodeCheckpoint.layer(state.checkpoints))
  yield* Effect.mapError(
    fs.remove(fileOf(state, plan), { force: true }),
    failed(`The plan ${fileOf(state, plan)} cannot be removed`)
  )
})

/** The parts of a command that make its plan the same plan. */
type Key = Pick<Plan, "kind" | "arguments" | "place" | "tier">

/** The time as of which the inventory of a new plan lists the vault. */
interface Dated {
  readonly inventory: DateTime.Utc
}

/**
 * The command of a plan as it is typed in a shell, without the name of the program and the vault.
 *
 * @since 0.1.0
 * @category formatting
 */
export const commandOf = (plan: Plan): string =>
  Shell.join([
    plan.kind,
    ...plan.arguments,
    ...(plan.place === undefined ? [] : Places.optionsOf(plan.place)),
    ...(plan.tier === undefined ? [] : ["--tier", plan.tier]),
    ...(plan.limits ?? [])
  ])

/**
 * The started plans of a vault that are not finished, without those that only check copies.
 *
 * @since 0.1.0
 * @category getters
 */
export const unfinished = (state: VaultState) =>
  Effect.map(
    all(state),
    (plans) =>
      plans.filter(({ finished, kind, started }) =>
        kind !== "verify" && started !== undefined && finished === undefined
      )
  )

/**
 * Makes a plan with a new name. Writes no file.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (wanted: Key & Dated & Pick<Plan, "limits">): Effect.Effect<Plan> =>
  Effect.gen(function*() {
    const made = yield* DateTime.now
    const stamp = DateTime.formatIso(made).replace(/[-:]|\.\d+Z/g, "")
    const random = yield* Random.nextIntBetween(0x1000, 0x10000)
    return { ...wanted, name: `${wanted.kind}-${stamp}-${random.toString(16)}`, made }
  })

/**
 * Whether a plan is that of a command with these arguments and this place. The same place may be reached in another way, for
 * instance without checksums.
 *
 * @since 0.1.0
 * @category getters
 */
export const isSame = (plan: Plan, wanted: Key): boolean =>
  plan.kind === wanted.kind && plan.tier === wanted.tier &&
  JSON.stringify(plan.arguments) === JSON.stringify(wanted.arguments) &&
  (plan.place === undefined || wanted.place === undefined
    ? plan.place === wanted.place
    : Places.isSame(plan.place, wanted.place))

/**
 * Finds the plan that a command continues: the last one with these arguments, unless it is finished and the inventory is
 * newer. Discards a plan that the user has not confirmed: the vault may have changed since.
 *
 * @since 0.1.0
 * @category getters
 */
export const find = Effect.fnUntraced(function*(state: VaultState, wanted: Key & Dated) {
  const found = (yield* all(state)).find((plan) => isSame(plan, wanted))
  if (found === undefined) return Option.none()
  if (found.started === undefined) return yield* Effect.as(discard(state, found), Option.none())
  const { finished, inventory } = found
  const isOver = finished !== undefined &&
    (inventory === undefined || DateTime.lessThan(inventory, wanted.inventory))
  return isOver ? Option.none() : Option.some(found)
})

/**
 * Opens the archives and proofs of a plan that was started. Fails with `StateError` if its checkpoint is lost.
 *
 * @since 0.1.0
 * @category getters
 */
export const open = ({ name, place, tier }: Plan) =>
  RetrievalPlan.make(
    name,
    Stream.fail(new StateError({ message: `The checkpoint of the plan ${name} is lost` })),
    { tier, platform: place && Places.platformOf(place) }
  )

/**
 * Makes a `proof` for `DeletionPlan.run` and `Decommission.run` of all plans of a vault: a function that returns whether any
 * plan has a proof of an archive whose copy its place still has. The copies in folders are read; the objects in buckets are
 * described. A copy that a check has found wrong does not count. The places remain open until the Scope closes.
 *
 * Fails with `CheckpointInUse` while one of the plans runs.
 *
 * @since 0.1.0
 * @category proofs
 */
export const prover = Effect.fn("Plans.prover")(function*(state: VaultState) {
  const checkpoint = yield* Layer.build(NodeCheckpoint.layer(state.checkpoints))
  const plans = (yield* all(state)).filter(({ started }) => started !== undefined)
  const provers = yield* Effect.forEach(plans, ({ name, place }) => {
    if (place === undefined) return Effect.succeed([])
    return Effect.flatMap(WrongCopies.open(state, place), (opened) => RetrievalPlan.prover({ name }, opened)).pipe(
      Effect.map((prove) => [prove]),
      // Without its checkpoint a plan proves nothing.
      Effect.catchTag("CheckpointError", ({ message }) => Effect.as(Effect.logWarning(message), [])),
      Effect.provide(checkpoint)
    )
  })
  return (archive: Entry): Effect.Effect<boolean, Places.PlaceError, FileSystem.FileSystem | Path.Path> =>
    Effect.map(
      Effect.findFirst(provers.flat(), (prove) => Effect.provide(prove(archive), checkpoint)),
      Option.isSome
    )
})
