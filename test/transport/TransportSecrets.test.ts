import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import { call } from "./calls.ts"
import { echoes, kinds, leaks, secrets, visible } from "./failures.ts"
import { accessKeyId, over } from "./support.ts"

describe("errors, spans, logs and metrics", () => {
  it.effect.prop(
    "show no secret, token or signature after any failure",
    [FastCheck.constantFrom(...kinds), secrets],
    ([kind, some]) =>
      Effect.gen(function*() {
        const all = yield* visible(kind, some)
        expect(all.tag).toBe(kind.tag)
        expect(all.spans).toBeGreaterThan(3)
        expect(leaks(all)).toEqual([])
      }),
    { fastCheck: { numRuns: 40 } }
  )

  it.effect.each(echoes)("show no secret, token or signature when $about", (kind) =>
    Effect.gen(function*() {
      const all = yield* visible(kind, { secret: "s3cr3t/of/30+characters/or/more", token: "FwoGZXIvYXdz//t0ken+more" })
      expect(all.tag).toBe(kind.tag)
      expect(leaks(all)).toEqual([])
    }))

  it.effect("show no token when fetch rejects it", () =>
    Effect.gen(function*() {
      const fetch = (_: unknown, init?: RequestInit) =>
        Promise.resolve(new Response(null, { headers: new Headers(init?.headers) }))
      const error = yield* Effect.flatMap(GlacierClient.GlacierClient, call("describeVault").run).pipe(
        Effect.provide(over(FetchHttpClient.layer, {
          keys: { accessKeyId, secretAccessKey: Redacted.make("s"), sessionToken: Redacted.make("two\nlines") }
        })),
        Effect.provideService(FetchHttpClient.Fetch, fetch),
        Effect.flip
      )
      expect(error._tag).toBe("ConnectionError")
      expect(error.message).not.toMatch(/two\s+lines/)
    }))

  it.effect("cannot leak through redirects, because fetch follows none", () =>
    Effect.gen(function*() {
      const seen: Array<RequestInit | undefined> = []
      const fetch = (_: unknown, init?: RequestInit) => {
        seen.push(init)
        return Promise.resolve(call("describeVault").response())
      }
      yield* Effect.flatMap(GlacierClient.GlacierClient, call("describeVault").run).pipe(
        Effect.provide(over(FetchHttpClient.layer)),
        Effect.provideService(FetchHttpClient.Fetch, fetch)
      )
      expect(seen).toHaveLength(1)
      expect(["manual", "error"]).toContain(seen[0]?.redirect)
    }))
})
