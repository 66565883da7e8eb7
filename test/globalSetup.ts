/** Runs once around all tests. */
import { readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { bundlePrefix, nodeModules } from "./support/bundles.ts"

/** Removes the bundles of the programs that tests started, when all tests are done. */
export const teardown = () => {
  for (const name of readdirSync(nodeModules)) {
    if (name.startsWith(bundlePrefix(process.pid))) rmSync(join(nodeModules, name), { recursive: true })
  }
}
