/**
 * Paths out of descriptions, as files may be named by them. Whoever may write to a vault chooses them: each is accepted
 * as it is, or refused for a rule. What is accepted leads out of no folder that it is put in, reaches no device, and is
 * what it looks like.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Brand from "effect/Brand"
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as Struct from "effect/Struct"

/**
 * Where a path is to be used: on the file systems of POSIX, on Windows, or, `portable`, on both.
 *
 * @since 0.1.0
 * @category models
 */
export type Platform = "posix" | "windows" | "portable"

/**
 * A relative path that keeps the rules: names with a `/` between any two.
 *
 * @since 0.1.0
 * @category models
 */
export type SafePath = string & Brand.Brand<"SafePath">

const SafePath = Brand.nominal<SafePath>()

const utf8 = new TextEncoder()

const bytes = (text: string): number => utf8.encode(text).length

const someName = (breaks: (name: string) => boolean) => (path: string): boolean => path.split("/").some(breaks)

const matches = (pattern: RegExp) => (text: string): boolean => pattern.test(text)

/** What some file systems overlook in names. */
const invisible = /\p{Default_Ignorable_Code_Point}/gu

const rule = (must: string, breaks: (path: string) => boolean, on?: "posix" | "windows") => ({ must, breaks, on })

/** What a path must, and when it does not; on both platforms, or on one. The first rule that is broken is told. */
const rules = {
  empty: rule("not be empty", (path) => path === ""),
  unicode: rule("have no halves of characters (lone surrogates)", matches(/\p{Cs}/u)),
  control: rule("have no control characters, tabs or line ends", matches(/[\p{Cc}\u2028\u2029]/u)),
  bidi: rule("have no characters that turn the direction of text", matches(/\p{Bidi_Control}/u)),
  unc: rule("not begin like the name of a server or a device", matches(/^[\\/]{2}/), "windows"),
  absolute: rule("not begin with a slash", (path) => path.startsWith("/")),
  drive: rule("not begin with a drive", matches(/^[a-z]:/i), "windows"),
  backslash: rule("have no backslash", (path) => path.includes("\\"), "windows"),
  folder: rule("not end with a slash, as that of a folder does", (path) => path.endsWith("/")),
  gap: rule("have a name between any two slashes", (path) => path.includes("//")),
  dots: rule(
    "have no name that is nothing, a dot or two dots, with or without invisible characters",
    someName((name) => /^\.{0,2}$/.test(name.replace(invisible, "")))
  ),
  character: rule("have none of < > : \" | ? *", matches(/[<>:"|?*]/), "windows"),
  device: rule(
    "have no name of a device, as NUL or com1.txt",
    someName(matches(/^(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9\xb9\xb2\xb3]) *(\.|$)/i)),
    "windows"
  ),
  ending: rule("have no name that ends with a dot or a space", someName(matches(/[. ]$/)), "windows"),
  partial: rule(
    "have no name of a download that is under way",
    someName(matches(/\.[0-9a-f]{16}\.(partial|checkpoint|lock)$/i))
  ),
  bytes: rule("have no name of more than 255 bytes in UTF-8", someName((name) => bytes(name) > 255), "posix"),
  units: rule("have no name of more than 255 units of UTF-16", someName((name) => name.length > 255), "windows"),
  length: rule("not have more than 1,024 bytes in UTF-8", (path) => bytes(path) > 1_024)
}

/**
 * The rules: `unc`, `drive`, `backslash`, `character`, `device`, `ending` and `units` are for Windows only, `bytes` for
 * POSIX only.
 *
 * @since 0.1.0
 * @category models
 */
export type Rule = keyof typeof rules

/**
 * A path that must not be used as it is.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnsafePath extends Data.TaggedError("UnsafePath")<{
  readonly path: string
  /** The first rule that it breaks. */
  readonly rule: Rule
}> {
  override get message(): string {
    return `The path ${JSON.stringify(this.path)} must ${rules[this.rule].must}`
  }
}

const inOrder = Struct.keys(rules)

/**
 * A path as it is, or the first rule that it breaks. Names are not changed: what would have to be is refused.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (path: string, platform: Platform = "portable"): Either.Either<SafePath, UnsafePath> => {
  const broken = inOrder.find((name) => {
    const { breaks, on } = rules[name]
    return (platform === "portable" || on === undefined || on === platform) && breaks(path)
  })
  return broken === undefined ? Either.right(SafePath(path)) : Either.left(new UnsafePath({ path, rule: broken }))
}

/**
 * What is left of an absolute path, or one of Windows, below its root: `/home/a.txt` becomes `home/a.txt`,
 * `C:\home\a.txt` `C/home/a.txt` and `\\server\share\a.txt` `server/share/a.txt`. It may still break the rules.
 *
 * @since 0.1.0
 * @category constructors
 */
export const relative = (path: string): string =>
  path.replace(/\\/g, "/").replace(/^([A-Za-z]):\/*/, "$1/").replace(/^\/+/, "")

/** What a file system makes of a path that looks for a name by more than its bytes: APFS, HFS+, NTFS and others. */
const fold = (path: string): string =>
  path.replace(invisible, "").normalize("NFD").toUpperCase().toLowerCase().normalize("NFC")

/** The path of each folder on the way to a file. */
const foldersOf = (path: string): ReadonlyArray<string> =>
  path.split("/").slice(0, -1).map((_, index, names) => names.slice(0, index + 1).join("/"))

/** The things that have a path or need a folder of that path, by each path that one of them has. */
const placesOf = <A>(things: Iterable<A>, pathOf: (thing: A) => string, platform: Platform) => {
  const placed = Arr.fromIterable(things).map((thing) => {
    const path = pathOf(thing)
    return { thing, path: platform === "posix" ? path : fold(path) }
  })
  const groups = new Map(placed.map(({ path }): [string, Array<typeof placed[number]>] => [path, []]))
  for (const one of placed) {
    for (const place of [...foldersOf(one.path), one.path]) groups.get(place)?.push(one)
  }
  return Array.from(groups).filter(([, group]) => group.length > 1)
}

/**
 * The groups of things that would be in each other's place, by their paths: two of one path, a file where others need a
 * folder, and unless the platform is `posix`, paths that differ in their case, in how their characters are composed
 * (NFC, NFD), or in invisible characters only. Each group is in the order given. No groups, no collisions.
 *
 * @since 0.1.0
 * @category collisions
 */
export const collisions = <A>(
  things: Iterable<A>,
  pathOf: (thing: A) => string,
  platform: Platform = "portable"
): ReadonlyArray<ReadonlyArray<A>> =>
  placesOf(things, pathOf, platform).map(([, group]) => group.map(({ thing }) => thing))

/**
 * The things that must give way so that all others can have their places, each with how many others it is in the way of,
 * and one of these: all that share a path, and a file where others need a folder. What is in that folder stays.
 *
 * @since 0.1.0
 * @category collisions
 */
export const inTheWay = <A>(
  things: Iterable<A>,
  pathOf: (thing: A) => string,
  platform: Platform = "portable"
): ReadonlyMap<A, { readonly other: A; readonly count: number }> =>
  new Map(
    placesOf(things, pathOf, platform).flatMap(([place, group]) =>
      group.filter(({ path }) => path === place).flatMap((own) => {
        const other = group.find((one) => one !== own)
        return other === undefined ? [] : [[own.thing, { other: other.thing, count: group.length - 1 }] as const]
      })
    )
  )
