import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import { runScript } from "../support/processes.ts"

const script = fileURLToPath(new URL("s3Client.ts", import.meta.url))

const warningsOf = (...args: ReadonlyArray<string>) =>
  Effect.scoped(Effect.flatMap(runScript(script, args), ({ exit }) => Effect.map(exit, ({ stderr }) => stderr)))

describe("Globals", () => {
  it.live("turns off the warning of AWS's libraries about Node.js 20, and no other", () =>
    Effect.gen(function*() {
      const isWarned = Number(process.versions.node.split(".")[0]) < 22
      expect((yield* warningsOf()).includes("NodeVersionSupportWarning")).toBe(isWarned)
      const warnings = yield* warningsOf("as-command")
      expect(warnings).not.toContain("NodeVersionSupportWarning")
      expect(warnings).toContain("Another warning")
    }))
})
