/** The program as a process: mistakes in arguments, and readers that end early. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { program, runProgramIn } from "../support/processes.ts"
import { archive, make } from "./commands/vaultFolders.ts"

const env = { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" }

describe.concurrent("effect-glacier", () => {
  it.live.each<readonly [line: ReadonlyArray<string>, message: string]>([
    [["restore"], "There is no command restore. effect-glacier --help lists the commands"],
    [["ll"], "There is no command ll. Did you mean ls? effect-glacier --help lists the commands"],
    [
      ["--vault", "photos", "ls"],
      "There is no command --vault. Write the command first, then its options. effect-glacier --help lists the commands"
    ],
    [["--completions"], "--completions needs a shell: use bash, fish or zsh"],
    [["--completions", "tcsh"], "The shell tcsh is unknown: use bash, fish or zsh"],
    [["du", "--depth", "-1"], "The value \"-1\" of --depth is not a whole number, 0 or more"],
    [["quote", "--tier", "bulk"], "The value \"bulk\" of --tier is unknown: write Expedited, Standard or Bulk"],
    [
      ["find", "--before", "2014-02-31"],
      "The value \"2014-02-31\" of --before is not a date: write such as 2014-12-31 or 2014-12-31T23:59:59Z"
    ],
    [
      ["quote", "--bytes-per-day", "much"],
      "The value \"much\" of --bytes-per-day is not a size: write bytes, or such as 500M, 1.5GiB, 2GB"
    ],
    [["get", "folder", "--max-cost", "5EUR"], "The value \"5EUR\" of --max-cost is not an amount such as 20 or 12.50"],
    [["tags", "--set", "owner"], "--set owner has no key and value: write --set KEY=VALUE"],
    [["jobs"], "Which vault? Use --vault NAME; effect-glacier vaults lists them"]
  ])("rejects %j in one line, with exit code 2", ([line, message]) =>
    Effect.scoped(Effect.gen(function*() {
      const { exit } = yield* runProgramIn(env, line)
      expect(yield* exit).toMatchObject({ code: 2, stdout: "", stderr: `${message}\n` })
    })), 60_000)

  it.scopedLive(
    "ends without a message and with exit code 141 when the reader of its output ends",
    () =>
      Effect.gen(function*() {
        const path = yield* Effect.promise(program)
        // More than a pipe can hold.
        const archives = Array.from({ length: 5_000 }, (_, index) => ({
          ...archive("a", `photos/${index}.jpg`, 1),
          ArchiveId: String(index).padStart(138, "0")
        }))
        const state = yield* make("photos", archives)
        const line = "{ \"$0\" \"$1\" ls --json --state \"$2\"; echo \"exit code $?\" >&2; } | head -n 1"
        const { stderr, stdout } = spawnSync("sh", ["-c", line, process.execPath, path, state], { encoding: "utf8" })
        expect(stdout.split("\n")).toHaveLength(2)
        expect(stderr).toBe("exit code 141\n")
      }).pipe(Effect.provide(NodeContext.layer)),
    60_000
  )
})
