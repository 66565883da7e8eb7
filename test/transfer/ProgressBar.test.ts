/** Progress as a line of text and as a bar in a terminal. */
import * as Terminal from "@effect/platform/Terminal"
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Progress from "../../src/transfer/Progress.ts"
import * as ProgressBar from "../../src/transfer/ProgressBar.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import * as Support from "./support.ts"

const { address, mebibyte, pattern } = Support

/** A terminal that records what is displayed. */
const terminal = (isTTY: boolean, columns = 120) => {
  const shown: Array<string> = []
  const service = Terminal.Terminal.of({
    columns: Effect.succeed(columns),
    rows: Effect.succeed(24),
    isTTY: Effect.succeed(isTTY),
    readInput: Mailbox.make<Terminal.UserInput>(),
    readLine: new Terminal.QuitException(),
    display: (text) => Effect.sync(() => shown.push(text))
  })
  return { shown, service }
}

const upload = (source: Source.Source | Source.StreamSource<string>) =>
  ProgressBar.show(
    "Upload",
    (onProgress) => Upload.upload(address, source, { partSize: mebibyte, concurrency: 1, onProgress })
  )

describe("ProgressBar.line", () => {
  const estimate = { bytes: 0, total: Option.some(10), rate: 0, remaining: Option.none() }

  it.each<[Progress.Estimate, string]>([
    [new Progress.Estimate(estimate), "0 bytes of 10 bytes (0 %)"],
    [new Progress.Estimate({ ...estimate, bytes: 1023, total: Option.none() }), "1023 bytes"],
    [
      new Progress.Estimate({
        bytes: 1024,
        total: Option.some(3 * 1024 ** 4),
        rate: 1.5 * mebibyte,
        remaining: Option.some(Duration.millis(3_599_001))
      }),
      "1.0 KiB of 3.0 TiB (0 %), 1.5 MiB/s, 1h to go"
    ],
    [
      new Progress.Estimate({ bytes: 10, total: Option.some(10), rate: 5, remaining: Option.some(Duration.zero) }),
      "10 bytes of 10 bytes (100 %), 5 bytes/s"
    ]
  ])("shows bytes, percentage, rate and remaining time as far as they are known: %#", (estimate, text) => {
    expect(ProgressBar.line(estimate)).toBe(text)
  })
})

describe("ProgressBar.show", () => {
  it.effect("redraws a bar no wider than the terminal, and returns the result of the transfer", () =>
    Effect.gen(function*() {
      const { service, shown } = terminal(true, 60)
      const { parts } = yield* Effect.provideService(
        upload(Source.bytes(pattern(4 * mebibyte))),
        Terminal.Terminal,
        service
      )
      expect(parts).toBe(4)
      expect(shown.at(-2)?.startsWith(`\r\u001b[KUpload [${"#".repeat(30)}] 4.0 MiB of 4`)).toBe(true)
      expect(shown.at(-1)).toBe("\n")
      expect(shown.some((text) => text.includes(`[${"#".repeat(15)}${".".repeat(15)}] 2.0 MiB`))).toBe(true)
      for (const text of shown) expect(text.replace("\r\u001b[K", "").length).toBeLessThan(60)
    }).pipe(Effect.provide(Support.layer())))

  it.effect("prints a line at each quarter when the output is not a terminal", () =>
    Effect.gen(function*() {
      const { service, shown } = terminal(false)
      yield* Effect.provideService(upload(Source.bytes(pattern(8 * mebibyte))), Terminal.Terminal, service)
      expect(shown.map((text) => text.match(/^Upload ([^(]*\(\d+ %\)).*\n$/)?.[1])).toEqual([
        "1.0 MiB of 8.0 MiB (12 %)",
        "2.0 MiB of 8.0 MiB (25 %)",
        "4.0 MiB of 8.0 MiB (50 %)",
        "6.0 MiB of 8.0 MiB (75 %)",
        "8.0 MiB of 8.0 MiB (100 %)"
      ])
    }).pipe(Effect.provide(Support.layer())))

  it.effect("ends its line when the transfer fails, and fails with the same error", () =>
    Effect.gen(function*() {
      const { service, shown } = terminal(true)
      const failing = ProgressBar.show("Upload", (onProgress) =>
        Effect.zipRight(
          onProgress(Progress.Event.Sent({ range: { start: 0, end: 9 }, bytes: 10, total: Option.none() })),
          Effect.fail("broken")
        ))
      expect(yield* Effect.flip(Effect.provideService(failing, Terminal.Terminal, service))).toBe("broken")
      expect(shown.at(-1)).toBe("\n")
    }))
})
