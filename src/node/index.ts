/**
 * Layers for Node.js.
 *
 * @since 0.1.0
 * @module effect-glacier/node
 */
export * as NodeCheckpoint from "./NodeCheckpoint.ts"
export * as NodeCredentials from "./NodeCredentials.ts"
export * as NodeEmulator from "./NodeEmulator.ts"
export * as NodeFileLock from "./NodeFileLock.ts"
export * as NodeGlacier from "./NodeGlacier.ts"
export * as NodeHashing from "./NodeHashing.ts"
export * as NodeHttp from "./NodeHttp.ts"
export * as NodeJobQueue from "./NodeJobQueue.ts"
export * as NodeRetrievalBudget from "./NodeRetrievalBudget.ts"
export * as NodeTreeHash from "./NodeTreeHash.ts"
