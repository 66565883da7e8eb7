/**
 * The file name and modification time in the description of an archive. Glacier identifies archives only by their ids, so
 * programs write the name into the description, each in a form of its own. A codec reads one of these forms, and may write
 * it. A codec never throws.
 *
 * Anyone with write access to the vault can write a description, so do not use its path unchecked. See `SafePath`.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { InvalidInput } from "./GlacierError.ts"
import { check } from "./InputCheck.ts"
import * as Limits from "./Limits.ts"
import { Description } from "./Names.ts"

/**
 * A file that a codec finds in a description.
 *
 * @since 0.1.0
 * @category models
 */
export interface Decoded {
  /** The unchecked path, with the separators of its system of origin. */
  readonly path: string
  /** The modification time, exact to the second. None when the description has no valid one. */
  readonly modified: Option.Option<DateTime.Utc>
}

/**
 * The content of a description.
 *
 * @since 0.1.0
 * @category models
 */
export interface ArchiveName extends Decoded {
  /** The name of the codec that has read it, or `plain`. */
  readonly format: string
  /** The whole description. */
  readonly description: string
}

/**
 * The result of a codec for a description that it can read, but that describes no file: a folder, for instance.
 *
 * @since 0.1.0
 * @category models
 */
export const notAFile = "notAFile"

/**
 * Reads one form of descriptions. `decode` returns none for a description of another form.
 *
 * @since 0.1.0
 * @category models
 */
export interface Codec {
  readonly name: string
  readonly decode: (description: string) => Option.Option<Decoded | typeof notAFile>
}

/**
 * A file to write into a description.
 *
 * @since 0.1.0
 * @category models
 */
export interface File {
  readonly path: string
  /** The modification time, written to the second. */
  readonly modified: DateTime.Utc
}

/**
 * A codec that can also write.
 *
 * @since 0.1.0
 * @category models
 */
export interface Writer extends Codec {
  readonly encode: (file: File) => string
}

/** A BOM is a part of a name like any other character. */
const decoders = {
  utf8: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }),
  utf16: new TextDecoder("utf-16be", { fatal: true, ignoreBOM: true })
}

const text = (encoding: keyof typeof decoders): (bytes: Uint8Array) => Option.Option<string> =>
  Option.liftThrowable((bytes) => decoders[encoding].decode(bytes))

