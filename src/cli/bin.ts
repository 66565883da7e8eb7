#!/usr/bin/env node
/**
 * Starts the `effect-glacier` program, or says which packages it needs.
 *
 * @since 0.1.0
 */
import { load, PackagesMissing } from "../node/OptionalPackages.ts"

const needed = ["@effect/cli", "@effect/printer", "@effect/printer-ansi", "@effect/platform-node"]

load("effect-glacier", needed, () => import("./main.ts")).catch((error: unknown) => {
  if (!(error instanceof PackagesMissing)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
