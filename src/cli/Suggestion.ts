/**
 * Suggestions for mistyped words.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Order from "effect/Order"

/** The number of characters to insert, remove or replace to make one word from another (Levenshtein). */
const distance = (from: string, to: string): number => {
  let row: ReadonlyArray<number> = Arr.range(0, to.length)
  for (const [i, letter] of Array.from(from).entries()) {
    const next = [i + 1]
    for (const [j, other] of Array.from(to).entries()) {
      next.push(Math.min((row[j] ?? 0) + (letter === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

/** More mistakes than these suggest another word, not a mistyped one. */
const mostMistakes = 2

/**
 * Returns the question `Did you mean WORD? ` with the word that is most like the mistyped one, and an empty text if none is.
 *
 * @since 0.1.0
 * @category formatting
 */
export const of = (mistyped: string, words: ReadonlyArray<string>): string => {
  const [best] = Arr.sort(
    words
      .map((word) => ({ word, mistakes: word.startsWith(mistyped) ? 0 : distance(mistyped, word) }))
      .filter(({ mistakes }) => mistakes <= mostMistakes),
    Order.mapInput(Order.number, ({ mistakes }: { readonly mistakes: number }) => mistakes)
  )
  return best === undefined ? "" : `Did you mean ${best.word}? `
}
