import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { GlacierClient } from "../../src/index.ts"
import { NodeEmulator } from "../../src/node/index.ts"
import { temporaryFolder } from "../support/folders.ts"
import { linesOf, runOnTerminal } from "../support/terminal.ts"
import { environment } from "./emulator.ts"

describe("runOnTerminal", () => {
  it("shows what remains of lines that were overwritten or erased", () => {
    expect(
      linesOf("one\r\ntwo\rTW\r\n\u001b[1mthree\u001b[0m\u001b[2D\u001b[K!\r\nfour\u001b[2K\u001b[1A\u001b[Gx\r\n")
    )
      .toEqual(["one", "TWo", "xhr!"])
  })
})

describe("effect-glacier", () => {
  it.scopedLive("prints no colours on a terminal, with NO_COLOR and without", () =>
    Effect.gen(function*() {
      const runs = [["", "vaults", "--help"], ["", "vaults", "unknown"], ["1", "vaults", "unknown"], [
        "1",
        "emulator",
        "x"
      ]]
      for (const [NO_COLOR, ...args] of runs) {
        const { received } = yield* Effect.flatMap(runOnTerminal(args, { env: { NO_COLOR } }), ({ exit }) => exit)
        expect(received).not.toBe("")
        expect(received).not.toContain("\u001b")
      }
    }))
})

describe("effect-glacier vaults", () => {
  it.scopedLive("has no line over 80 characters on a terminal of 80 columns", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient.GlacierClient
      yield* Effect.forEach(["a", "photos-of-the-family"], (vaultName) => glacier.createVault({ vaultName }))
      const env = yield* environment(yield* temporaryFolder)
      const { code, lines } = yield* Effect.flatMap(runOnTerminal(["vaults"], { env }), ({ exit }) => exit)
      expect(code).toBe(0)
      expect(lines).toHaveLength(3)
      expect(lines[2]).toMatch(/^photos-of-the-family /)
      expect(lines.filter(({ length }) => length > 80)).toEqual([])
    }).pipe(Effect.provide(NodeEmulator.layer())), 60_000)
})
