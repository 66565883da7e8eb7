/** The line with which a program ends: what it found, the peak of its memory, and the time of the processor. */
import { readFileSync } from "node:fs"

export const finish = (found: object) => {
  const peak = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]
  const { system, user } = process.cpuUsage()
  console.log(JSON.stringify({ ...found, rssMB: Math.round(Number(peak) / 1024), processor: (system + user) / 1e6 }))
}
