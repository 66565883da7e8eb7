import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeRetrievalBudget from "../../src/node/NodeRetrievalBudget.ts"
import { RetrievalBudget } from "../../src/policy/RetrievalBudget.ts"
import { LedgerError } from "../../src/protocol/GlacierError.ts"
import { temporaryFolder } from "../support/folders.ts"
import { runScript } from "../support/processes.ts"

const spender = fileURLToPath(new URL("spender.ts", import.meta.url))

/** The remaining bytes of a budget of 100 bytes per day with its ledger in a folder. */
const remaining = (directory: string, key?: string) =>
  Effect.flatMap(RetrievalBudget, ({ spend }) => spend({ bytes: 100, tier: "Bulk" }, Effect.void)).pipe(
    Effect.as(100),
    Effect.catchTag("BudgetExceeded", ({ left }) => Effect.succeed(left)),
    Effect.provide(NodeRetrievalBudget.layerWith(directory, { bytesPerDay: 100, onExhausted: "fail", key }))
  )

describe("NodeRetrievalBudget", () => {
  it.scopedLive(
    "allows one process at a time to use a ledger, and keeps its entries when it is killed",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryFolder
        symlinkSync(directory, `${directory}/linked`)
        const first = yield* runScript(spender, [directory])
        const owner = yield* first.firstLine
        for (const path of [directory, `${directory}/linked`]) {
          const lock = join(path, "retrieval-budget.lock")
          expect(yield* Effect.flip(remaining(path))).toEqual(
            new LedgerError({
              owner,
              message: `The ledger ${path}/retrieval-budget is in use by ${owner}. ` +
                `If that process no longer runs, remove ${lock}`
            })
          )
        }
        const second = yield* runScript(spender, [`${directory}/linked/.`])
        expect(yield* second.firstLine).toContain(` is in use by ${owner}`)
        yield* first.kill("SIGKILL")
        yield* first.exit
        expect(yield* remaining(directory)).toBe(30)
        expect(readdirSync(directory).sort()).toEqual(["linked", "retrieval-budget-1", "retrieval-budget-2"])
      }),
    60_000
  )

  it.scopedLive("rejects a second Layer of this process, unless it has another key", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryFolder
      yield* Layer.build(NodeRetrievalBudget.layerWith(directory, { key: "one/two" }))
      expect((yield* Effect.flip(remaining(directory, "one/two"))).message).toBe(
        `The ledger ${directory}/one%2Ftwo is in use by this process`
      )
      expect(yield* remaining(directory)).toBe(100)
    }))

  it.scopedLive("names the folder in which a ledger cannot be made", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryFolder, "file")
      writeFileSync(path, "mine")
      const error = yield* Effect.flip(remaining(path))
      expect(error).toMatchObject({ _tag: "LedgerError", message: expect.stringContaining(path) })
    }))
})
