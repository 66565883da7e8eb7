/**
 * An emulator of Amazon Glacier for tests.
 *
 * @since 0.1.0
 * @module effect-glacier/emulator
 */
export * as Emulator from "./Emulator.ts"
/**
 * The contents of an emulator.
 *
 * @since 0.1.0
 */
export * as Inside from "./Inside.ts"
/**
 * The destination of the emulator's notifications.
 *
 * @since 0.1.0
 */
export * as Topics from "./Topics.ts"
