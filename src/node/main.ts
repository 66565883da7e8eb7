/**
 * Where Node.js enters `effect-glacier/node`: all of `index.ts`, or a sentence that says which package is missing.
 * Bundlers, which say that themselves, and compilers enter at `index.ts`.
 *
 * @since 0.1.0
 */
import { load } from "./OptionalPackages.ts"

/**
 * The modules of `index.ts`.
 *
 * @since 0.1.0
 * @category modules
 */
export const {
  NodeCheckpoint,
  NodeCredentials,
  NodeEmulator,
  NodeFileLock,
  NodeGlacier,
  NodeHashing,
  NodeHttp,
  NodeJobQueue,
  NodeRetrievalBudget,
  NodeTreeHash
} = await load("effect-glacier/node", ["@effect/platform-node"], () => import("./index.ts"))
