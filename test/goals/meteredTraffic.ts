/** A service that accepts any bytes, and meters of the traffic to it. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { welcomeHash } from "../transport/calls.ts"
import { responseOf } from "../transport/support.ts"

export const kibibyte = 1_024

export const mebibyte = 1_048_576

export const vault = { vaultName: "photos" }

/** Records the bytes that pass, with their times. */
export const meter = () => {
  const passed: Array<{ readonly at: number; readonly bytes: number }> = []
  const sum = (some: typeof passed) => some.reduce((sum, { bytes }) => sum + bytes, 0)
  return {
    record: (slice: Uint8Array) =>
      Effect.map(Clock.currentTimeMillis, (at) => void passed.push({ at, bytes: slice.length })),
    total: () => sum(passed),
    /** Returns the most bytes within any second. */
    most: () => {
      let [most, running, first] = [0, 0, 0]
      for (const { at, bytes } of passed) {
        running += bytes
        for (let oldest = passed[first]; oldest !== undefined && oldest.at <= at - 1_000; oldest = passed[++first]) {
          running -= oldest.bytes
        }
        most = Math.max(most, running)
      }
      return most
    }
  }
}

/** A service that accepts any bytes, and whose job outputs never end. */
export const endless = (up: ReturnType<typeof meter>) => {
  const chunk = new Uint8Array(mebibyte)
  return HttpClient.make((request) =>
    Effect.gen(function*() {
      if (request.body._tag === "Stream") yield* Effect.orDie(Stream.runForEach(request.body.stream, up.record))
      const response = request.method === "GET"
        ? responseOf(200, new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }))
        : responseOf(204, null, { "x-amz-sha256-tree-hash": welcomeHash })
      return HttpClientResponse.fromWeb(request, response)
    })
  )
}
