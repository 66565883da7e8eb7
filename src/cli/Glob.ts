/**
 * Selects archives by patterns over their paths. The rules are those of `.gitignore`, with `{a,b}` in addition:
 *
 * - `*` and `?` match any characters and one character of a name, also of a name that begins with a dot. `[a-z]` matches one
 *   of these characters. `**` matches any number of folders. `{a,b}` matches each of the alternatives.
 * - A pattern without a slash matches a name at any depth: `*.jpg`. A pattern with a slash matches the path from its
 *   beginning: `photos/*.jpg`. A slash at the end does not count.
 * - A pattern that matches a folder selects everything below it. With a slash at the end it matches only folders.
 *
 * Paths and patterns are compared as `SafePath.relative` returns them: `C:\photos`, `C:/photos` and `C/photos` are equal. So a
 * backslash is a separator, and `[*]` matches an asterisk.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { Minimatch, type MinimatchOptions } from "minimatch"
import * as SafePath from "../transfer/SafePath.ts"

/**
 * A pattern that cannot be used.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidGlob extends Data.TaggedError("InvalidGlob")<{
  readonly pattern: string
  /** The rule that the pattern breaks, after "must". */
  readonly rule: string
}> {
  override get message(): string {
    const { pattern } = this
    const shown = pattern.length > 100 ? `${pattern.slice(0, 100)}...` : pattern
    return `The pattern ${JSON.stringify(shown)} must ${this.rule}.`
  }
}

/**
 * An archive to select or not. The path is undefined if the archive has no name.
 *
 * @since 0.1.0
 * @category models
 */
export interface Named {
  readonly archiveId: string
  readonly path: string | undefined
}

const maximumAlternatives = 10_000

const maximumLength = 10_000

const options: MinimatchOptions = {
  braceExpandMax: maximumAlternatives,
  dot: true,
  nocomment: true,
  noext: true,
  nonegate: true,
  // The meaning of a backslash must not depend on where the program runs.
  platform: "linux"
}

/**
 * The form in which paths and patterns are compared. File systems of macOS decompose characters that keyboards compose. The
 * NUL takes away the meaning of the names `.` and `..`, which wildcards would not match.
 */
const comparable = (path: string): string =>
  SafePath.relative(path).normalize("NFC").replace(/(^|\/)(\.{1,2})(?=\/|$)/g, "$1$2\0")

/** Whether a pattern that became `glob` matches paths from their beginning. */
const isAnchored = (pattern: string, glob: string): boolean =>
  /^([A-Za-z]:|[\\/])/.test(pattern) || glob.replace(/\/+$/, "").includes("/")

const matcher = (pattern: string): Either.Either<(path: string) => boolean, InvalidGlob> => {
  const path = comparable(pattern)
  const name = path.replace(/\/+$/, "")
  if (name === "") return Either.left(new InvalidGlob({ pattern, rule: "have a name" }))
  if (pattern.length > maximumLength) {
    return Either.left(new InvalidGlob({ pattern, rule: "have at most 10,000 characters" }))
  }
  const glob = isAnchored(pattern, path) ? name : `**/${name}`
  const itself = new Minimatch(glob, options)
  if (itself.set.length >= maximumAlternatives) {
    return Either.left(new InvalidGlob({ pattern, rule: "have fewer than 10,000 alternatives in its braces" }))
  }
  const below = new Minimatch(`${glob}/**`, options)
  const isFolder = name !== path
  return Either.right((candidate) =>
    candidate === path || below.match(candidate) || (!isFolder && itself.match(candidate))
  )
}

/** Ids of archives have 138 characters. The schema `ArchiveId` accepts shorter ones, because AWS does not promise this. */
const isId = (pattern: string): boolean => /^[A-Za-z0-9_-]{138}$/.test(pattern)

/**
 * Returns whether an archive is selected by one of the patterns. Without patterns, every archive is selected.
 *
 * A pattern that is the id of an archive selects this archive only. All other patterns select only archives that have a name.
 * A pattern that is exactly the path of an archive selects it, whatever characters it has.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  patterns: ReadonlyArray<string>
): Either.Either<(archive: Named) => boolean, InvalidGlob> => {
  const ids = new Set(patterns.filter(isId))
  return Either.map(
    Either.all(patterns.filter((pattern) => !isId(pattern)).map(matcher)),
    (matchers) => ({ archiveId, path }) => {
      if (patterns.length === 0 || ids.has(archiveId)) return true
      if (path === undefined) return false
      const candidate = comparable(path)
      return matchers.some((matches) => matches(candidate))
    }
  )
}
