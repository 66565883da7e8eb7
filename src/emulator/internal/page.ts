/**
 * Pages of lists (spec section 10): a limit above the maximum counts as the maximum, the marker is the last item of
 * the page, and there is none on the last page.
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Limits from "../../protocol/Limits.ts"
import type { ErrorResponse } from "./errorResponse.ts"
import * as ParameterError from "./parameterError.ts"

/** The size of a page of jobs, uploads or parts. */
export const size = (limit: Option.Option<number>): number =>
  Math.min(Option.getOrElse(limit, () => Limits.page), Limits.page)

/** The first items of what is left, and the last of them if more follow. No more is looked at. */
export const take = <A>(items: Iterable<A>, size: number): {
  readonly items: ReadonlyArray<A>
  readonly next: Option.Option<A>
} => {
  const page: Array<A> = []
  for (const item of items) {
    if (page.length === size) return { items: page, next: Option.fromNullable(page.at(-1)) }
    page.push(item)
  }
  return { items: page, next: Option.none() }
}

/** A marker that is the id of a job or an upload, which may have vanished since. */
export const idMarker = (marker: Option.Option<string>): Either.Either<string | undefined, ErrorResponse> =>
  Option.match(marker, {
    onNone: () => Either.right(undefined),
    onSome: (id) =>
      /^[A-Za-z0-9_-]{92}$/.test(id) ? Either.right(id) : Either.left(ParameterError.invalid("marker", id))
  })
