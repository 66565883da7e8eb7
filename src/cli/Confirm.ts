/**
 * The questions that a command asks before it destroys data or spends money. `--yes` confirms in advance. They are asked on stderr,
 * because stdout may be a file.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { createInterface } from "node:readline"
import { NotConfirmed } from "./Failures.ts"
import { Globals } from "./Globals.ts"
import { Output } from "./Output.ts"
import type { VaultState } from "./State.ts"

/** Asks for a line. It is empty when the input ends without one. */
const ask = (question: string): Effect.Effect<string> =>
  Effect.async((resume) => {
    // Without readline's own editing the terminal edits the line, and Ctrl-C interrupts the program as always.
    const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
    lines.on("close", () => resume(Effect.succeed("")))
    lines.question(question, (line) => {
      resume(Effect.succeed(line.trim()))
      lines.close()
    })
    return Effect.sync(() => lines.close())
  })

/** Asks a question after the text that explains it, unless `--yes` is given. Fails unless the response is right. */
const confirm = (text: string, question: string, isRight: (line: string) => boolean) =>
  Effect.gen(function*() {
    const { yes } = yield* Globals
    if (yes) return
    const { error, isTerminal, statusLine } = yield* Output
    if (!isTerminal || !process.stdin.isTTY) {
      return yield* new NotConfirmed({
        message: `${text}. There is no terminal to confirm this on: use --yes. Nothing was changed`
      })
    }
    yield* statusLine("")
    yield* error(`${text}.`)
    if (!isRight(yield* ask(question))) {
      return yield* new NotConfirmed({ message: "Not confirmed. Nothing was changed" })
    }
  })

/**
 * Asks for the name of a vault to be typed. `text` says what will happen: `This deletes 12 archives of the vault photos`. Fails
 * with `NotConfirmed` when another name is typed, and when there is no terminal to ask on.
 *
 * @since 0.1.0
 * @category asking
 */
export const vaultName = (
  { vaultName }: Pick<VaultState, "vaultName">,
  text: string
): Effect.Effect<void, NotConfirmed, Globals | Output> =>
  confirm(text, "Type the name of the vault to confirm: ", (line) => line === vaultName)

/**
 * Asks whether to continue. `text` says what will happen: `The retrieval costs about $12.50`. Fails with `NotConfirmed` unless
 * `y` or `yes` is typed, and when there is no terminal to ask on.
 *
 * @since 0.1.0
 * @category asking
 */
export const yesOrNo = (text: string): Effect.Effect<void, NotConfirmed, Globals | Output> =>
  confirm(text, "Continue? [y/N] ", (line) => /^y(es)?$/i.test(line))
