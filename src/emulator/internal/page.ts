/**
 * Cuts lists into pages. A limit above the maximum counts as the maximum. The marker is the last item of a page; the
 * last page has none. See ListJobs and ListMultipartUploads (Amazon Glacier API Reference).
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Limits from "../../protocol/Limits.ts"
import type { ErrorResponse } from "./errorResponse.ts"
import * as ParameterError from "./parameterError.ts"

/** Returns the size of a page of jobs, uploads or parts for the limit of the request. */
export const size = (limit: Option.Option<number>): number =>
  Math.min(Option.getOrElse(limit, () => Limits.page), Limits.page)

/** Returns the first `size` items, and the last of them as `next` if there are more. Reads at most one item more. */
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

/** Checks a marker that is the id of a job or an upload. The job or upload may have expired. */
export const idMarker = (marker: Option.Option<string>): Either.Either<string | undefined, ErrorResponse> =>
  Option.match(marker, {
    onNone: () => Either.right(undefined),
    onSome: (id) =>
      /^[A-Za-z0-9_-]{92}$/.test(id) ? Either.right(id) : Either.left(ParameterError.invalid("marker", id))
  })
