/**
 * What the description of an archive says of the file that it was. Glacier knows archives by their ids only, so programs
 * put the name and the time of the last change into the description, each in its own way. A codec reads one of these
 * ways, or writes it too; none throws, whatever the description holds.
 *
 * A description is written by whoever may write to the vault: its path is not to be used as it is. See `SafePath`.
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
 * A file as a codec finds it in a description.
 *
 * @since 0.1.0
 * @category models
 */
export interface Decoded {
  /** The path as it was written: hostile, and with the separators of the system it comes from. */
  readonly path: string
  /** When the file was last changed, to the second; none when the description does not say so, or not legibly. */
  readonly modified: Option.Option<DateTime.Utc>
}

/**
 * What a description says.
 *
 * @since 0.1.0
 * @category models
 */
export interface ArchiveName extends Decoded {
  /** The name of the codec that read it, or `plain`. */
  readonly format: string
  /** The whole description: what else it says is in there. */
  readonly description: string
}

/**
 * Returned by a codec for a description that it can read, but that describes something else than a file, such as a
 * folder.
 *
 * @since 0.1.0
 * @category models
 */
export const notAFile = "notAFile"

/**
 * A way to write names into descriptions, as it is read. `decode` returns none for a description that is not written in
 * that way.
 *
 * @since 0.1.0
 * @category models
 */
export interface Codec {
  readonly name: string
  readonly decode: (description: string) => Option.Option<Decoded | typeof notAFile>
}

/**
 * A file that a description is to tell of.
 *
 * @since 0.1.0
 * @category models
 */
export interface File {
  readonly path: string
  /** Kept to the second. */
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

/** `20150101T000000Z`: how all known programs write a date. Its separators, and a fraction, are let pass. */
const timestamp = /^(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(?:\.\d{1,9})?Z$/

const readDate = (value: unknown): Option.Option<DateTime.Utc> => {
  const match = typeof value === "string" ? value.trim().match(timestamp) : null
  const [, year, month, day, hour, minute, second] = match ?? []
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  // A 31st of February would become a day in March.
  return Option.filter(DateTime.make(iso), (date) => DateTime.formatIso(date) === iso)
}

const writeDate = (date: DateTime.Utc): string => DateTime.formatIso(date).replace(/[-:]|\.\d+/g, "")

/** A name that is blank is none. */
const named = (path: unknown, modified: unknown): Option.Option<Decoded> =>
  typeof path === "string" && path.trim() !== ""
    ? Option.some({ path, modified: readDate(modified) })
    : Option.none()

/** The fields of an object that holds no other. */
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
 * What mt-aws-glacier writes: `mt2` and, in base64url, the JSON of `filename` and `mtime`. Documented in its sources.
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
 * What mt-aws-glacier wrote from December 2012 to January 2013: as `mt2`, but the UTF-8 encoded twice, by a mistake.
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

/** Base64 with padding, as it stands in an element of XML. */
const base64 = "\\s*([A-Za-z0-9+/]+={0,2})\\s*"

/**
 * Elements in their order and no others, by a pattern: a parser of XML would let everything else that XML can do pass. No
 * two parts of a pattern match the same spaces, or a long row of them would take very long.
 */
const elements = (pattern: string) => {
  const whole = new RegExp(`^\\s*${pattern}\\s*$`)
  return (description: string): Option.Option<Decoded> => {
    const [, base64 = "", modified] = description.match(whole) ?? []
    return Either.getRight(Encoding.decodeBase64(base64)).pipe(
      Option.flatMap(text("utf8")),
      Option.flatMap((path) => named(path, modified))
    )
  }
}

/**
 * What FastGlacier has written since its format 2, and QNAP and CrushFTP after it: `<m>` with the version, the path in
 * base64, the date, and from format 3 on flags, a hash and a size. Documented on FastGlacier's site; that an element
 * other than the path may be missing is a guess. The flags, `<ce>1:0:...` or `<ce>0:1:...`, say that the bytes are
 * compressed or encrypted: they come back so.
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
 * What the first FastGlaciers wrote: `<ArchiveMetadata>` with the path in base64. So does AWS's program that moves
 * vaults to S3 read it; that a date may follow, in `<LastModified>`, is a guess.
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

/** The numbers of base64 digits, of 8, that hold whole units of UTF-16. */
const wholeUnits = [0, 3, 6]

/** UTF-7 (RFC 2152), or none. */
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
 * What CloudBerry (MSP360) writes: the JSON of `Path`, in UTF-7, and `UTCDateModified`. Told by its makers; that a path
 * which is no UTF-7 is to be taken as it stands is a guess. `Flags` of 1 and 2 say that the bytes are compressed or
 * encrypted: they come back so.
 *
 * @since 0.1.0
 * @category codecs
 */
export const cloudBerry: Codec = {
  name: "cloudberry",
  decode: json("Path", (path) => Option.getOrElse(utf7(path), () => path))
}

/**
 * JSON with a `path`, as QNAP's Glacier app writes it. Known from what others found in their vaults; `UTCDateModified`
 * is read as a date, which is a guess. A description with another `type` than "file" names no file.
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
 * Names as boto 2 writes them. It percent-encodes control characters and all that is not ASCII, older versions also the
 * space, but not `%` itself. So a name that has `%20` of its own comes back with a space. That is why this codec is not
 * among `codecs`: use it last, for archives that boto has stored. Escapes that boto does not write, and bytes that are no
 * UTF-8, stay as they are. A description without such escapes is left to `plain`, which gives the same path.
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
 * What a description says by the first of the codecs that can read it; when none can, the whole text is taken for the
 * path, and the format is `plain`. None when there is no text, or more than Glacier keeps, or when the codec says that the
 * archive is not a file.
 *
 * @since 0.1.0
 * @category reading
 * @example
 * import { ArchiveName } from "effect-glacier"
 * import { Option } from "effect"
 *
 * // A codec of your own comes first: here for `backup of PATH`.
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
 * The description that tells of a file, by default as FastGlacier does, which most programs can read, AWS's own included.
 * Fails with `InvalidInput` when it does not fit: 1,024 characters hold about 720 bytes of path in UTF-8.
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
