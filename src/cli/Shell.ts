/**
 * Commands as they are typed in a shell.
 *
 * @since 0.1.0
 */

const plain = /^[\w@%+=:,./-]+$/

/**
 * Returns a text as one word of a command.
 *
 * @since 0.1.0
 * @category formatting
 */
export const quote = (text: string): string => plain.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

/**
 * Returns words as a command.
 *
 * @since 0.1.0
 * @category formatting
 */
export const join = (words: ReadonlyArray<string>): string => words.map(quote).join(" ")
