/** Shared parts of the programs: a server in a process of its own, and the memory and processor time of a process. */
import { Data, Effect } from "effect"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { createInterface } from "node:readline"

class DidNotStart extends Data.TaggedError("DidNotStart")<{ readonly message: string }> {}

/** A process that says on its first line where it is to be found, and ends with the Scope. */
export const started = (command: string, args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.async<{ readonly pid: number; readonly line: string }, DidNotStart>((resume) => {
      const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] })
      const fail = () => resume(new DidNotStart({ message: `${command} ${args.join(" ")} did not start` }))
      child.once("exit", fail)
      child.once("error", fail)
      createInterface(child.stdout).once("line", (line) => resume(Effect.succeed({ pid: child.pid ?? 0, line })))
    }),
    ({ pid }) => Effect.sync(() => process.kill(pid))
  )

/** The emulator as a process: its pid and url. */
export const emulator = (directory: string) =>
  started(process.execPath, [
    ...["--import", "tsx", "src/cli/main.ts", "emulator", "--port", "0", "--data", directory],
    ...["--access-key", "bench", "--secret-key", "bench", "--job-delay", "0 seconds"]
  ]).pipe(Effect.map(({ line, pid }) => ({ pid, url: line.slice(line.indexOf("http")) })))

/** Resident memory of a process in MiB, as Linux counts it: its peak (HWM), or now (RSS). */
export const memory = (pid: number | "self", which: "HWM" | "RSS") =>
  Math.round(Number(new RegExp(`Vm${which}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024)

/** Seconds of the processor that a process has used, as Linux counts them: in hundredths. */
export const processor = (pid: number) => {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ").slice(11, 13) ?? []
  return (Number(user) + Number(system)) / 100
}
