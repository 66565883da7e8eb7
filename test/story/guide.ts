/** The guide "An inherited vault": the chapters of the story with what its commands have printed. */
import { chapters } from "./inheritedVault.ts"
import type { Printed } from "./run.ts"

const preface = `# An inherited vault

Somebody has left, and so has their NAS. Only a Glacier vault remains, on the bill every month. This is the way out of it, from the first look to the deleted vault: the program \`effect-glacier\` needs [Node.js](https://nodejs.org) 20 or later and [credentials of AWS](connections.md), and nothing else. Every line below was run against the [emulator](emulator.md), where a job takes seconds instead of hours. \`npm run docs:story\` runs them again and writes this page.

`

/** A line of progress, such as `move: 630 of 3,000 archives, ...` or `inventory: 1 job until 12:00 UTC`. */
const progress = /^(?:get|inventory|move|verify|empty): (?:([\d,]+) of ([\d,]+) archives?, |[\d,]+ jobs? until |next: )/

/**
 * Whether a line depends on the speed of the machine: progress before the end, or requests that have waited for a connection.
 * A command may show its last count more than once.
 */
const isIncidental = (line: string, index: number, lines: ReadonlyArray<string>): boolean => {
  const [isProgress, done, total] = progress.exec(line) ?? []
  const isLast = done !== undefined && done === total && !lines.slice(index + 1).some((later) => progress.test(later))
  return isProgress !== undefined && !isLast || /^A request to \S+ waits for a connection/.test(line)
}

/** Replaces everything that differs from run to run: the folder, the times, ids, durations and speeds. */
export const normalised = (text: string, folder: string): string =>
  text
    .split("\n").filter((line, index, lines) => !isIncidental(line, index, lines)).join("\n")
    .replace(/-\d{8}T\d{6}-[0-9a-f]{4}\b/g, "-20261130T120000-1a2b")
    .replace(/responds in \d+ ms/g, "responds in 10 ms")
    .replace(/\d+ seconds? (ahead of|behind)/g, "0 seconds ahead of")
    .replace(/^AGE +/gm, "AGE  ")
    .replace(/^(\d+[hms] ?)+ +(?=[\d.]+ MiB)/gm, "10s  ")
    .replaceAll(folder, "/home/ada")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "2026-11-30T12:00:00Z")
    .replace(/\d{4}-\d\d-\d\d(?!T)/g, "2026-11-30")
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:9012")
    .replace(/\b[\w-]{92,138}/g, "ID")
    .replace(/\b(\d+m )?\d+(\.\d+)?(ms|s)\b/g, "1s")
    .replace(/[\d.]+ [KMG]iB\/s/g, "10.0 MiB/s")
    .replace(/[\d.]+ [MGT]iB free/g, "100.0 GiB free")

/** The most lines of the output of a command in the guide. */
const most = 14

const shortened = (text: string): string => {
  const lines = text.trimEnd().split("\n")
  return lines.length <= most ? lines.join("\n") : [...lines.slice(0, most - 2), "...", ...lines.slice(-1)].join("\n")
}

/** Writes the guide. */
export const guideOf = (printed: ReadonlyArray<Printed>, folder: string): string => {
  const outputs = [...printed]
  return preface + chapters.map(({ steps, text, title }) =>
    [
      `## ${title}`,
      text,
      ...steps.flatMap(({ text, line }) => {
        const output = normalised(outputs.shift()?.text ?? "", folder)
        return [
          ...(text === undefined ? [] : [text]),
          `\`\`\`console\n$ ${line}\n${output === "" ? "" : `${shortened(output)}\n`}\`\`\``
        ]
      })
    ].join("\n\n")
  ).join("\n\n") + "\n"
}
