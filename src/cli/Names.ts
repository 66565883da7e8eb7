/**
 * The names of the archives of a vault, as the options of the command line say.
 *
 * @since 0.1.0
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ArchiveName from "../protocol/ArchiveName.ts"
import type * as Inventory from "../protocol/Inventory.ts"
import { Globals } from "./Globals.ts"
import * as SynologyMapping from "./SynologyMapping.ts"

/**
 * The name of an archive. The path is unchecked. The format is `synology`, or the name of the codec that has read it.
 *
 * @since 0.1.0
 * @category models
 */
export type Name = ArchiveName.Decoded & Pick<ArchiveName.ArchiveName, "format">

/**
 * Returns the function that finds the name of an archive:
 *
 * - With `synology`, the file of a Synology mapping, the path comes from this file.
 * - For other archives, and without `synology`, the description is read. With `boto`, percent-encoded descriptions of boto are
 *   decoded, too.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly boto: boolean
  readonly synology: Option.Option<string>
}): Effect.Effect<
  (entry: Inventory.Entry) => Option.Option<Name>,
  SynologyMapping.MappingRejected,
  FileSystem.FileSystem
> => {
  const codecs = options.boto ? [...ArchiveName.codecs, ArchiveName.boto] : ArchiveName.codecs
  return Effect.map(
    Effect.transposeMapOption(options.synology, SynologyMapping.read),
    (mapping) => ({ archiveId, description }) =>
      Option.match(
        Option.flatMap(mapping, (paths) => Option.fromNullable(paths.get(archiveId))),
        {
          onSome: (path) => Option.some({ path, modified: Option.none(), format: "synology" }),
          onNone: () => ArchiveName.read(description, codecs)
        }
      )
  )
}

/**
 * The function for the options in use, see `make`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const inUse = Effect.flatMap(Globals, ({ botoNames: boto, synologyNames: synology }) => make({ boto, synology }))

/**
 * The options in use that name archives, as arguments of a command. With other options, patterns select other archives.
 *
 * @since 0.1.0
 * @category formatting
 */
export const argumentsInUse: Effect.Effect<ReadonlyArray<string>, never, Globals | Path.Path> = Effect.gen(function*() {
  const path = yield* Path.Path
  const { botoNames, synologyNames } = yield* Globals
  return [
    ...(botoNames ? ["--boto-names"] : []),
    ...Option.match(synologyNames, { onNone: () => [], onSome: (file) => ["--synology-names", path.resolve(file)] })
  ]
})
