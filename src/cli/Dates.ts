/**
 * Dates in arguments: `2014-12-31`, or with a time `2014-12-31T23:59:59Z`.
 *
 * @since 0.1.0
 */
import * as Options from "@effect/cli/Options"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as TextOption from "./TextOption.ts"

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
  TextOption.make(name, "date", read, "a date: write such as 2014-12-31 or 2014-12-31T23:59:59Z").pipe(
    Options.withDescription(description)
  )
