/**
 * Dates in arguments: `2014-12-31`, or with a time `2014-12-31T23:59:59Z`.
 *
 * @since 0.1.0
 */
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

const pattern = /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/

/** Whether a month has this day. JavaScript takes the 31st of February for a day in March. */
const isDay = (day: string): boolean =>
  Option.exists(DateTime.make(day), (date) => DateTime.formatIsoDateUtc(date) === day)

/**
 * Reads a date. A date without a time is its first moment in UTC. A time needs an offset, such as `Z` or `+02:00`. None for any
 * other text.
 *
 * @since 0.1.0
 * @category reading
 */
export const read = (text: string): Option.Option<DateTime.Utc> =>
  Option.fromNullable(pattern.exec(text)).pipe(
    Option.filter(([, day = ""]) => isDay(day)),
    Option.flatMap(() => DateTime.make(text))
  )

/**
 * Makes an option whose value is a date.
 *
 * @since 0.1.0
 * @category options
 */
export const option = (name: string, description: string): Options.Options<DateTime.Utc> =>
  Options.text(name).pipe(
    Options.withPseudoName("date"),
    Options.mapEffect((text) =>
      Effect.mapError(read(text), () =>
        ValidationError.invalidValue(
          HelpDoc.p(
            `The value ${
              JSON.stringify(text)
            } of --${name} is not a date: write such as 2014-12-31 or 2014-12-31T23:59:59Z`
          )
        ))
    ),
    Options.withDescription(description)
  )
