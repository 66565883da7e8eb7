import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

// More than cores, because a test that waits for another process or for real time leaves its core idle.
const workers = Math.ceil(1.5 * availableParallelism())

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    environment: "node",
    globalSetup: ["test/globalSetup.ts"],
    setupFiles: ["test/setup.ts"],
    // Processes and not threads: the command line tests need signals and a working folder of their own.
    pool: "forks",
    maxWorkers: workers,
    // With fewer, vitest ends all workers when the first of them is done.
    minWorkers: workers,
    // Most objects of a test die young: with more room for them, the garbage collector takes less time.
    poolOptions: { forks: { execArgv: ["--max-semi-space-size=64"] } },
    // The files of a process share their modules: else most of the time would go into loading them.
    isolate: false,
    // Tests of one `layer(...)` block share its TestClock, so they take turns.
    sequence: { concurrent: false },
    // Time is virtual nearly everywhere: a test that takes this long hangs, also on a machine that is busy otherwise.
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
