/**
 * Paths from the descriptions of archives. Anyone who can write to a vault chooses these paths, so each is checked by rules
 * and accepted unchanged or rejected. An accepted path does not lead out of its directory, does not reach a device, and is
 * displayed as it is.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Brand from "effect/Brand"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { errorClass } from "../protocol/ErrorClass.ts"

/**
 * The platform on which a path is used. `portable` means both POSIX and Windows.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Platform = Schema.Literal("posix", "windows", "portable")

/**
 * @since 0.1.0
 * @category schemas
 */
export type Platform = typeof Platform.Type

/**
 * A relative path that keeps all rules. Its names are separated by `/`.
 *
 * @since 0.1.0
 * @category models
 */
export type SafePath = string & Brand.Brand<"SafePath">

const SafePath = Brand.nominal<SafePath>()

const utf8 = new TextEncoder()

/** Whether a text has more bytes in UTF-8. Most texts are so short that they need not be encoded to know. */
const hasMoreBytes = (text: string, limit: number): boolean =>
  text.length * 3 > limit && (text.length > limit || utf8.encode(text).length > limit)

const someName = (breaks: (name: string) => boolean) => (path: string): boolean => path.split("/").some(breaks)

const matches = (pattern: RegExp) => (text: string): boolean => pattern.test(text)

/** Characters that some file systems ignore in names. */
const invisible = /\p{Default_Ignorable_Code_Point}/gu

const rule = (must: string, breaks: (path: string) => boolean, on?: "posix" | "windows") => ({ must, breaks, on })

/**
 * Each rule: what a path must do, when it does not, and the platform if it applies to one only. The error reports the first
 * rule that is broken.
 */
const rules = {
  empty: rule("not be empty", (path) => path === ""),
  unicode: rule("have no halves of characters (lone surrogates)", matches(/\p{Cs}/u)),
  control: rule("have no control characters, tabs or line ends", matches(/[\p{Cc}\u2028\u2029]/u)),
  bidi: rule("have no characters that change the direction of text", matches(/\p{Bidi_Control}/u)),
  unc: rule("not begin with two slashes, as a Windows server or device does", matches(/^[\\/]{2}/), "windows"),
  absolute: rule("not begin with a slash", (path) => path.startsWith("/")),
  drive: rule("not begin with a Windows drive, such as C:", matches(/^[a-z]:/i), "windows"),
  backslash: rule("have no backslash", (path) => path.includes("\\"), "windows"),
  folder: rule("not end with a slash, as the path of a folder does", (path) => path.endsWith("/")),
  gap: rule("not have two slashes in a row", (path) => path.includes("//")),
  dots: rule(
    "have no name that is empty, a dot or two dots, with or without invisible characters",
    someName((name) => /^\.{0,2}$/.test(name.replace(invisible, "")))
  ),
  character: rule("have none of < > : \" | ? *", matches(/[<>:"|?*]/), "windows"),
  device: rule(
    "have no name of a Windows device, such as NUL or com1.txt",
    someName(matches(/^(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9\xb9\xb2\xb3]) *(\.|$)/i)),
    "windows"
  ),
  ending: rule("have no name that ends with a dot or a space", someName(matches(/[. ]$/)), "windows"),
  partial: rule(
    "have no name that a download uses for its temporary files",
    someName(matches(/\.[0-9a-f]{16}\.(partial|checkpoint|lock)$/i))
  ),
  bytes: rule("have no name of more than 255 bytes in UTF-8", someName((name) => hasMoreBytes(name, 255)), "posix"),
  units: rule("have no name of more than 255 units of UTF-16", someName((name) => name.length > 255), "windows"),
  length: rule("not have more than 1,024 bytes in UTF-8", (path) => hasMoreBytes(path, 1_024))
}

/**
 * The name of a rule. `unc`, `drive`, `backslash`, `character`, `device`, `ending` and `units` apply to Windows only, `bytes`
 * to POSIX only.
 *
 * @since 0.1.0
 * @category models
 */
export type Rule = keyof typeof rules

/**
 * A path that breaks a rule.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnsafePath extends errorClass<UnsafePath>()("UnsafePath", {
  path: Schema.String,
  /** The first rule that the path breaks. */
  rule: Schema.Literal(...Struct.keys(rules))
}) {
  override get message(): string {
    return `The path ${JSON.stringify(this.path)} must ${rules[this.rule].must}`
  }
}

const inOrder = Struct.keys(rules)

/**
 * Accepts a path unchanged, or fails with the first rule that it breaks. Never corrects a path: two bad names could become
 * one good name.
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
 * Makes an absolute path or a Windows path relative: `/home/a.txt` becomes `home/a.txt`, `C:\home\a.txt` becomes
 * `C/home/a.txt`, and `\\server\share\a.txt` becomes `server/share/a.txt`. The result may still break the rules.
 *
 * @since 0.1.0
 * @category constructors
 */
export const relative = (path: string): string =>
  path.replace(/\\/g, "/").replace(/^([A-Za-z]):\/*/, "$1/").replace(/^\/+/, "")

/** Whether a path has only ASCII characters, none of which is invisible. */
const isAscii = matches(/^[\x20-\x7e]*$/)

/** The form in which APFS, HFS+, NTFS and other file systems compare paths. */
const fold = (path: string): string =>
  isAscii(path)
    ? path.toLowerCase()
    : path.replace(invisible, "").normalize("NFD").toUpperCase().toLowerCase().normalize("NFC")

/**
 * Returns the places that a file needs: its folders, the outermost first, and its path. They are in the form in which the
 * platform compares paths: two files collide if the path of one is a place of the other.
 *
 * @since 0.1.0
 * @category collisions
 */
export const places = (path: string, platform: Platform = "portable"): Arr.NonEmptyReadonlyArray<string> => {
  const folded = platform === "posix" ? path : fold(path)
  const folders: Array<string> = []
  for (let end = folded.indexOf("/"); end !== -1; end = folded.indexOf("/", end + 1)) folders.push(folded.slice(0, end))
  return Arr.append(folders, folded)
}

/** For each path, the things that have this path or need a folder there. */
const placesOf = <A>(things: Iterable<A>, pathOf: (thing: A) => string, platform: Platform) => {
  const placed = Arr.fromIterable(things).map((thing) => {
    const own = places(pathOf(thing), platform)
    return { thing, places: own, path: Arr.lastNonEmpty(own) }
  })
  const groups = new Map(placed.map(({ path }): [string, Array<typeof placed[number]>] => [path, []]))
  for (const one of placed) {
    for (const place of one.places) groups.get(place)?.push(one)
  }
  return Array.from(groups).filter(([, group]) => group.length > 1)
}

/**
 * Returns the groups of things whose paths collide:
 *
 * - things with the same path;
 * - a file, and the things that need a folder at its path;
 * - unless the platform is `posix`, paths that differ only in case, in the composition of characters (NFC, NFD), or in
 *   invisible characters.
 *
 * Each group is in the order given. Without collisions there are no groups.
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
 * Returns the things to leave out so that the paths of all others do not collide: all things that share a path, and a file
 * at whose path others need a folder. The things in that folder remain. `count` is the number of things that the path
 * collides with, and `other` is one of them.
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
