/** A client over an HTTP client that responds from memory, to measure the client alone. */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { Credentials, Endpoint, GlacierClient, HttpHooks } from "effect-glacier"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { archiveId } from "./archiveId.ts"

export interface Response {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

type Respond = (request: HttpClientRequest.HttpClientRequest) => Response

/** The response to an upload of an archive. */
export const stored: Response = {
  status: 201,
  headers: {
    "x-amz-archive-id": archiveId(0),
    location: `/012345678901/vaults/bench/archives/${archiveId(0)}`
  }
}

export const client = (respond: Respond) => {
  const execute = (request: HttpClientRequest.HttpClientRequest) =>
    Effect.sync(() => {
      const { body = "", headers, status } = respond(request)
      const all = { ...headers, "content-length": String(body.length) }
      const response = HttpClientResponse.fromWeb(request, new Response(null, { status, headers: all }))
      // Reading a web response would take longer than the rest of the call.
      return Object.defineProperty(response, "text", { value: Effect.succeed(body) })
    })
  // It keeps the time limits of attempts itself, as the HTTP client of Node.js does.
  const http = Object.assign(HttpClient.make(execute), { [HttpHooks.ExecuteWithin]: execute })
  return GlacierClient.layer.pipe(Layer.provide([
    Layer.succeed(HttpClient.HttpClient, http),
    Credentials.layer({ accessKeyId: "bench", secretAccessKey: Redacted.make("bench") }),
    Endpoint.layer({ region: "us-east-1" })
  ]))
}
