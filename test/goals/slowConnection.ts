/** A slow connection that all parts share, and uploads over it. */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as Progress from "../../src/transfer/Progress.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import * as Support from "../transfer/support.ts"
import { errorResponseOf } from "../transport/support.ts"

const { address, mebibyte, pattern } = Support

export const bytes = pattern(8 * mebibyte)

const pieces = Stream.map(
  Stream.range(0, 79),
  (n) => bytes.subarray(Math.floor(n * bytes.length / 80), Math.floor((n + 1) * bytes.length / 80))
)

export const sources = { bytes: Source.bytes(bytes), stream: Source.stream(pieces) }

const isPart = ({ method, url }: HttpClientRequest.HttpClientRequest) =>
  method === "PUT" && url.includes("/multipart-uploads/")

/** Makes a slow connection. It carries a part of 1 MiB in some seconds; parts that are sent at once share its speed. */
export const connectionOf = (
  seconds: number,
  respond: (arrived: Support.Change) => Support.Change = (arrived) => arrived
) => {
  const flying = Support.gauge()
  /** For each attempt: the start of its part in MiB, and how many parts were in transit when it began. */
  const attempts: Array<{ readonly part: number; readonly beside: number }> = []
  const carried: Support.Change = (send) =>
    Effect.gen(function*() {
      for (let left = seconds; left > 0; left -= 1 / flying.live) yield* Effect.sleep("1 second")
      return yield* send
    })
  const change: Support.Change = (send, request) =>
    isPart(request)
      ? flying.during(Effect.suspend(() => {
        const [, start = ""] = /^bytes (\d+)-/.exec(request.headers["content-range"] ?? "") ?? []
        attempts.push({ part: Number(start) / mebibyte, beside: flying.live })
        return respond(carried)(send, request)
      }))
      : send
  return { attempts, change }
}

/** Responds after 5 minutes that the body took too long. */
const impatient = (arrived: Support.Change): Support.Change => (send, request) =>
  Effect.raceFirst(
    arrived(send, request),
    Effect.delay(
      Effect.sync(() => HttpClientResponse.fromWeb(request, errorResponseOf(408, "RequestTimeoutException"))),
      "5 minutes"
    )
  )

export const upload = (source: Source.Source | Source.StreamSource, onProgress?: Progress.OnProgress) =>
  Upload.upload(address, source, { partSize: mebibyte, concurrency: 4, onProgress })

export const late = [
  { error: "AttemptTimeout", minutes: 5, respond: undefined },
  { error: "InvalidSignature", minutes: 15, respond: undefined },
  { error: "RequestTimeout", minutes: 15, respond: impatient }
] as const
