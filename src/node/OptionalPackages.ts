/**
 * Optional packages, which only some programs need. A missing package is reported in a sentence that says how to install it.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"

/**
 * The error about missing packages. It has no stack trace, which would not help.
 *
 * @since 0.1.0
 * @category errors
 */
export class PackagesMissing extends Error {
  override readonly name = "PackagesMissing"
  override readonly stack: string
  constructor(message: string) {
    super(message)
    this.stack = message
  }
}

const Manifest = Schema.parseJson(
  Schema.Struct({
    version: Schema.String,
    peerDependencies: Schema.Record({ key: Schema.String, value: Schema.String })
  })
)

/**
 * The version of this package, and the version ranges of its optional packages.
 *
 * @since 0.1.0
 * @category getters
 */
export const manifest: typeof Manifest.Type = Schema.decodeSync(Manifest)(
  // The same from src/ and from dist/.
  readFileSync(new URL("../../package.json", import.meta.url), "utf8")
)

/**
 * A package that npx runs without having installed it does not see the packages of the folder: it must be installed there
 * with them.
 */
const itself = import.meta.url.includes("/_npx/") ? [`effect-glacier@${manifest.version}`] : []

const { resolve } = createRequire(import.meta.url)

const isMissing = (name: string): boolean => {
  try {
    resolve(`${name}/package.json`)
    return false
  } catch {
    return true
  }
}

/**
 * Loads a module that needs packages. Where it cannot be loaded since some are missing, it is rejected with
 * `PackagesMissing`, which says how they are installed.
 *
 * @since 0.1.0
 * @category loading
 */
export const load = <A>(name: string, packages: ReadonlyArray<string>, module: () => Promise<A>): Promise<A> =>
  module().catch((error: unknown) => {
    const missing = packages.filter(isMissing).map((name) => `${name}@${manifest.peerDependencies[name]}`)
    if (missing.length === 0) throw error
    const wanted = [...missing, ...itself].join(" ")
    throw new PackagesMissing(`${name} needs packages that are not installed: npm install ${wanted}`)
  })
