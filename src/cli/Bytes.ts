/**
 * Numbers of bytes in arguments: `500`, `500M`, `1.5 GiB`, `2GB`.
 *
 * @since 0.1.0
 */
import * as Options from "@effect/cli/Options"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

const pattern = /^(\d+(?:\.\d+)?) *(?:b|bytes?|([kmgtp])(ib?|b)?)?$/i

const units = ["", "k", "m", "g", "t", "p"]

const valueOf = (text: string): number => {
  const [, number = "", unit = "", ending = ""] = pattern.exec(text.trim()) ?? []
  const base = ending.toLowerCase() === "b" ? 1_000 : 1_024
  return number === "" ? NaN : Math.round(Number(number) * base ** units.indexOf(unit.toLowerCase()))
}

/**
 * A text with a number of bytes. The units K, M, G, T and P, also KiB to PiB, are powers of 1,024. The units kB, MB, GB, TB and
 * PB are powers of 1,000. A number without a unit is bytes. Case does not count.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Bytes = Schema.transformOrFail(Schema.String, Schema.NonNegativeInt, {
  strict: true,
  decode: (text, _, ast) => {
    const bytes = valueOf(text)
    return Number.isSafeInteger(bytes)
      ? ParseResult.succeed(bytes)
      : ParseResult.fail(
        new ParseResult.Type(ast, text, `${JSON.stringify(text)} is not a size. Write bytes, or 500M, 1.5GiB, 2GB`)
      )
  },
  encode: (bytes) => ParseResult.succeed(String(bytes))
})

/**
 * Makes an option whose value is a number of bytes.
 *
 * @since 0.1.0
 * @category options
 */
export const option = (name: string, description: string): Options.Options<number> =>
  Options.text(name).pipe(
    Options.withPseudoName("size"),
    Options.withSchema(Bytes),
    Options.withDescription(description)
  )
