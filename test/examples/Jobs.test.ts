/** The examples of jobs, as somebody at a shell would see them. */
import { expect, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { promisify } from "node:util"

const run = async (example: string) => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", `examples/${example}.ts`])
  return stdout
}

it("retrieve-archive.ts is stopped, joins its own job, and has the file", { timeout: 60_000 }, async () => {
  const stdout = await run("retrieve-archive")
  expect(stdout).toMatch(
    /^(InProgress\n)*Stopped, and started again\n(InProgress\n)*Reading what job \S+ has retrieved\n/
  )
  expect(stdout).toContain("\n5000000 bytes, checked by root, with 1 job\n")
})

it("wait-by-notification.ts is woken by messages", { timeout: 60_000 }, async () => {
  expect(await run("wait-by-notification")).toBe(
    "1000 bytes: Succeeded after a moment\n2000 bytes: Succeeded after a moment\n"
  )
})
