/** What the programs share: the emulator as a process of its own, and what a process has in memory. */
import { Data, Effect } from "effect"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { createInterface } from "node:readline"

class EmulatorGone extends Data.TaggedError("EmulatorGone")<{ readonly message: string }> {}

/** The emulator as a process: its pid and url. */
export const emulator = (directory: string) =>
  Effect.acquireRelease(
    Effect.async<{ readonly pid: number; readonly url: string }, EmulatorGone>((resume) => {
      const child = spawn(process.execPath, [
        ...["--import", "tsx", "src/cli/bin.ts", "emulator", "--port", "0", "--data", directory],
        ...["--access-key", "bench", "--secret-key", "bench", "--job-delay", "0 seconds"]
      ], { stdio: ["ignore", "pipe", "inherit"] })
      child.once("exit", () => resume(Effect.fail(new EmulatorGone({ message: "The emulator did not start" }))))
      createInterface(child.stdout).once("line", (line) => {
        resume(Effect.succeed({ pid: child.pid ?? 0, url: line.slice(line.indexOf("http")) }))
      })
    }),
    ({ pid }) => Effect.sync(() => process.kill(pid))
  )

/** Resident memory of a process in MiB, as Linux counts it: its peak (HWM), or now (RSS). */
export const memory = (pid: number | "self", which: "HWM" | "RSS") =>
  Math.round(Number(new RegExp(`Vm${which}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024)
