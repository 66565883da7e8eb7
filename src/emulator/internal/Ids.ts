/**
 * Ids as the service makes them: long and opaque, of the URL-safe base64 alphabet (spec section 7).
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// One random number holds 53 bits: eight characters of 6.
const eight = (random: number): string => {
  let text = ""
  for (let rest = Math.floor(random * 2 ** 48), i = 0; i < 8; i++, rest = Math.floor(rest / 64)) {
    text += alphabet[rest % 64]
  }
  return text
}

/** So many random characters. None begins with `-`, which command lines would take for an option. */
export const random = (length: number): Effect.Effect<string> =>
  Effect.gen(function*() {
    let text = ""
    while (text.length < length) text += eight(yield* Random.next)
    return text.slice(0, length).replace(/^-/, "_")
  })

/** The lengths of the service's ids. */
export const length = { archive: 138, request: 47 }

const ordered = 10 + 8

/** The random rest of an id that `inOrder` completes. */
export const tail: Effect.Effect<string> = random(92 - ordered)

/**
 * A job's or an upload's id. It sorts by time and by the number of the event, so that a page can go on behind an id
 * that has vanished since.
 */
export const inOrder = (at: number, event: number, rest: string): string =>
  at.toString(36).padStart(10, "0") + event.toString(36).padStart(8, "0") + rest
