/** The examples of jobs. */
import { expect, it } from "@effect/vitest"
import { run } from "./run.ts"

it("retrieve-archive.ts reuses its own job after a restart, and retrieves the file", { timeout: 60_000 }, async () => {
  const stdout = await run("retrieve-archive")
  expect(stdout).toMatch(
    /^(InProgress\n)*Stopped, and started again\n(InProgress\n)*Reading what job \S+ has retrieved\n/
  )
  expect(stdout).toContain("\n5000000 bytes, verified by root, with 1 job\n")
})

it("wait-by-notification.ts ends its waits when messages arrive", { timeout: 60_000 }, async () => {
  expect(await run("wait-by-notification")).toBe(
    "1000 bytes: Succeeded after a moment\n2000 bytes: Succeeded after a moment\n"
  )
})

it("retrieve-many.ts resumes after a restart, and pays for no archive twice", { timeout: 60_000 }, async () => {
  const plan = [
    "Bulk: 3 requests, 83 bytes",
    "Cost: 0.000075 (requests 0.000075)",
    "Rejected: 1",
    "  The path \"../etc/passwd\" must have no name that is empty, a dot or two dots, with or without invisible characters"
  ]
  const [first, again] = (await run("retrieve-many")).split("Stopped, and started again\n")
  const outcomes = (text = "") => text.split("\n").slice(plan.length).sort()
  expect(first?.split("\n").slice(0, plan.length)).toEqual(plan)
  expect(again?.split("\n").slice(0, plan.length)).toEqual(plan)
  expect(outcomes(first)).toEqual(["", expect.stringMatching(/^retrieved: photos\//)])
  expect([...outcomes(first), ...outcomes(again)].map((line) => line.replace(/^.*: /, "")).sort()).toEqual([
    "",
    "",
    "3 files, 4 jobs",
    "photos/2012/hills.jpg",
    "photos/2012/sea.jpg",
    "photos/2013/sea.jpg"
  ])
})
