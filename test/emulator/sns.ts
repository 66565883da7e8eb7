/** An SNS that responds from a list, and an emulator that publishes to it. */
import { HttpClient, HttpClientError, type HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { Effect, Layer, Logger, Redacted, TestClock } from "effect"
import { Emulator, Topics } from "../../src/emulator/index.ts"
import * as Support from "./support.ts"

const { createVault, initiateJob, text, upload } = Support

export const topic = "arn:aws:sns:eu-west-1:123456789012:done"

const sessionToken = Redacted.make("a token")

export const key = { ...Emulator.defaultKey, sessionToken }

export interface Received {
  readonly at: number
  readonly request: HttpClientRequest.HttpClientRequest
}

type Respond = (
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<Response, HttpClientError.HttpClientError>

/** An SNS with a list of responses. It repeats the last of them. */
export const sns = (received: Array<Received>, ...responses: ReadonlyArray<Respond>) =>
  Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request) =>
      Effect.gen(function*() {
        received.push({ at: yield* TestClock.currentTimeMillis, request })
        const respond = responses[Math.min(received.length, responses.length) - 1]
        return HttpClientResponse.fromWeb(request, yield* respond!(request))
      })
    )
  )

export const status = (status: number, body = ""): Respond => () => Effect.succeed(new Response(body, { status }))

export const connectionRefused: Respond = (request) =>
  Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport", description: "ECONNREFUSED" }))

export const layerOf = (http: Layer.Layer<HttpClient.HttpClient>, endpoint = "http://127.0.0.1:4566") =>
  Emulator.layerHttpClient.pipe(
    Layer.provideMerge(Emulator.layerMemory({ jobDelay: "1 minute" })),
    Layer.provide(Topics.layerSns({ endpoint: new URL(endpoint), key })),
    Layer.provide(http),
    Layer.provide(Support.layerSha256)
  )

/** Initiates a retrieval, waits for its end, and returns the job's id. */
export const retrieved = Effect.gen(function*() {
  yield* createVault("photos")
  const ArchiveId = yield* upload("photos", text("Welcome to Amazon Glacier."))
  const id = yield* initiateJob("photos", { Type: "archive-retrieval", ArchiveId, SNSTopic: topic })
  yield* TestClock.adjust("1 minute")
  return id
})

/** Collects log messages. */
export const logged = (lines: Array<unknown>) =>
  Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ message }) => lines.push(message))
  )
