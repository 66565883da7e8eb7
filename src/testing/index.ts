/**
 * For the tests of programs that use Glacier.
 *
 * @since 0.1.0
 */
export * as TestGlacier from "./TestGlacier.ts"
