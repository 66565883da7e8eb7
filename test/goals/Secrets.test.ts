import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpServer from "@effect/platform/HttpServer"
import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import * as Signer from "../../src/transport/Signer.ts"
import * as Transport from "../../src/transport/Transport.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { over } from "../transport/support.ts"
import { failure, forms, recorder } from "./secrets.ts"

// Short stacks make this test much faster, and all stacks look the same.
Error.stackTraceLimit = 2

describe("The secret key, the session token and the signatures", () => {
  it.effect("appear nowhere in 1,000 random failures [S5]", () =>
    Effect.gen(function*() {
      const tags = new Set<string>()
      const hidden: Array<string> = []
      let failures = 0
      while (failures < 1_000) {
        const failed = yield* failure
        expect(failed.leaked).toEqual([])
        tags.add(failed.tag)
        for (const text of failed.hidden) hidden.push(text)
        if (failed.tag !== "ok") failures++
      }
      const metrics = forms(yield* Metric.snapshot).join("\n")
      expect(hidden.filter((secret) => metrics.includes(secret))).toEqual([])
      expect(hidden.length).toBeGreaterThan(3_000)
      expect([...tags]).toEqual(expect.arrayContaining([
        "AttemptTimeout",
        "ConnectionError",
        "CredentialsError",
        "Die",
        "ExpiredToken",
        "InvalidSignature",
        "MalformedResponse",
        "OutcomeUnknown",
        "Throttling",
        "UnknownServiceError"
      ]))
    }).pipe(Effect.withRandom(Random.make("canary")), inVirtualTime), 120_000)

  const secret = "s3cr3t/of/30+characters/or/more"
  const token = "FwoGZXIvYXdz//t0ken+more"
  const keys = {
    accessKeyId: "ASIA",
    secretAccessKey: Redacted.make(secret),
    sessionToken: Redacted.make(token)
  }
  const leaks = (texts: ReadonlyArray<string>) =>
    [secret, token, "Signature="].filter((hidden) => texts.some((text) => text.includes(hidden)))

  it.scoped("appear in no printed service, Layer or option that holds them [S5]", () =>
    Effect.gen(function*() {
      const options = { keys: [keys] }
      const credentials = Credentials.layer(keys)
      const emulator = Emulator.layerMemory(options)
      const all = Layer.mergeAll(GlacierClient.layer, Transport.layer, Signer.layer).pipe(
        Layer.provideMerge(Layer.provideMerge(Emulator.layerHttpClient, emulator)),
        Layer.provideMerge(credentials),
        Layer.provideMerge(Endpoint.layer({ region: "us-east-1" }))
      )
      const context = yield* Layer.build(all)
      yield* Context.get(context, GlacierClient.GlacierClient).listVaults({})
      const { keys: current, refreshed } = Context.get(context, Credentials.Credentials)
      const values = [
        options,
        keys,
        credentials,
        emulator,
        all,
        context,
        ...context.unsafeMap.values(),
        yield* current,
        yield* refreshed(keys),
        yield* Effect.exit(current),
        yield* Layer.build(Credentials.layerEffect(Effect.succeed(keys)))
      ]
      expect(leaks(values.flatMap(forms))).toEqual([])
    }))

  it.scopedLive("appear in no log or span of an emulator behind a socket, nor of its client [S5]", () =>
    Effect.gen(function*() {
      const { recording, seen } = recorder()
      yield* recording(Effect.gen(function*() {
        const server = yield* Layer.build(NodeEmulator.layerServer({ keys: [keys] }))
        const { address } = Context.get(server, HttpServer.HttpServer)
        const endpoint = `http://127.0.0.1:${address._tag === "TcpAddress" ? address.port : ""}`
        const ask = (secretAccessKey: Redacted.Redacted) =>
          Effect.exit(Effect.flatMap(GlacierClient.GlacierClient, (glacier) => glacier.listVaults({}))).pipe(
            Effect.provide(over(NodeHttpClient.layerUndici, {
              keys: { ...keys, secretAccessKey },
              endpoint: { region: "us-east-1", endpoint }
            }))
          )
        const exits = [yield* ask(keys.secretAccessKey), yield* ask(Redacted.make("another"))]
        expect(exits.map(({ _tag }) => _tag)).toEqual(["Success", "Failure"])
        seen.push(...exits.flatMap(forms))
      }))
      expect(seen.length).toBeGreaterThan(10)
      expect(leaks(seen)).toEqual([])
    }))
})
