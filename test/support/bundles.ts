/** The folders of bundled test programs. */
import { resolve } from "node:path"

/** Bundles are two levels below the package, as src/node and dist/node are: OptionalPackages.ts reads ../../package.json. */
export const nodeModules = resolve(import.meta.dirname, "../../node_modules")

/** The start of the names of the bundles of a run, whose main process has this id. */
export const bundlePrefix = (pid: number): string => `.bundle-${pid}-`
