import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeRetrievalBudget from "../../src/node/NodeRetrievalBudget.ts"
import { RetrievalBudget } from "../../src/policy/RetrievalBudget.ts"
import { LedgerError } from "../../src/protocol/GlacierError.ts"
import { runScript } from "../support/processes.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => realpathSync(mkdtempSync(join(tmpdir(), "effect-glacier-")))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const spender = fileURLToPath(new URL("spender.ts", import.meta.url))

/** How many of 100 bytes a day the ledger in a folder has left. */
const left = (directory: string, key?: string) =>
  Effect.flatMap(RetrievalBudget, ({ spend }) => spend({ bytes: 100, tier: "Bulk" }, Effect.void)).pipe(
    Effect.as(100),
    Effect.catchTag("BudgetExceeded", ({ left }) => Effect.succeed(left)),
    Effect.provide(NodeRetrievalBudget.layerWith(directory, { bytesPerDay: 100, onExhausted: "fail", key }))
  )

describe("NodeRetrievalBudget", () => {
  it.scopedLive(
    "lets one process at a time use a ledger, and forgets nothing when that is killed",
    () =>
      Effect.gen(function*() {
        const directory = yield* folder
        symlinkSync(directory, `${directory}/linked`)
        const first = yield* runScript(spender, [directory])
        const owner = yield* first.firstLine
        for (const path of [directory, `${directory}/linked`]) {
          const lock = join(path, "retrieval-budget.lock")
          expect(yield* Effect.flip(left(path))).toEqual(
            new LedgerError({
              message: `The ledger ${path}/retrieval-budget is in use by ${owner}. ` +
                `If that process no longer runs, remove ${lock}`
            })
          )
        }
        const second = yield* runScript(spender, [`${directory}/linked/.`])
        expect(yield* second.firstLine).toContain(` is in use by ${owner}`)
        yield* first.kill("SIGKILL")
        yield* first.exit
        expect(yield* left(directory)).toBe(30)
        expect(readdirSync(directory).sort()).toEqual(["linked", "retrieval-budget-1", "retrieval-budget-2"])
      }),
    60_000
  )

  it.scopedLive("rejects a second Layer of this process with the same key, and accepts another key", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      yield* Layer.build(NodeRetrievalBudget.layerWith(directory, { key: "one/two" }))
      expect((yield* Effect.flip(left(directory, "one/two"))).message).toBe(
        `The ledger ${directory}/one%2Ftwo is in use by this process`
      )
      expect(yield* left(directory)).toBe(100)
    }))

  it.scopedLive("says where there can be no ledger", () =>
    Effect.gen(function*() {
      const path = join(yield* folder, "file")
      writeFileSync(path, "mine")
      const error = yield* Effect.flip(left(path))
      expect(error).toMatchObject({ _tag: "LedgerError", message: expect.stringContaining(path) })
    }))
})
