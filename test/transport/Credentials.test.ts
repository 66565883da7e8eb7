import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"
import { CredentialsError } from "../../src/protocol/GlacierError.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import { accessKeyId, keys, secret } from "./support.ts"

/** The keys of the credentials in use. */
const currentKeys = Effect.flatMap(Credentials.Credentials, ({ keys }) => keys)

const from = (variables: Readonly<Record<string, string>>) =>
  currentKeys.pipe(
    Effect.provide(Credentials.layerConfig),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
  )

const AWS_ACCESS_KEY_ID = accessKeyId
const AWS_SECRET_ACCESS_KEY = secret

const plain = ({ accessKeyId, secretAccessKey, sessionToken }: Credentials.Keys) => ({
  accessKeyId,
  secret: Redacted.value(secretAccessKey),
  token: sessionToken && Redacted.value(sessionToken)
})

describe("Credentials", () => {
  it.effect.each(
    [
      ["a token", { AWS_SESSION_TOKEN: "token" }, "token"],
      ["no token", {}, undefined],
      ["an empty token", { AWS_SESSION_TOKEN: "" }, undefined]
    ] as const
  )("are read from the environment, with %s", ([, more, token]) =>
    Effect.gen(function*() {
      const found = yield* from({ AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...more })
      expect(plain(found)).toEqual({ accessKeyId, secret, token })
    }))

  it.effect.each(
    [
      [{}, "AWS_ACCESS_KEY_ID"],
      [{ AWS_ACCESS_KEY_ID }, "AWS_SECRET_ACCESS_KEY"],
      [{ AWS_SECRET_ACCESS_KEY }, "AWS_ACCESS_KEY_ID"],
      [{ AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: "" }, "AWS_SECRET_ACCESS_KEY"],
      [{ AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY }, "AWS_ACCESS_KEY_ID"]
    ] as const
  )("are missing in %j, and the error names %s", ([variables, missing]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(from({ ...variables, AWS_SESSION_TOKEN: "a token" }))
      expect(error).toBeInstanceOf(CredentialsError)
      expect(error.message).toContain(missing)
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain(secret)
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain("a token")
    }))

  it.effect("hide their secrets in every printed form", () =>
    Effect.gen(function*() {
      const found = yield* from({ AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN: "a token" })
      const printed = [
        String(found.secretAccessKey),
        String(found.sessionToken),
        JSON.stringify(found),
        inspect(found, { depth: Infinity, showHidden: true })
      ]
      for (const text of printed) {
        expect(text).toContain("redacted")
        expect(text).not.toContain(secret)
        expect(text).not.toContain("a token")
      }
    }))

  it.effect("stay the same after a refresh when they are fixed", () =>
    Effect.gen(function*() {
      const credentials = yield* Credentials.Credentials
      expect([yield* credentials.keys, yield* credentials.refreshed(keys)]).toEqual([keys, keys])
    }).pipe(Effect.provide(Credentials.layer(keys))))

  it.each([
    ["the same", {}, true],
    ["the same with another expiration", { expiration: DateTime.unsafeMake(1) }, true],
    ["another id", { accessKeyId: "AKID" }, false],
    ["another secret", { secretAccessKey: Redacted.make("another") }, false],
    ["another token", { sessionToken: Redacted.make("another") }, false],
    ["no token", { sessionToken: undefined }, false]
  ])("are compared by id, secret and token: %s", (_, other, alike) => {
    const first = { ...keys, sessionToken: Redacted.make("token") }
    expect(Credentials.Equivalence(first, { ...first, sessionToken: Redacted.make("token"), ...other })).toBe(alike)
  })

  it.effect("are read from the environment when the Layer is built", () =>
    Effect.gen(function*() {
      const error = yield* Layer.build(Credentials.layerConfig).pipe(
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map())),
        Effect.scoped,
        Effect.flip
      )
      expect(error._tag).toBe("CredentialsError")
    }))
})
