/**
 * Numbers of bytes in arguments: `500`, `500M`, `1.5 GiB`, `2GB`.
 *
 * @since 0.1.0
 */
import * as Options from "@effect/cli/Options"
import * as Option from "effect/Option"
import * as TextOption from "./TextOption.ts"

const pattern = /^(\d+(?:\.\d+)?) *(?:b|bytes?|([kmgtp])(ib?|b)?)?$/i

const units = ["", "k", "m", "g", "t", "p"]

const valueOf = (text: string): number => {
  const [, number = "", unit = "", ending = ""] = pattern.exec(text.trim()) ?? []
  const base = ending.toLowerCase() === "b" ? 1_000 : 1_024
  return number === "" ? NaN : Math.round(Number(number) * base ** units.indexOf(unit.toLowerCase()))
}

/**
 * Reads a number of bytes. The units K, M, G, T and P, also KiB to PiB, are powers of 1,024. The units kB, MB, GB, TB and PB are
 * powers of 1,000. A number without a unit is bytes. Case does not count. None for any other text, and for more than 8 PiB.
 *
 * @since 0.1.0
 * @category reading
 */
export const read = (text: string): Option.Option<number> => Option.liftPredicate(valueOf(text), Number.isSafeInteger)

/**
 * Makes an option whose value is a number of bytes.
 *
 * @since 0.1.0
 * @category options
 */
export const option = (name: string, description: string): Options.Options<number> =>
  TextOption.make(name, "size", read, "a size: write bytes, or such as 500M, 1.5GiB, 2GB").pipe(
    Options.withDescription(description)
  )
