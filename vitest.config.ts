import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    environment: "node",
    globalSetup: ["test/globalSetup.ts"],
    setupFiles: ["test/setup.ts"],
    // Processes and not threads: the command line tests need signals and a working folder of their own.
    pool: "forks",
    // Vitest leaves one core free, which on two cores is half the machine.
    maxWorkers: "100%",
    minWorkers: 1,
    // The files of a process share their modules: else most of the time would go into loading them.
    isolate: false,
    // Tests of one `layer(...)` block share its TestClock, so they take turns.
    sequence: { concurrent: false },
    // Time is virtual nearly everywhere: a test that takes this long hangs, also on a machine that is busy otherwise.
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
