/** A client whose HTTP is a script: what it sends is kept, what comes back is told. */
import type * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import * as Transport from "../../src/transport/Transport.ts"
import model from "../fixtures/glacier-model.json" with { type: "json" }

export const accessKeyId = "AKIAIOSFODNN7EXAMPLE"
export const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
export const keys: Credentials.Keys = { accessKeyId, secretAccessKey: Redacted.make(secret) }
/** The moment at which the reference requests were signed. */
export const signedAt = Date.UTC(2012, 4, 25, 0, 24, 53)

/** The reference requests with the header they must be sent with. */
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

/** A request as it leaves. */
export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly contentType: string | undefined
  readonly body: Uint8Array
  readonly signal: AbortSignal
  /** The time of `Clock`. */
  readonly at: number
}

/** What comes back for a request: an answer, or the cause of a failure to get one. */
export type Respond = (sent: Sent, attempt: number) => Effect.Effect<Response, unknown>

const bytesOf = (body: HttpBody.HttpBody): Uint8Array => body._tag === "Uint8Array" ? body.body : new Uint8Array()

/** An answer. Text is sent as JSON unless the headers say otherwise. */
export const responseOf = (
  status: number,
  body: BodyInit | null = null,
  headers: Readonly<Record<string, string>> = {}
): Response =>
  new Response(body, {
    status,
    headers: {
      "x-amzn-requestid": "AAABZpJrTyioDC_HsOmHae8EZp",
      ...(typeof body === "string" ? { "content-type": "application/json" } : {}),
      ...headers
    }
  })

export const errorResponseOf = (status: number, code: string, message: string = code): Response =>
  responseOf(status, JSON.stringify({ code, message, type: "Client" }))

/** Always the same answer, or the answers in order and then the last one again. */
export const respondWith = (...answers: ReadonlyArray<() => Response>): Respond => (_, attempt) =>
  Effect.sync(() => answers[Math.min(attempt, answers.length) - 1]!())

/** Retries what is safe `times` times, at once. */
export const promptly = (times: number): RetryPolicy.Policy => ({
  while: RetryPolicy.isSafe,
  schedule: Schedule.recurs(times),
  metered: false
})

export interface Options {
  readonly keys?: Credentials.Keys
  readonly credentials?: Layer.Layer<Credentials.Credentials>
  readonly endpoint?: Endpoint.Options
  /** By default there are no retries. */
  readonly policies?: Layer.Layer<never>
}

/** The HTTP client of a script, and what was sent through it. */
export const script = (reply: Respond) => {
  const sent: Array<Sent> = []
  const client = HttpClient.make((request, url, signal) =>
    Effect.flatMap(Clock.currentTimeMillis, (at) => {
      const one: Sent = {
        method: request.method,
        url: url.href,
        headers: { ...request.headers },
        contentType: request.body.contentType,
        body: bytesOf(request.body),
        signal,
        at
      }
      sent.push(one)
      return Effect.mapBoth(reply(one, sent.length), {
        onFailure: (cause) => new HttpClientError.RequestError({ request, reason: "Transport", cause }),
        onSuccess: (response) => HttpClientResponse.fromWeb(request, response)
      })
    })
  )
  return { sent, http: Layer.succeed(HttpClient.HttpClient, client) }
}

/** The services of a client over some HTTP client. */
export const over = (http: Layer.Layer<HttpClient.HttpClient>, options: Options = {}) =>
  Layer.mergeAll(GlacierClient.layer, Transport.layer).pipe(
    Layer.provide(http),
    Layer.provide(options.credentials ?? Credentials.layer(options.keys ?? keys)),
    Layer.provide(Layer.orDie(Endpoint.layer(options.endpoint ?? { region: "us-east-1" }))),
    Layer.provide(options.policies ?? RetryPolicy.layer(RetryPolicy.none))
  )

/** A client over a script. */
export const scripted = (reply: Respond, options?: Options) => {
  const { http, sent } = script(reply)
  // Its scope stays open: the client is used when this has given it.
  return Effect.flatMap(Scope.make(), (scope) => Layer.buildWithScope(over(http, options), scope)).pipe(
    Effect.map((context) => ({ glacier: Context.get(context, GlacierClient.GlacierClient), sent }))
  )
}
