/**
 * For the tests of programs that use Glacier.
 *
 * @since 0.1.0
 * @module effect-glacier/testing
 */
export * as Arbitraries from "./Arbitraries.ts"
export * as Conformance from "./Conformance.ts"
export * as Faults from "./Faults.ts"
export * as ScriptedHttp from "./ScriptedHttp.ts"
export * as TestGlacier from "./TestGlacier.ts"
export * as TestObjectStore from "./TestObjectStore.ts"
