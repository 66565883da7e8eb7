/**
 * Options whose values are read from text, such as sizes and dates.
 *
 * @since 0.1.0
 */
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Effect from "effect/Effect"
import * as Number from "effect/Number"
import * as Option from "effect/Option"

/**
 * Makes an option. `placeholder` stands for the value in the help. `rule` ends the message about a text that `read` rejects: the
 * value is not `a date: write such as 2014-12-31`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <A>(
  name: string,
  placeholder: string,
  read: (text: string) => Option.Option<A>,
  rule: string
): Options.Options<A> =>
  Options.text(name).pipe(
    Options.withPseudoName(placeholder),
    Options.mapEffect((text) =>
      Effect.mapError(read(text), () =>
        ValidationError.invalidValue(HelpDoc.p(`The value ${JSON.stringify(text)} of --${name} is not ${rule}`)))
    )
  )

/**
 * Makes an option whose value is a whole number.
 *
 * @since 0.1.0
 * @category constructors
 */
export const wholeNumber = (name: string, minimum: number, maximum?: number): Options.Options<number> => {
  const isWithin = Number.between({ minimum, maximum: maximum ?? globalThis.Number.MAX_SAFE_INTEGER })
  const read = (text: string) => Option.filter(Number.parse(text), (value) => /^\d+$/.test(text) && isWithin(value))
  const rule = maximum === undefined ? `, ${minimum} or more` : ` from ${minimum} to ${maximum}`
  return make(name, "number", read, `a whole number${rule}`)
}
