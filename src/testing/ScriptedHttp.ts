/**
 * An `HttpClient` that follows a script, for tests of the HTTP requests that a program sends. The script lists the expected
 * requests in order, each with its response. A request that differs from the next one of the script causes a defect, whose
 * message names the difference.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import { bytesOf } from "./internal/bodies.ts"
import { expect } from "./internal/expect.ts"
import * as Responses from "./internal/response.ts"

/**
 * An expected request. A regular expression stands for every text that it matches. Omitted fields are not compared.
 *
 * @since 0.1.0
 * @category models
 */
export interface Expected {
  /** The HTTP method, such as `PUT`. */
  readonly method: string
  /** The path and the query, such as `/-/vaults/photos`. */
  readonly path: string | RegExp
  /** Headers that the request must have, by their names in lower case. It may have others. */
  readonly headers?: Readonly<Record<string, string | RegExp>> | undefined
  /** A text, bytes, or any other value, which is compared with the parsed JSON. */
  readonly body?: unknown
}

/**
 * The response to a request. A body that is neither text nor bytes is sent as JSON. With `"lost"` the connection breaks and
 * the request fails.
 *
 * @since 0.1.0
 * @category models
 */
export type Response = "lost" | {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: unknown
}

/**
 * An expected request and the response to it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchange {
  readonly request: Expected
  readonly response: Response
}

/**
 * A request differed from the script, or the program sent fewer requests than the script has.
 *
 * @since 0.1.0
 * @category errors
 */
export class ScriptMismatch extends Data.TaggedError("ScriptMismatch")<{ readonly problem: string }> {
  override get message(): string {
    return this.problem
  }
}

/**
 * The state of a script.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Checks the script at the end of a test. Fails with `ScriptMismatch` if a request differed, or if requests of the script
   * were not sent.
   */
  readonly done: Effect.Effect<void, ScriptMismatch>
}

/**
 * The script that the `HttpClient` follows.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { Credentials, Endpoint, GlacierClient } from "effect-glacier"
 * import { ScriptedHttp } from "effect-glacier/testing"
 * import { Effect, Layer, Redacted } from "effect"
 *
 * const script = ScriptedHttp.layer([
 *   {
 *     request: { method: "PUT", path: "/-/vaults/photos", headers: { "x-amz-glacier-version": "2012-06-01" } },
 *     response: { status: 201, headers: { location: "/123456789012/vaults/photos" } }
 *   }
 * ])
 *
 * const client = GlacierClient.layer.pipe(
 *   Layer.provide(Credentials.layer({ accessKeyId: "AKID", secretAccessKey: Redacted.make("secret") })),
 *   Layer.provide(Endpoint.layer({ region: "us-east-1" }))
 * )
 *
 * const program = Effect.gen(function*() {
 *   yield* (yield* GlacierClient.GlacierClient).createVault({ vaultName: "photos" })
 *   yield* (yield* ScriptedHttp.ScriptedHttp).done
 * }).pipe(Effect.provide(Layer.provideMerge(client, script)))
 */
export class ScriptedHttp extends Context.Tag("effect-glacier/testing/ScriptedHttp")<ScriptedHttp, Service>() {}

/** Converts the bytes of a body to the kind of the expected value. */
const decodeLike = (expected: unknown, bytes: Uint8Array): unknown => {
  if (expected instanceof Uint8Array) return bytes
  const text = new TextDecoder().decode(bytes)
  if (Predicate.isString(expected) || expected instanceof RegExp) return text
  return Either.getOrElse(Either.try((): unknown => JSON.parse(text)), () => text)
}

/** Compares a request with the expected one. The left value describes the first difference. */
const compare = (
  expected: Expected,
  actual: { readonly method: string; readonly url: URL; readonly headers: object; readonly body: Uint8Array }
): Either.Either<void, string> =>
  Either.try({
    try: () => {
      expect({ method: actual.method, path: actual.url.pathname + actual.url.search, headers: actual.headers })
        .toMatchObject({ method: expected.method, path: expected.path, headers: expected.headers ?? {} })
      if (expected.body === undefined) return
      expect({ body: decodeLike(expected.body, actual.body) }).toEqual({ body: expected.body })
    },
    catch: (error) => error instanceof Error ? error.message : String(error)
  })

const isRaw = (body: unknown): body is string | Uint8Array => Predicate.isString(body) || body instanceof Uint8Array

/** Makes a response. The default type of a JSON body is `application/json`. */
const toResponse = (
  request: HttpClientRequest.HttpClientRequest,
  { body, headers, status }: Exclude<Response, string>
): HttpClientResponse.HttpClientResponse => {
  const raw = body === undefined ? "" : isRaw(body) ? body : JSON.stringify(body)
  const bytes = Predicate.isString(raw) ? new TextEncoder().encode(raw) : raw
  const type: Record<string, string> = body === undefined || isRaw(body) ? {} : { "content-type": "application/json" }
  return Responses.make(
    request,
    status,
    { ...type, ...headers },
    bytes.length === 0 ? Stream.empty : Stream.succeed(bytes)
  )
}

/**
 * Provides an `HttpClient` that follows the script. It compares requests one by one with the script. If a program sends
 * several requests at once, they are compared in the order in which they are sent.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (script: ReadonlyArray<Exchange>): Layer.Layer<HttpClient.HttpClient | ScriptedHttp> =>
  Layer.effectContext(Effect.sync(() => {
    let sent = 0
    let failed: ScriptMismatch | undefined

    const mismatch = (problem: string) => {
      const error = new ScriptMismatch({ problem })
      failed ??= error
      return Effect.die(error)
    }

    const http = HttpClient.make((request, url) =>
      Effect.flatMap(bytesOf(request), (body) => {
        const number = ++sent
        const name = `${request.method} ${url.pathname}${url.search}`
        const exchange = script[number - 1]
        if (exchange === undefined) {
          const count = script.length === 1 ? "1 request" : `${script.length} requests`
          return mismatch(`Request ${number}, ${name}, is not in the script, which has ${count}`)
        }
        const { response } = exchange
        return Either.match(
          compare(exchange.request, { method: request.method, url, headers: request.headers, body }),
          {
            onLeft: (difference) => mismatch(`Request ${number}, ${name}: ${difference}`),
            onRight: () =>
              response === "lost"
                ? Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport", description: "lost" }))
                : Effect.succeed(toResponse(request, response))
          }
        )
      })
    )

    const done = Effect.suspend(() => {
      if (failed !== undefined) return Effect.fail(failed)
      const missing = script.slice(sent).map(({ request: { method, path } }) => `${method} ${path}`)
      return missing.length === 0
        ? Effect.void
        : Effect.fail(new ScriptMismatch({ problem: `Requests of the script were not sent: ${missing.join(", ")}` }))
    })

    return Context.make(HttpClient.HttpClient, http).pipe(Context.add(ScriptedHttp, { done }))
  }))
