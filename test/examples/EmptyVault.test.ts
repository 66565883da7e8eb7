/** The example of a vault that is emptied and deleted. */
import { expect, it } from "@effect/vitest"
import { run } from "./run.ts"

it("empty-vault.ts keeps an archive without a copy, and deletes the vault later", { timeout: 60_000 }, async () => {
  const lines = (await run("empty-vault")).trimEnd().split("\n")
  expect(lines).toContain("Without a proof: 1 archive, which will not be deleted")
  expect(lines).toContainEqual(
    expect.stringMatching(/^The vault old-backups was not deleted: 1 archive .* has no proof/)
  )
  expect(lines.filter((line) => line.includes("deleted"))).toEqual(expect.arrayContaining([
    expect.stringMatching(/^Round 1: deleted 2 of 3 archives, 1 without a proof/),
    expect.stringMatching(/^Round 1: deleted 1 of 3 archives/),
    expect.stringMatching(/^Round 1: 3 archives deleted/)
  ]))
  expect(lines.slice(-2)).toEqual([expect.stringMatching(/vaults\/old-backups is deleted$/), "VaultNotFound"])
})
