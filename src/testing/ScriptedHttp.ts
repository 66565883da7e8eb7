/**
 * An `HttpClient` that goes by a script, for tests of what is on the wire: which requests must come, in which order, and
 * what comes back. A request that is not the next one of the script is a defect that says how it differs.
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
import * as Responses from "./internal/response.ts"
import { expect } from "./internal/expect.ts"

/**
 * A request as it must come. A pattern stands for every text that matches it; what is left out may be anything.
 *
 * @since 0.1.0
 * @category models
 */
export interface Expected {
  /** For instance `PUT`. */
  readonly method: string
  /** Path and query, for instance `/-/vaults/photos`. */
  readonly path: string | RegExp
  /** These headers and any others, their names in lower case. */
  readonly headers?: Readonly<Record<string, string | RegExp>> | undefined
  /** Text, or bytes; of another kind of value the JSON. */
  readonly body?: unknown
}

/**
 * What comes back. A body that is neither text nor bytes is sent as JSON. `lost`: nothing comes back, the connection is
 * gone.
 *
 * @since 0.1.0
 * @category models
 */
export type Reply = "lost" | {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: unknown
}

/**
 * A request and what comes back for it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchange {
  readonly request: Expected
  readonly reply: Reply
}

/**
 * A request that is not in the script, or the end of a script that was not played through.
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
 * A script that is played.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Fails with `ScriptMismatch` when a request was not the right one, or some have not come: to be run at the end. */
  readonly done: Effect.Effect<void, ScriptMismatch>
}

/**
 * A script that is played.
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
 *     reply: { status: 201, headers: { location: "/123456789012/vaults/photos" } }
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

const utf8 = new TextEncoder()

const bytesOf = ({ body }: HttpClientRequest.HttpClientRequest): Effect.Effect<Uint8Array> =>
  body._tag === "Uint8Array"
    ? Effect.succeed(body.body)
    : body._tag === "Stream"
    ? Effect.orDie(Responses.collect(body.stream))
    : Effect.succeed(new Uint8Array())

/** The body as what it is compared with is. */
const like = (expected: unknown, bytes: Uint8Array): unknown => {
  if (expected instanceof Uint8Array) return bytes
  const text = new TextDecoder().decode(bytes)
  if (Predicate.isString(expected) || expected instanceof RegExp) return text
  return Either.getOrElse(Either.try((): unknown => JSON.parse(text)), () => text)
}

/** What is wrong with a request. */
const problemOf = (
  expected: Expected,
  actual: { readonly method: string; readonly url: URL; readonly headers: object; readonly body: Uint8Array }
): Either.Either<void, string> =>
  Either.try({
    try: () => {
      expect({ method: actual.method, path: actual.url.pathname + actual.url.search, headers: actual.headers })
        .toMatchObject({ method: expected.method, path: expected.path, headers: expected.headers ?? {} })
      if (expected.body === undefined) return
      expect({ body: like(expected.body, actual.body) }).toEqual({ body: expected.body })
    },
    catch: (error) => error instanceof Error ? error.message : String(error)
  })

const isRaw = (body: unknown): body is string | Uint8Array => Predicate.isString(body) || body instanceof Uint8Array

/** An answer. Without a type of its own JSON has that of JSON. */
const answered = (
  request: HttpClientRequest.HttpClientRequest,
  { body, headers, status }: Exclude<Reply, string>
): HttpClientResponse.HttpClientResponse => {
  const raw = body === undefined ? "" : isRaw(body) ? body : JSON.stringify(body)
  const bytes = Predicate.isString(raw) ? utf8.encode(raw) : raw
  const type: Record<string, string> = body === undefined || isRaw(body) ? {} : { "content-type": "application/json" }
  return Responses.make(request, status, { ...type, ...headers }, bytes.length === 0 ? Stream.empty : Stream.succeed(bytes))
}

/**
 * The client of a script, and whether it was played through. Requests come one by one, in the order of the script; those
 * of a program that sends several at once in the order in which they are sent.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (script: ReadonlyArray<Exchange>): Layer.Layer<HttpClient.HttpClient | ScriptedHttp> =>
  Layer.effectContext(Effect.sync(() => {
    let asked = 0
    let failed: ScriptMismatch | undefined

    const mismatch = (problem: string) => {
      const error = new ScriptMismatch({ problem })
      failed ??= error
      return Effect.die(error)
    }

    const http = HttpClient.make((request, url) =>
      Effect.flatMap(bytesOf(request), (body) => {
        const number = ++asked
        const name = `${request.method} ${url.pathname}${url.search}`
        const exchange = script[number - 1]
        if (exchange === undefined) return mismatch(`Request ${number}, ${name}, is one more than the script has`)
        const { reply } = exchange
        return Either.match(
          problemOf(exchange.request, { method: request.method, url, headers: request.headers, body }),
          {
            onLeft: (problem) => mismatch(`Request ${number}, ${name}: ${problem}`),
            onRight: () =>
              reply === "lost"
                ? Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport", description: "lost" }))
                : Effect.succeed(answered(request, reply))
          }
        )
      })
    )

    const done = Effect.suspend(() => {
      if (failed !== undefined) return Effect.fail(failed)
      const left = script.slice(asked).map(({ request: { method, path } }) => `${method} ${path}`)
      return left.length === 0
        ? Effect.void
        : Effect.fail(new ScriptMismatch({ problem: `These have not been asked: ${left.join(", ")}` }))
    })

    return Context.make(HttpClient.HttpClient, http).pipe(Context.add(ScriptedHttp, { done }))
  }))