/** `20150101T000000Z`: the form of dates in all known programs. Accepts separators and a fraction. */
const timestamp = /^(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(?:\.\d{1,9})?Z$/

const readDate = (value: unknown): Option.Option<DateTime.Utc> => {
  const match = typeof value === "string" ? value.trim().match(timestamp) : null
  const [, year, month, day, hour, minute, second] = match ?? []
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  // The 31st of February would become a day in March.
  return Option.filter(DateTime.make(iso), (date) => DateTime.formatIso(date) === iso)
}

const writeDate = (date: DateTime.Utc): string => DateTime.formatIso(date).replace(/[-:]|\.\d+/g, "")

/** A blank name counts as none. */
const named = (path: unknown, modified: unknown): Option.Option<Decoded> =>
  typeof path === "string" && path.trim() !== ""
    ? Option.some({ path, modified: readDate(modified) })
    : Option.none()

/** The fields of an object without other members. */
const fields = Schema.decodeOption(
  Schema.parseJson(
    Schema.Record({
      key: Schema.String,
      value: Schema.Union(Schema.String, Schema.Number, Schema.Boolean, Schema.Null)
    })
  )
)

/** Text after a marker, in base64url with or without padding. */
const marked = (marker: string) => {
  const pattern = new RegExp(`^ *${marker} +([A-Za-z0-9_-]+)={0,2} *$`)
  return (description: string): Option.Option<string> =>
    Option.fromNullable(description.match(pattern)?.[1]).pipe(
      Option.flatMap((base64) => Either.getRight(Encoding.decodeBase64Url(base64))),
      Option.flatMap(text("utf8"))
    )
}

const mt = (json: string): Option.Option<Decoded> =>
  Option.flatMap(fields(json), ({ filename, mtime }) => named(filename, mtime))

const mt2Text = marked("mt2")

/**
 * The form of mt-aws-glacier: `mt2` and, in base64url, the JSON of `filename` and `mtime`. Documented in its sources.
 *
 * @since 0.1.0
 * @category codecs
 */
export const mt2: Writer = {
  name: "mt2",
  decode: (description) => Option.flatMap(mt2Text(description), mt),
  encode: ({ modified, path }) =>
    `mt2 ${Encoding.encodeBase64Url(JSON.stringify({ filename: path, mtime: writeDate(modified) }))}`
}

const mt1Text = marked("mt1")

/**
 * The form of mt-aws-glacier from December 2012 to January 2013: as `mt2`, but with the UTF-8 encoded twice by mistake.
 * Documented in its sources.
 *
 * @since 0.1.0
 * @category codecs
 */
export const mt1: Codec = {
  name: "mt1",
  decode: (description) =>
    mt1Text(description).pipe(
      Option.filter((twice) => /^[\0-\xff]*$/.test(twice)),
      Option.flatMap((twice) => text("utf8")(Uint8Array.from(twice, (character) => character.charCodeAt(0)))),
      Option.flatMap(mt)
    )
}

/** Base64 with padding in an element of XML. */
const base64 = "\\s*([A-Za-z0-9+/]+={0,2})\\s*"

/**
 * A pattern of elements in their order and no others: an XML parser would accept everything else that XML permits. No two
 * parts of a pattern match the same spaces, otherwise a long row of spaces would take very long.
 */
const elements = (pattern: string) => {
  const whole = new RegExp(`^\\s*${pattern}\\s*$`)
  return (description: string): Option.Option<Decoded> =>
    Option.flatMap(
      Option.fromNullable(whole.exec(description)),
      ([, base64 = "", modified]) =>
        Either.getRight(Encoding.decodeBase64(base64)).pipe(
          Option.flatMap(text("utf8")),
          Option.flatMap((path) => named(path, modified))
        )
    )
}

/**
 * The form of FastGlacier since its format 2, and of QNAP and CrushFTP: `<m>` with the version, the path in base64, the date,
 * and since format 3 flags, a hash and a size. Documented on FastGlacier's site. It is a guess that elements other than the
 * path can be missing. The flags `<ce>1:0:...` or `<ce>0:1:...` say that the bytes are compressed or encrypted; a download
 * returns them as they are.
 *
 * @since 0.1.0
 * @category codecs
 */
export const fastGlacier: Writer = {
  name: "fastglacier",
  decode: elements(
    `<m>\\s*(?:<v>\\s*[2-4]\\s*</v>\\s*)?<p>${base64}</p>\\s*(?:<lm>([^<]*)</lm>\\s*)?(?:<ce>[^<]*</ce>\\s*)?</m>`
  ),
  encode: ({ modified, path }) => `<m><v>4</v><p>${Encoding.encodeBase64(path)}</p><lm>${writeDate(modified)}</lm></m>`
}

/**
 * The form of the first versions of FastGlacier: `<ArchiveMetadata>` with the path in base64. AWS's program that moves vaults
 * to S3 reads it, too. It is a guess that a date can follow in `<LastModified>`.
 *
 * @since 0.1.0
 * @category codecs
 */
export const fastGlacier1: Codec = {
  name: "fastglacier1",
  decode: elements(
    `<ArchiveMetadata>\\s*<Path>${base64}</Path>\\s*(?:<LastModified>([^<]*)</LastModified>\\s*)?</ArchiveMetadata>`
  )
}

/** The numbers of base64 digits, modulo 8, that hold whole units of UTF-16. */
const wholeUnits = [0, 3, 6]

/** Decodes UTF-7 (RFC 2152). None for other text. */
const utf7 = (encoded: string): Option.Option<string> => {
  let broken = false
  const decoded = encoded.replace(/\+([A-Za-z0-9+/]*)(-?)/g, (_, digits: string, end: string) => {
    const shifted = digits === ""
      ? Option.liftPredicate("+", () => end === "-")
      : Option.flatMap(
        Option.filter(
          Either.getRight(Encoding.decodeBase64(digits.padEnd(Math.ceil(digits.length / 4) * 4, "="))),
          () => wholeUnits.includes(digits.length % 8)
        ),
        text("utf16")
      )
    broken ||= Option.isNone(shifted)
    return Option.getOrElse(shifted, () => "")
  })
  return broken ? Option.none() : Option.some(decoded)
}

const json = (key: "Path" | "path", decode: (path: string) => string) => (description: string) =>
  Option.liftPredicate(description, (text) => text.trimStart().startsWith("{")).pipe(
    Option.flatMap(fields),
    Option.flatMap(({ [key]: path, UTCDateModified, type = null }) =>
      Option.map(
        named(typeof path === "string" ? decode(path) : path, UTCDateModified),
        (decoded) => type === null || type === "file" ? decoded : notAFile
      )
    )
  )

/**
 * The form of CloudBerry (MSP360): the JSON of `Path`, in UTF-7, and `UTCDateModified`. Documented by its makers. It is a guess
 * that a path which is not UTF-7 is plain text. `Flags` of 1 and 2 say that the bytes are compressed or encrypted; a download
 * returns them as they are.
 *
 * @since 0.1.0
 * @category codecs
 */
export const cloudBerry: Codec = {
  name: "cloudberry",
  decode: json("Path", (path) => Option.getOrElse(utf7(path), () => path))
}

/**
 * The form of QNAP's Glacier app: JSON with a `path`. Known from descriptions that users found in their vaults. It is a guess
 * that `UTCDateModified` is the date. A description with a `type` other than "file" names no file.
 *
 * @since 0.1.0
 * @category codecs
 */
export const jsonPath: Codec = { name: "json", decode: json("path", (path) => path) }

/** An escape that boto writes: a space or a control character, or the bytes of other characters in UTF-8. */
const botoEscape = /%(?:[01][0-9A-F]|20|7F)|(?:%[89A-F][0-9A-F])+/g

const unescape = (escape: string): string =>
  Option.getOrElse(text("utf8")(Uint8Array.from(escape.slice(1).split("%"), (hex) => parseInt(hex, 16))), () => escape)

/**
 * The form of boto 2, which percent-encodes control characters and all characters outside ASCII, in older versions also the
 * space, but not `%` itself. So a name that contains `%20` is read with a space. For this reason `codecs` does not include
 * this codec: use it last, for archives that boto has stored. Escapes that boto does not write, and bytes that are not UTF-8,
 * stay unchanged. A description without such escapes is left to `plain`, which returns the same path.
 *
 * @since 0.1.0
 * @category codecs
 * @example
 * import { ArchiveName } from "effect-glacier"
 *
 * console.log(ArchiveName.read("2009/Ag%C3%A1tka ve %C5%A1kolce.JPG", [...ArchiveName.codecs, ArchiveName.boto]))
 */
export const boto: Codec = {
  name: "boto",
  decode: (description) => {
    const path = description.trim().replace(botoEscape, unescape)
    return path === description.trim() ? Option.none() : named(path, undefined)
  }
}

/**
 * The codecs of this package that recognize their own descriptions, in the order in which they are tried. All but `boto`.
 *
 * @since 0.1.0
 * @category codecs
 */
export const codecs: ReadonlyArray<Codec> = [fastGlacier, mt2, cloudBerry, jsonPath, mt1, fastGlacier1]

/**
 * Reads a description with the first codec that can. When no codec can, the whole text is the path, and the format is `plain`.
 * None when the text is empty or longer than Glacier permits, or when the codec says that the archive is not a file.
 *
 * @since 0.1.0
 * @category reading
 * @example
 * import { ArchiveName } from "effect-glacier"
 * import { Option } from "effect"
 *
 * // A codec of your own comes first: this one reads `backup of PATH`.
 * const mine: ArchiveName.Codec = {
 *   name: "mine",
 *   decode: (description) =>
 *     description.startsWith("backup of ")
 *       ? Option.some({ path: description.slice("backup of ".length), modified: Option.none() })
 *       : Option.none()
 * }
 *
 * console.log(ArchiveName.read("<m><v>4</v><p>Z2xhY2llci1kZy5wZGY=</p><lm>20120821T170824Z</lm></m>"))
 * console.log(ArchiveName.read("backup of photos.tar", [mine, ...ArchiveName.codecs]))
 */
export const read = (
  description: string,
  by: ReadonlyArray<Codec> = codecs
): Option.Option<ArchiveName> =>
  description.trim() === "" || description.length > Limits.maximumDescriptionLength
    ? Option.none()
    : Arr.findFirst(by, ({ decode, name }) =>
      Option.map(decode(description), (decoded) =>
        decoded === notAFile ? Option.none() : Option.some({ ...decoded, format: name, description }))).pipe(
        Option.getOrElse(() =>
          Option.some({
            path: description.trim(),
            modified: Option.none(),
            format: "plain",
            description
          })
        )
      )

const Path = Schema.String.pipe(
  Schema.filter((path) => path.trim() !== "" && !/\p{Cs}/u.test(path), {
    message: () => "must not be blank, and without halves of characters (lone surrogates)"
  })
)

const Modified = Schema.DateTimeUtcFromSelf.pipe(
  Schema.filter((date) => /^\d{8}T\d{6}Z$/.test(writeDate(date)), { message: () => "must be in the years 0 to 9999" })
)

/**
 * Makes the description of a file, by default in the form of FastGlacier, which most programs can read, including AWS's own.
 * Fails with `InvalidInput` when it is too long: 1,024 characters hold about 720 bytes of path in UTF-8.
 *
 * @since 0.1.0
 * @category writing
 */
export const write = (file: File, writer: Writer = fastGlacier): Either.Either<Description, InvalidInput> =>
  Either.gen(function*() {
    const path = yield* check("write", "path", Path, file.path)
    const modified = yield* check("write", "modified", Modified, file.modified)
    return yield* check("write", "description", Description, writer.encode({ path, modified }))
  })
