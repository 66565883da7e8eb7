/**
 * The entry point of `effect-glacier/node` for Node.js: exports the modules of `index.ts`, or fails with an error that names
 * the missing package. Compilers, and bundlers, which report missing packages themselves, use `index.ts`.
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
