import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** The entries of a list, page after page. */
export const pages = <Page extends { readonly marker: Option.Option<string> }, A, E, R>(
  page: (marker: string | undefined) => Effect.Effect<Page, E, R>,
  entries: (page: Page) => ReadonlyArray<A>
): Stream.Stream<A, E, R> =>
  Stream.paginateChunkEffect(
    Option.none<string>(),
    (marker) =>
      Effect.map(page(Option.getOrUndefined(marker)), (answer) => [
        Chunk.fromIterable(entries(answer)),
        Option.map(answer.marker, Option.some)
      ])
  )
