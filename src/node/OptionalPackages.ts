/**
 * Optional packages: when one is missing, the error names the command that installs it.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"

/**
 * Optional packages are missing. The error has no stack, because the place in the code explains nothing.
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
 * The version of this package, and the version ranges of its peer packages.
 *
 * @since 0.1.0
 * @category getters
 */
export const manifest: typeof Manifest.Type = Schema.decodeSync(Manifest)(
  // The path is the same from src/node and from dist/node.
  readFileSync(new URL("../../package.json", import.meta.url), "utf8")
)

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
 * Imports a module that needs optional packages. Rejects with `PackagesMissing`, which names the command to install them, if
 * the import fails and some of them are missing.
 *
 * @since 0.1.0
 * @category loading
 */
export const load = <A>(name: string, packages: ReadonlyArray<string>, module: () => Promise<A>): Promise<A> =>
  module().catch((error: unknown) => {
    const missing = packages.filter(isMissing).map((name) => `${name}@${manifest.peerDependencies[name]}`)
    if (missing.length === 0) throw error
    throw new PackagesMissing(`${name} needs packages that are not installed: npm install ${missing.join(" ")}`)
  })
