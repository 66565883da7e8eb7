import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Option } from "effect"
import { GlacierClient, type Service } from "../../src/client/GlacierClient.ts"
import * as Conformance from "../../src/testing/Conformance.ts"
import * as Expect from "../../src/testing/internal/expect.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"

/** The failures of the cases with a client that has some methods replaced. */
const failures = (replace: (glacier: Service) => Partial<Service>) =>
  Effect.forEach(Conformance.cases, ({ run }) => Effect.either(run)).pipe(
    Effect.map((results) => results.flatMap((result) => Either.isLeft(result) ? [result.left] : [])),
    Effect.updateService(GlacierClient, (glacier) => ({ ...glacier, ...replace(glacier) })),
    Effect.provide(TestGlacier.layer({ jobDelay: 0, inventoryDelay: 0 }))
  )

describe("Conformance", () => {
  it("gives each case a unique name", () => {
    const names = Conformance.cases.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.length).toBeGreaterThan(15)
  })

  it.effect("reports the difference when a Glacier behaves in another way", () =>
    Effect.gen(function*() {
      expect(yield* failures(() => ({}))).toEqual([])
      const [first, ...others] = yield* failures(() => ({ deleteVault: () => Effect.succeed({}) }))
      expect(first).toBeInstanceOf(Conformance.ConformanceFailure)
      expect(first?.message).toBe(
        "vaults are created, described, listed in pages and deleted: expected VaultNotFound, but it succeeded"
      )
      expect(others).toMatchObject([{ name: "a vault with an archive has an inventory and cannot be deleted" }])
      const forgetful = yield* failures((glacier) => ({
        describeJob: (input) => Effect.map(glacier.describeJob(input), (job) => ({ ...job, tier: Option.none() }))
      }))
      expect(forgetful.map(({ message }) => message)).toEqual([
        expect.stringMatching(/^a range of an archive.*: \.tier expected .*Bulk.*, was .*None/s)
      ])
    }))

  it("names the place of a difference", () => {
    const problem = (check: () => void) => Either.getOrElse(Either.flip(Either.try(check)), () => undefined)
    const of = (actual: unknown) => Expect.expect(actual)
    for (
      const check of [
        () => of({ a: [1, { b: Option.some({ c: 2 }) }] }).toEqual({ a: [1, { b: Option.some({ c: 2 }) }] }),
        () => of({ a: undefined }).toEqual({}),
        () => of({ a: "text" }).toEqual({ a: /^t/ }),
        () => of(new Uint8Array([1, 2])).toEqual(new Uint8Array([1, 2])),
        () => of({ a: 1, b: 2 }).toMatchObject({ a: 1 })
      ]
    ) expect(problem(check)).toBeUndefined()
    for (
      const [check, message] of [
        [() => of(1).toEqual(2), "expected 2, was 1"],
        [() => of({ a: [1, { b: 2 }] }).toEqual({ a: [1, { b: 3 }] }), ".a[1].b expected 3, was 2"],
        [() => of({ a: 1, b: 2 }).toEqual({ a: 1 }), ".b expected undefined, was 2"],
        [() => of([1, 2]).toEqual([1]), "expected [1], was [1,2]"],
        [() => of("text").toEqual(/^x/), "expected /^x/, was text"],
        [() => of(new Uint8Array(3)).toEqual(new Uint8Array(2)), "expected 2 bytes, was 3 bytes"],
        [() => of(Option.some({ c: 2 })).toEqual(Option.some({ c: 3 })), /^expected .*3.*, was .*2/s],
        [() => of({}).toMatchObject({ a: 1 }), ".a expected 1, was undefined"]
      ] as const
    ) {
      expect(problem(check)).toMatchObject({
        name: "Unexpected",
        message: typeof message === "string" ? message : expect.stringMatching(message)
      })
    }
  })
})
