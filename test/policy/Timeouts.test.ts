import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Timeouts from "../../src/policy/Timeouts.ts"

describe("Timeouts", () => {
  it.effect("default to 10 and 30 seconds, 5 minutes, 30 seconds, and none for a whole call", () =>
    Effect.gen(function*() {
      const { response, call, connect, idle, upload } = yield* Timeouts.Timeouts
      expect([connect, response, upload, idle, call].map(Duration.toSeconds)).toEqual([10, 30, 300, 30, Infinity])
    }))

  it.effect("can be replaced by a Layer", () =>
    Effect.gen(function*() {
      const limits = {
        connect: Duration.millis(5),
        response: Duration.millis(1),
        upload: Duration.millis(2),
        idle: Duration.millis(3),
        call: Duration.millis(4)
      }
      expect(yield* Effect.provide(Timeouts.Timeouts, Timeouts.layerWith(limits))).toEqual(limits)
    }))

  it.effect("accept duration inputs, and keep the defaults of undefined limits", () =>
    Effect.gen(function*() {
      const limits = { call: "2 minutes", upload: undefined, idle: 250 } as const
      for (
        const made of [Timeouts.make(limits), yield* Effect.provide(Timeouts.Timeouts, Timeouts.layerWith(limits))]
      ) {
        expect(made).toEqual(Timeouts.make({ call: Duration.minutes(2), idle: Duration.millis(250) }))
        expect(Duration.toSeconds(made.call)).toBe(120)
        expect(Duration.toSeconds(made.upload)).toBe(300)
      }
    }))

  it.effect("can be replaced one by one", () =>
    Effect.gen(function*() {
      const { response, call, idle, upload } = yield* Effect.provide(
        Timeouts.Timeouts,
        Timeouts.layerWith({ upload: Duration.minutes(15) })
      )
      expect([response, upload, idle, call].map(Duration.toSeconds)).toEqual([30, 900, 30, Infinity])
    }))
})
