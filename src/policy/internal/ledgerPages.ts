/**
 * The two pages on which a ledger is stored. Both hold the same state and are written one after the other, so that one
 * page stays whole when the write of the other is torn or lost. Each starts with its hash, which shows that it is whole.
 *
 * @internal
 */
import type * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { LedgerError } from "../../protocol/GlacierError.ts"
import * as Sha256 from "../../protocol/Sha256.ts"
import { type State, Tally } from "./ledgerState.ts"

const Page = Schema.parseJson(Schema.Struct({
  /** The program that wrote the page, and the number of its write. */
  owner: Schema.String,
  version: Schema.NonNegativeInt,
  spent: Schema.Array(Schema.Struct({ at: Schema.Finite, bytes: Schema.NonNegativeInt })),
  inFlight: Schema.propertySignature(Schema.NonNegativeInt).pipe(Schema.fromKey("open")),
  tally: Tally,
  closedUntil: Schema.Finite
}))

type Page = typeof Page.Type

const hashOf = (create: Sha256.Create, text: string): string => Sha256.hex(create, new TextEncoder().encode(text))

const encode = (create: Sha256.Create, page: Page): string => {
  const text = Schema.encodeSync(Page)(page)
  return `${hashOf(create, text)} ${text}`
}

/** Returns the page of a text; none when the text is damaged. */
const decode = (create: Sha256.Create, page: string): Option.Option<Page> => {
  const text = page.slice(65)
  return page.startsWith(`${hashOf(create, text)} `) ? Schema.decodeOption(Page)(text) : Option.none()
}

/** The pages of a ledger that this program has opened. */
export interface Pages {
  readonly name: string
  readonly store: KeyValueStore.KeyValueStore
  readonly keys: readonly [string, string]
  readonly create: Sha256.Create
  readonly owner: string
  version: number
  /** The index of a page that is known to be whole. The other page is written first. */
  whole: 0 | 1 | undefined
  /** The text that this program wrote last. */
  written: string
}

export const failure = (name: string, problem: string): LedgerError =>
  new LedgerError({ message: `The ledger "${name}" of retrievals ${problem}` })

const readTexts = ({ keys, name, store }: Pages) =>
  Effect.all([store.get(keys[0]), store.get(keys[1])]).pipe(
    Effect.mapError((error) => failure(name, `cannot be read: ${error.message}`))
  )

/**
 * Reads the pages of a ledger and returns them with the newest whole state, none in a new ledger. Fails with
 * `LedgerError` when the pages cannot be read or both are damaged.
 */
export const openPages = (
  store: KeyValueStore.KeyValueStore,
  name: string
): Effect.Effect<readonly [Pages, Option.Option<State>], LedgerError> =>
  Effect.gen(function*() {
    const pages: Pages = {
      name,
      store,
      keys: [`${name}-1`, `${name}-2`],
      create: yield* Sha256.Sha256,
      owner: (yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)).toString(36),
      version: 0,
      whole: undefined,
      written: ""
    }
    const texts = yield* readTexts(pages)
    const [first, second] = texts.map((text) =>
      Option.getOrUndefined(Option.flatMap(text, (text) => decode(pages.create, text)))
    )
    const isSecondNewest = second !== undefined && (first === undefined || second.version > first.version)
    const newest = isSecondNewest ? second : first
    if (newest === undefined) {
      // Without a second page the first write has not ended, so nothing can have been retrieved.
      if (Option.isNone(texts[1])) return [pages, Option.none()]
      return yield* failure(
        name,
        `is damaged. Wait until a day after the last retrieval, then remove its keys ${pages.keys.join(" and ")}: ` +
          "what counts towards a cap of cost is lost with them"
      )
    }
    pages.version = newest.version
    pages.whole = isSecondNewest ? 1 : 0
    return [pages, Option.some(newest)]
  })

/** Writes a state to both pages. Takes the ledger over from the program that had it open. */
export const writePages = (pages: Pages, state: State): Effect.Effect<void, LedgerError> =>
  Effect.gen(function*() {
    pages.written = encode(pages.create, { ...state, owner: pages.owner, version: ++pages.version })
    for (const index of pages.whole === 0 ? [1, 0] as const : [0, 1] as const) {
      yield* pages.store.set(pages.keys[index], pages.written)
      pages.whole = index
    }
  }).pipe(Effect.mapError((error) => failure(pages.name, `cannot be written: ${error.message}`)))

/** Writes a state to both pages. Fails with `LedgerError` when another program has taken the ledger over. */
export const writeOwnPages = (pages: Pages, state: State): Effect.Effect<void, LedgerError> => {
  const isForeign = (text: string) =>
    text !== pages.written && Option.exists(decode(pages.create, text), ({ owner }) => owner !== pages.owner)
  return Effect.flatMap(readTexts(pages), (texts) =>
    texts.some(Option.exists(isForeign))
      ? failure(pages.name, "was opened by another program, or twice by this one: each needs a key of its own")
      : writePages(pages, state))
}
