/**
 * Layers for Node.js.
 *
 * @since 0.1.0
 */
export * as NodeEmulator from "./NodeEmulator.ts"
export * as NodeGlacier from "./NodeGlacier.ts"
export * as NodeHashing from "./NodeHashing.ts"
