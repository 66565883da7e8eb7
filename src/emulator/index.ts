/**
 * A Glacier to test against.
 *
 * @since 0.1.0
 * @module effect-glacier/emulator
 */
export * as Emulator from "./Emulator.ts"
/**
 * What is in its vaults.
 *
 * @since 0.1.0
 */
export * as Inside from "./Inside.ts"
/**
 * Where its notifications go.
 *
 * @since 0.1.0
 */
export * as Topics from "./Topics.ts"
