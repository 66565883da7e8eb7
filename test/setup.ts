/** Runs before each test file. */
import { addEqualityTesters, effect, flakyTest, it, layer, live, prop, scoped, scopedLive } from "@effect/vitest"

// `expect(a).toEqual(b)` compares Effect's own data (Option, Chunk, Duration ...) by `Equal`.
addEqualityTesters()

// A `layer(...)` block replaces methods of `it`. The next test file of the process gets the original ones.
Object.assign(it, { effect, flakyTest, layer, live, prop, scoped, scopedLive })
