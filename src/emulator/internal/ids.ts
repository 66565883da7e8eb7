/**
 * Ids as the service makes them: long and opaque, of the URL-safe base64 alphabet (spec section 7).
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

const alphanumerics = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

const alphabet = `${alphanumerics}-_`

// One random number holds 53 bits: eight characters of up to 6.
const eight = (letters: string, random: number): string => {
  const { length } = letters
  let text = ""
  for (let rest = Math.floor(random * length ** 8), i = 0; i < 8; i++, rest = Math.floor(rest / length)) {
    text += letters[rest % length]
  }
  return text
}

const of = (letters: string, length: number): Effect.Effect<string> =>
  Effect.gen(function*() {
    let text = ""
    while (text.length < length) text += eight(letters, yield* Random.next)
    return text.slice(0, length)
  })

/** So many random characters. None begins with `-`, which command lines would take for an option. */
export const random = (length: number): Effect.Effect<string> =>
  Effect.map(of(alphabet, length), (text) => text.replace(/^-/, "_"))

/** The id of a lock or of a unit of capacity: letters and digits. */
export const short: Effect.Effect<string> = of(alphanumerics, 24)

/** The lengths of the service's ids. */
export const length = { archive: 138, request: 47 }

const prefixLength = 10 + 8

/** The random rest of an id that `ordered` completes. */
export const tail: Effect.Effect<string> = random(92 - prefixLength)

/**
 * A job's or an upload's id. It sorts by time and by the number of the event, so that a page can go on behind an id
 * that has vanished since.
 */
export const ordered = (at: number, event: number, rest: string): string =>
  at.toString(36).padStart(10, "0") + event.toString(36).padStart(8, "0") + rest
