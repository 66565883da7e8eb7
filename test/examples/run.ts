/** Runs the examples as processes. */
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { bundle } from "../support/processes.ts"

/** Runs an example, and returns what it prints. Rejects if the example fails. */
export const run = async (example: string, ...args: ReadonlyArray<string>): Promise<string> => {
  const program = await bundle(`examples/${example}.ts`)
  return (await promisify(execFile)(process.execPath, [program, ...args])).stdout
}
