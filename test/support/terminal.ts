/** The `effect-glacier` program on a pseudo terminal of 80 columns. */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { bundle, program } from "./processes.ts"

const script = join(import.meta.dirname, "terminal.py")

/** Text that is typed once the terminal shows another text, such as a question. */
export type Typed = readonly [shown: string, typed: string]

/** The key that ends a line. */
export const enter = "\r"

/** Interrupts the program. */
export const ctrlC = "\u0003"

const tokens = /\p{Cc}\[\??([\d;]*)([A-Za-z])|[\r\n]|\P{Cc}+/gu

/**
 * Returns the lines that a terminal shows after it has received a text, without colours. Lines do not wrap, so that a test sees
 * when they are too long.
 */
export const linesOf = (text: string): ReadonlyArray<string> => {
  const lines = [""]
  let row = 0
  let column = 0
  for (const [token, parameter = "", command] of text.matchAll(tokens)) {
    const count = Number(parameter) || 1
    const line = lines[row] ?? ""
    if (token === "\r") column = 0
    else if (token === "\n") row++
    else if (command === undefined) {
      lines[row] = line.slice(0, column).padEnd(column) + token + line.slice(column + token.length)
      column += token.length
    } else if (command === "A") row = Math.max(0, row - count)
    else if (command === "B") row += count
    else if (command === "C") column += count
    else if (command === "D") column = Math.max(0, column - count)
    else if (command === "G") column = count - 1
    else if (command === "K") lines[row] = parameter === "2" ? "" : line.slice(0, column)
    else if (command === "J") lines.splice(row, lines.length, line.slice(0, column))
  }
  return Array.from(lines, (line = "") => line.trimEnd()).join("\n").trimEnd().split("\n")
}

interface Options {
  readonly input?: ReadonlyArray<Typed>
  readonly env?: NodeJS.ProcessEnv
}

const runBundle = (bundle: () => Promise<string>, args: ReadonlyArray<string>, { env = {}, input = [] }: Options) =>
  Effect.flatMap(Effect.promise(bundle), (path) =>
    Effect.acquireRelease(
      Effect.promise(async () => {
        const child = spawn("python3", [script, process.execPath, path, ...args], {
          env: { ...process.env, TERM: "xterm-256color", ...env }
        })
        let received = ""
        let from = 0
        const waiting = [...input]
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          received += text
          for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
            const at = received.indexOf(next[0], from)
            if (at === -1) break
            from = at + next[0].length
            child.stdin.write(next[1])
            waiting.shift()
          }
        })
        // The program may end before it reads what was typed.
        child.stdin.on("error", () => {})
        const [pid] = await once(createInterface(child.stderr), "line")
        const exit = once(child, "close").then(([code]: Array<unknown>) => ({
          /** 128 and the number of the signal, if a signal has ended the program. */
          code: code as number,
          /** All that the terminal has received. */
          received,
          /** The lines that the terminal shows at the end. */
          lines: linesOf(received),
          /** The texts that were not typed, because the terminal did not show the texts before them. */
          untyped: waiting
        }))
        return {
          /** The lines that the terminal shows now. */
          lines: Effect.sync(() => linesOf(received)),
          type: (text: string) => Effect.sync(() => void child.stdin.write(text)),
          exit: Effect.promise(() => exit),
          kill: (signal: NodeJS.Signals) =>
            Effect.sync(() => {
              if (child.exitCode === null) process.kill(Number(pid), signal)
            })
        }
      }),
      ({ exit, kill }) => Effect.zipRight(kill("SIGKILL"), exit)
    ))

/** Runs the `effect-glacier` program on a terminal until it ends. When the scope closes, the process is killed. */
export const runOnTerminal = (args: ReadonlyArray<string>, options: Options = {}) => runBundle(program, args, options)

/** Runs a TypeScript program in the same way. */
export const runScriptOnTerminal = (script: string, args: ReadonlyArray<string>, options: Options = {}) =>
  runBundle(() => bundle(script), args, options)
