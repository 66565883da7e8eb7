/** The example that moves archives to an object store. */
import { expect, it } from "@effect/vitest"
import { run } from "./run.ts"

it("move-to-s3.ts moves the archives, and keeps the one that has no copy", { timeout: 60_000 }, async () => {
  const lines = (await run("move-to-s3")).trimEnd().split("\n")
  expect(lines.filter((line) => line.startsWith("moved")).sort()).toEqual([
    "moved to s3://bucket/old-photos/letters/1.txt",
    "moved to s3://bucket/old-photos/photos/2012/hills.jpg",
    "moved to s3://bucket/old-photos/photos/2012/sea.jpg"
  ])
  expect(lines).toContain("3 proofs")
  expect(lines.at(-1)).toMatch(/^The vault old-photos was not deleted: 1 archive .* has no proof/)
})
