/** The retries of this package against those of AWS's own implementation. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { formatNumber } from "../../src/policy/Format.ts"
import { runAllWithOracle, runWithPackage, sequences } from "./retryOracle.ts"

const count = formatNumber(sequences.length)

it.live(`retries equal those of AWS's StandardRetryStrategy over ${count} random sequences of responses [R2]`, () =>
  Effect.gen(function*() {
    const expected = yield* runAllWithOracle
    const actual = yield* Effect.forEach(sequences, runWithPackage)
    for (const [index, outcomes] of expected.entries()) {
      if (JSON.stringify(outcomes) === JSON.stringify(actual[index])) continue
      expect({ sequence: sequences[index], outcomes: actual[index] }).toEqual({
        sequence: sequences[index],
        outcomes
      })
    }
    // The sequences contain many retries, and empty the bucket.
    const all = expected.flat()
    expect(all.flatMap(([, waits]) => waits).length).toBeGreaterThan(3 * sequences.length)
    expect(all.filter(([success, , tokens]) => !success && tokens < 14).length).toBeGreaterThan(sequences.length / 50)
  }))
