/**
 * Shows names to people. Anyone with write access to a vault chooses the names in it, so a name may have line ends, escape
 * sequences of terminals, and characters that change the direction of text.
 *
 * @since 0.1.0
 */

const harmful = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/gu

const ascii = /^[\x20-\x7e]*$/

const escape = (character: string): string => {
  const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }
  return escapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
}

/**
 * Returns a name in one line without characters that a terminal obeys: these become escapes such as `\n` and `\u001b`.
 *
 * @since 0.1.0
 * @category formatting
 */
export const printable = (name: string): string => ascii.test(name) ? name : name.replace(harmful, escape)
