/** The example of a vault lock. */
import { expect, it } from "@effect/vitest"
import { run } from "./run.ts"

it("lock-vault.ts aborts the lock of a wrong policy, and completes the right one", { timeout: 60_000 }, async () => {
  const [first, aborted, second, denied, last] = (await run("lock-vault")).split("\n")
  expect(first).toBe("In force: no archive younger than 0 days can be deleted")
  expect(aborted).toBe("The lock was aborted: VaultLockNotSet")
  expect(second).toBe("In force: no archive younger than 365 days can be deleted")
  expect(denied).toBe("The deletion failed with AccessDenied")
  expect(last).toMatch(/^Nobody can change the policy now: VaultLocked: /)
})
