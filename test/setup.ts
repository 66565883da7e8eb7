import { addEqualityTesters } from "@effect/vitest"

// `expect(a).toEqual(b)` compares Effect's own data (Option, Chunk, Duration ...) by `Equal`.
addEqualityTesters()
