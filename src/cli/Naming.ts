/**
 * The paths of copies. Archives without a path of their own are rejected, unless the options say where to put them.
 *
 * @since 0.1.0
 */
import * as Options from "@effect/cli/Options"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as NodeCheckpoint from "../node/NodeCheckpoint.ts"
import type { Entry } from "../protocol/Inventory.ts"
import type { Tier } from "../protocol/Jobs.ts"
import type { ArchiveId } from "../protocol/Names.ts"
import * as RetrievalPlan from "../services/RetrievalPlan.ts"
import * as SafePath from "../transfer/SafePath.ts"
import * as Names from "./Names.ts"
import * as Selection from "./Selection.ts"

/**
 * The options.
 *
 * @since 0.1.0
 * @category options
 */
export const options = {
  unnamedById: Options.boolean("unnamed-by-id").pipe(
    Options.withDescription("Store an archive without a usable path as unnamed/ID")
  ),
  allVersions: Options.boolean("all-versions").pipe(
    Options.withDescription("Of archives with the same path, store the older ones below versions/DATE-ID/")
  )
}

/**
 * The values of the options.
 *
 * @since 0.1.0
 * @category models
 */
export interface Values {
  readonly unnamedById: boolean
  readonly allVersions: boolean
}

/**
 * The options as they were given, with those that name archives.
 *
 * @since 0.1.0
 * @category formatting
 */
export const argumentsOf = ({ allVersions, unnamedById }: Values) =>
  Effect.map(Names.argumentsInUse, (names): ReadonlyArray<string> => [
    ...(unnamedById ? ["--unnamed-by-id"] : []),
    ...(allVersions ? ["--all-versions"] : []),
    ...names
  ])

/**
 * The terms of a plan.
 *
 * @since 0.1.0
 * @category models
 */
export interface Terms extends Values {
  readonly tier?: Tier | undefined
  readonly platform: SafePath.Platform
}

const makePathOf = (
  { nameOf }: Selection.Selection,
  { platform, unnamedById }: Terms,
  versions: ReadonlySet<ArchiveId>
) =>
(entry: Entry): Option.Option<string> => {
  const { archiveId, creationDate } = entry
  const named = Option.map(nameOf(entry), ({ path }) => SafePath.relative(path))
  const path = unnamedById
    ? Option.orElseSome(
      Option.filter(named, (path) => Either.isRight(SafePath.make(path, platform))),
      () => `unnamed/${archiveId}`
    )
    : named
  if (!versions.has(archiveId)) return path
  const stamp = DateTime.formatIso(creationDate).replace(/[-:]|\.\d+/g, "")
  return Option.map(path, (path) => `versions/${stamp}-${archiveId.slice(0, 8)}/${path}`)
}

/** Returns all archives of groups with the same path but the newest, and those that are alone in the way of a folder. */
const olderOf = (
  rejected: ReadonlyArray<RetrievalPlan.Rejected>,
  platform: SafePath.Platform
): ReadonlyArray<ArchiveId> => {
  const shared = rejected.flatMap(({ archive, error }) =>
    error._tag === "NoPlace" && error.reason === "shared" ? [{ archive, path: error.name }] : []
  )
  const groups = Arr.groupBy(shared, ({ path }) => Arr.lastNonEmpty(SafePath.places(path, platform)))
  return Object.values(groups).flatMap((group) => {
    const newestFirst = group.map(({ archive }) => archive)
      .sort((a, b) => DateTime.distance(a.creationDate, b.creationDate))
    return (newestFirst.length === 1 ? newestFirst : newestFirst.slice(1)).map(({ archiveId }) => archiveId)
  })
}

/**
 * Provides a `Checkpoint` in a temporary folder.
 *
 * @since 0.1.0
 * @category plans
 */
export const withScratch = <A, E, R>(use: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* Effect.orDie(fs.makeTempDirectoryScoped({ prefix: "effect-glacier-" }))
    return yield* Effect.provide(use, NodeCheckpoint.layer(folder))
  }))

/** An older file at the path of a folder takes two rounds. A third one finds nothing. */
const maximumRounds = 3

/** Adds the archives that go below `versions`: those that a plan without them rejects. */
const addVersions = Effect.fnUntraced(
  function*(selection: Selection.Selection, terms: Terms, versions: Set<ArchiveId>) {
    for (let round = 0; round < maximumRounds; round++) {
      const rejected = yield* withScratch(Effect.flatMap(
        RetrievalPlan.make("scratch", Selection.entries(selection), {
          platform: terms.platform,
          pathOf: makePathOf(selection, terms, versions)
        }),
        (plan) => Stream.runCollect(Stream.filter(plan.rejected, ({ error }) => error._tag === "NoPlace"))
      ))
      const older = olderOf(Array.from(rejected), terms.platform)
      if (older.length === 0) return
      older.forEach((id) => versions.add(id))
    }
  }
)

/**
 * Makes the plan of a selection in the `Checkpoint` in use, or returns the plan that it has under that name.
 *
 * @since 0.1.0
 * @category plans
 */
export const plan = (name: string, selection: Selection.Selection, terms: Terms) => {
  const versions = new Set<ArchiveId>()
  // Run only when there is no plan yet.
  const entries = Stream.unwrap(
    Effect.as(terms.allVersions ? addVersions(selection, terms, versions) : Effect.void, Selection.entries(selection))
  )
  const { platform, tier } = terms
  return RetrievalPlan.make(name, entries, { tier, platform, pathOf: makePathOf(selection, terms, versions) })
}
