/**
 * Makes ids in the form of the service's: long texts of the URL-safe base64 alphabet.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

const alphanumerics = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

const alphabet = `${alphanumerics}-_`

// A random number has 53 bits, enough for eight characters of 6 bits.
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

/** Makes an id of `length` random characters. It never starts with `-`: command lines would read it as an option. */
export const random = (length: number): Effect.Effect<string> =>
  Effect.map(of(alphabet, length), (text) => text.replace(/^-/, "_"))

/** Makes the id of a lock or of a unit of capacity: 24 letters and digits. */
export const short: Effect.Effect<string> = of(alphanumerics, 24)

/** The lengths of the service's ids. */
export const length = { archive: 138, request: 47 }

const prefixLength = 10 + 8

/** Makes the random rest of an id for `ordered`. */
export const tail: Effect.Effect<string> = random(92 - prefixLength)

/**
 * Makes the id of a job or an upload. Ids sort by time and number of the event, so that the next page of a list is
 * defined even when the id in the marker has expired.
 */
export const ordered = (at: number, event: number, rest: string): string =>
  at.toString(36).padStart(10, "0") + event.toString(36).padStart(8, "0") + rest
