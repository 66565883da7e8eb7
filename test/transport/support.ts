/**
 * A client over scripted HTTP: it records the requests and returns the given responses. The published `ScriptedHttp` compares
 * each request with a fixed script. These tests need more than it offers: responses that depend on the attempt, that are late
 * or never arrive, causes of lost connections, and the time and the abort signal of each request.
 */
import type * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import type { GlacierError } from "../../src/protocol/GlacierError.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import * as Transport from "../../src/transport/Transport.ts"
import model from "../fixtures/glacier-model.json" with { type: "json" }

export const accessKeyId = "AKIAIOSFODNN7EXAMPLE"
export const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
export const keys: Credentials.Keys = { accessKeyId, secretAccessKey: Redacted.make(secret) }
/** The time at which the reference requests were signed. */
export const signedAt = Date.UTC(2012, 4, 25, 0, 24, 53)

/** The reference requests with the `Authorization` header that they must have. */
export const examples = model.signed_examples.examples.map((example) => {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(example.headers)) headers[name] = String(value)
  return {
    ...example,
    headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20120525/us-east-1/glacier/aws4_request, ` +
      `SignedHeaders=${example.signed_headers}, Signature=${example.signature}`
  }
})

/** A recorded request. */
export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly contentType: string | undefined
  readonly body: Uint8Array
  readonly signal: AbortSignal
  /** When it was sent, by `Clock`. */
  readonly at: number
}

/** Makes a call. */
export type Run = (glacier: GlacierClient.Service) => Effect.Effect<object, GlacierError>

/** Responds to a request, or fails with the cause of a lost connection. */
export type Respond = (sent: Sent, attempt: number) => Effect.Effect<Response, unknown>

const bytesOf = (body: HttpBody.HttpBody): Uint8Array => body._tag === "Uint8Array" ? body.body : new Uint8Array()

/** The request id of every response. */
export const requestId = "AAABZpJrTyioDC_HsOmHae8EZp"

/** Makes a response. Text has the media type of JSON unless the headers have another. */
export const responseOf = (
  status: number,
  body: BodyInit | null = null,
  headers: Readonly<Record<string, string>> = {}
): Response =>
  new Response(body, {
    status,
    headers: {
      "x-amzn-requestid": requestId,
      ...(typeof body === "string" ? { "content-type": "application/json" } : {}),
      ...headers
    }
  })

/** Makes an error response of the service. */
export const errorResponseOf = (status: number, code: string, message: string = code): Response =>
  responseOf(status, JSON.stringify({ code, message, type: "Client" }))

/** Responds with the responses in order, and then repeats the last. */
export const respondWith = (...responses: ReadonlyArray<() => Response>): Respond => (_, attempt) =>
  Effect.sync(() => responses[Math.min(attempt, responses.length) - 1]!())

export interface Options {
  readonly keys?: Credentials.Keys
  readonly credentials?: Layer.Layer<Credentials.Credentials>
  readonly endpoint?: Endpoint.Options
  /** The default makes no retries. */
  readonly policies?: Layer.Layer<never>
}

/** Makes a scripted HTTP client, and the list of requests that it records. */
export const script = (respond: Respond) => {
  const sent: Array<Sent> = []
  const client = HttpClient.make((request, url, signal) =>
    Effect.flatMap(Clock.currentTimeMillis, (at) => {
      const recorded: Sent = {
        method: request.method,
        url: url.href,
        headers: { ...request.headers },
        contentType: request.body.contentType,
        body: bytesOf(request.body),
        signal,
        at
      }
      sent.push(recorded)
      return Effect.mapBoth(respond(recorded, sent.length), {
        onFailure: (cause) => new HttpClientError.RequestError({ request, reason: "Transport", cause }),
        onSuccess: (response) => HttpClientResponse.fromWeb(request, response)
      })
    })
  )
  return { sent, http: Layer.succeed(HttpClient.HttpClient, client) }
}

/** Provides a client and its transport over an HTTP client. */
export const over = (http: Layer.Layer<HttpClient.HttpClient>, options: Options = {}) =>
  Layer.mergeAll(GlacierClient.layer, Transport.layer).pipe(
    Layer.provide(http),
    Layer.provide(options.credentials ?? Credentials.layer(options.keys ?? keys)),
    Layer.provide(Layer.orDie(Endpoint.layer(options.endpoint ?? { region: "us-east-1" }))),
    Layer.provide(options.policies ?? RetryPolicy.layer(RetryPolicy.none))
  )

/** Makes a client over scripted HTTP, and the list of requests that it sends. */
export const scripted = (respond: Respond, options?: Options) => {
  const { http, sent } = script(respond)
  // The scope stays open, because the caller uses the client afterwards.
  return Effect.flatMap(Scope.make(), (scope) => Layer.buildWithScope(over(http, options), scope)).pipe(
    Effect.map((context) => ({ glacier: Context.get(context, GlacierClient.GlacierClient), sent }))
  )
}

/** Returns the error of a call that gets a response. */
export const failure = (run: Run, response: () => Response) =>
  Effect.flatMap(scripted(respondWith(response)), ({ glacier }) => Effect.flip(run(glacier)))
