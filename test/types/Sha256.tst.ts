import * as Effect from "effect/Effect"
import { describe, expect, test } from "tstyche"
import * as Sha256 from "../../src/protocol/Sha256.ts"

declare const create: Sha256.Create

describe("Sha256", () => {
  test("asks nothing of the program and cannot fail", () => {
    const program = Effect.map(Sha256.Sha256, (create) => Sha256.hex(create, new Uint8Array()))
    expect(program).type.toBe<Effect.Effect<string>>()
  })

  test("hashes bytes, never text", () => {
    expect(Sha256.digest).type.toBeCallableWith(create, new Uint8Array())
    expect(Sha256.digest).type.not.toBeCallableWith(create, "text")
  })
})
