/** The program of the first command in the README. */
import { afterAll, expect, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bundle } from "../support/processes.ts"

const folder = mkdtempSync(join(tmpdir(), "round-trip-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs it with a temporary folder of its own; `onText` sees all that was printed so far. */
const run = async (
  file: string | undefined,
  onText: (text: string, kill: (signal: NodeJS.Signals) => void) => void = () => {}
) => {
  const temporary = mkdtempSync(join(folder, "tmp-"))
  const args = [await bundle("examples/round-trip.ts"), ...(file === undefined ? [] : [file])]
  const child = spawn(process.execPath, args, { env: { ...process.env, TMPDIR: temporary } })
  let text = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece: string) => {
      text += piece
      onText(text, (signal) => child.kill(signal))
    })
  }
  const [code] = await once(child, "close")
  return { code, text, left: readdirSync(temporary) }
}

it("uploads and retrieves the sample, and prints a report", { timeout: 60_000 }, async () => {
  const { code, left, text } = await run(undefined)
  expect(text).toMatch(
    /Created the vault "round-trip"\n[^]*Upload .*\n[^]*typescript\.js {2}\d+ bytes[^]*Download .*\n/
  )
  expect(text).toMatch(
    /\nsize +\d+ bytes\nparts +\d+\ntree hash +[0-9a-f]{64}\nupload +[\d.]+ s +[\d.]+ MiB\/s\ndownload +[\d.]+ s +[\d.]+ MiB\/s\nverified /
  )
  expect({ code, left }).toEqual({ code: 0, left: [] })
})

it("prints the file that cannot be read or stored", { timeout: 60_000 }, async () => {
  const empty = join(folder, "empty")
  writeFileSync(empty, "")
  mkdirSync(join(folder, "directory"))
  const [missing, directory, nothing] = await Promise.all(
    [join(folder, "missing"), join(folder, "directory"), empty].map((file) => run(file))
  )
  expect(missing).toMatchObject({
    code: 1,
    left: [],
    text: expect.stringMatching(/Failed: Cannot read .*missing.*ENOENT/)
  })
  expect(directory).toMatchObject({
    code: 1,
    left: [],
    text: expect.stringMatching(/Failed: Cannot read .*not a file/)
  })
  expect(nothing).toMatchObject({
    code: 1,
    left: [],
    text: expect.stringContaining(`Failed: upload: size of "${empty}" must be 1 byte`)
  })
})

it("cleans up after one or two Ctrl-C", { timeout: 60_000 }, async () => {
  const large = join(folder, "large")
  writeFileSync(large, new Uint8Array(200 * 1_048_576))
  let stopped = false
  const { code, left, text } = await run(large, (text, kill) => {
    if (stopped || !text.includes("Upload")) return
    stopped = true
    kill("SIGINT")
    kill("SIGINT")
  })
  expect(text).not.toContain("verified")
  expect({ code, left }).toEqual({ code: 130, left: [] })
})
