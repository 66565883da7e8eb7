import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Fiber, Layer, Option, TestClock } from "effect"
import * as Signature from "../../src/emulator/internal/signature.ts"
import * as Sha256 from "../../src/protocol/Sha256.ts"
import { nativeSha256 } from "../support/hashes.ts"
import { connectionRefused, key, layerOf, logged, type Received, retrieved, sns, status, topic } from "./sns.ts"
import * as Support from "./support.ts"

const { createVault } = Support

describe("notifications to SNS", () => {
  it.effect("are signed for the region of their topic", () => {
    const received: Array<Received> = []
    return Effect.gen(function*() {
      const id = yield* retrieved
      expect(received).toHaveLength(1)
      const { at, request } = received[0]!
      expect([at, request.method, request.url]).toEqual([60_000, "POST", "http://127.0.0.1:4566/"])
      const body = request.body._tag === "Uint8Array" ? request.body.body : new Uint8Array()
      const fields = Object.fromEntries(new URLSearchParams(new TextDecoder().decode(body)))
      expect(fields).toMatchObject({ Action: "Publish", Version: "2010-03-31", TopicArn: topic })
      expect(JSON.parse(fields["Message"] ?? "")).toMatchObject({ JobId: id, StatusMessage: "Succeeded" })

      expect(request.headers).not.toHaveProperty("traceparent")
      expect(request.headers["content-type"]).toBe("application/x-www-form-urlencoded")
      expect(request.headers["authorization"]).toMatch(
        /Credential=AKIAIOSFODNN7EXAMPLE\/19700101\/eu-west-1\/sns\/aws4_request/
      )
      const verified = Signature.verify({
        sha256: nativeSha256,
        now: at,
        keys: () => Option.some(key),
        bodySha256: Sha256.hex(nativeSha256, body),
        request: { method: "POST", path: "/", query: "", headers: { ...request.headers, host: "127.0.0.1:4566" } }
      })
      expect(Either.map(verified, ({ region }) => region)).toEqual(Either.right("eu-west-1"))
    }).pipe(Effect.provide(layerOf(sns(received, status(200)))))
  })

  it.effect("are retried with growing delays, while requests do not wait", () => {
    const received: Array<Received> = []
    const lines: Array<unknown> = []
    return Effect.gen(function*() {
      yield* retrieved
      expect(received.map(({ at }) => at)).toEqual([60_000])
      expect((yield* createVault("films")).status).toBe(201)
      yield* TestClock.adjust("1 hour")
      expect(received.map(({ at }) => at)).toEqual([60_000, 60_200, 60_600, 61_400])
      expect(lines).toEqual([])
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          layerOf(sns(received, connectionRefused, status(503), connectionRefused, status(200))),
          logged(lines)
        )
      )
    )
  })

  it.effect("are logged without secrets when all 5 attempts fail", () => {
    const received: Array<Received> = []
    const lines: Array<unknown> = []
    return Effect.gen(function*() {
      const id = yield* retrieved
      yield* TestClock.adjust("1 hour")
      expect(received).toHaveLength(5)
      expect(lines).toEqual([[
        `The notification of job ${id} to ${topic} was not delivered: SNS responded with 404: no such topic`
      ]])
    }).pipe(
      Effect.provide(
        Layer.provideMerge(layerOf(sns(received, connectionRefused, status(404, "no such topic"))), logged(lines))
      )
    )
  })

  it.effect("are logged when SNS does not respond to 5 attempts", () => {
    const received: Array<Received> = []
    const lines: Array<unknown> = []
    return Effect.gen(function*() {
      const waiting = yield* Effect.fork(retrieved)
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(waiting)
      yield* TestClock.adjust("1 hour")
      expect(received).toHaveLength(5)
      expect(String(lines)).toContain("timed out")
    }).pipe(Effect.provide(Layer.provideMerge(layerOf(sns(received, () => Effect.never)), logged(lines))))
  })
})
