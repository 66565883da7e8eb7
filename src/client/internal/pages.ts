/**
 * The pages of a list as a Stream.
 *
 * @internal
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { MalformedResponse, show } from "../../protocol/GlacierError.ts"
import type * as Operation from "../../protocol/Operation.ts"

/**
 * Lists the entries of all pages, up to the page without a marker. Fails when a marker comes a second time, because the
 * list would never end. It remembers all markers for that: one for each page, which is little beside the entries.
 */
export const pages = <Page extends { readonly marker: Option.Option<string> }, A, E, R>(
  { name, success }: Operation.Any,
  page: (marker: string | undefined) => Effect.Effect<Page, E, R>,
  entries: (page: Page) => ReadonlyArray<A>
): Stream.Stream<A, E | MalformedResponse, R> =>
  Stream.suspend(() => {
    const seen = new Set<string>()
    return Stream.paginateChunkEffect(
      Option.none<string>(),
      (marker) =>
        Effect.flatMap(page(Option.getOrUndefined(marker)), (found) => {
          const next = Option.filter(found.marker, (marker) => marker !== "")
          if (Option.exists(next, (marker) => seen.has(marker))) {
            return new MalformedResponse({
              operation: name,
              status: success[0] ?? 200,
              problem: `Marker ${show(Option.getOrUndefined(next))} comes a second time: the list would never end`
            })
          }
          Option.map(next, (marker) => seen.add(marker))
          return Effect.succeed([Chunk.fromIterable(entries(found)), Option.map(next, Option.some)] as const)
        })
    )
  })
