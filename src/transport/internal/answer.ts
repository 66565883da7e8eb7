import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { pipe } from "effect/Function"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { AttemptTimeout, ConnectionError, type GlacierError, MalformedResponse } from "../../protocol/GlacierError.ts"
import * as Operation from "../../protocol/Operation.ts"
import * as ServiceError from "../../protocol/ServiceError.ts"
import type { Answer, Failure } from "../Method.ts"
import * as Metrics from "../Metrics.ts"

/**
 * What happened, in words. The platform's error holds the request with its signature and token: it ends here.
 */
export const toConnectionError = (operation: string) => (error: HttpClientError.HttpClientError): ConnectionError => {
  const texts: Array<string> = [
    error._tag === "RequestError" ? `${error.reason} error` : `${error.reason} of the answer`
  ]
  let cause = error.cause
  for (let depth = 0; cause instanceof Error && depth < 3; depth++, cause = cause.cause) texts.push(cause.message)
  return new ConnectionError({ operation, message: texts.join(": ") })
}

const ErrorBody = Schema.parseJson(Schema.Struct({
  code: Schema.optionalWith(Schema.String, { nullable: true }),
  message: Schema.optionalWith(Schema.String, { nullable: true })
}))

/** An error answer by its body; one that is not Glacier's (a proxy's page) by its status alone. */
const refusal = (
  operation: Operation.Any,
  status: number,
  requestId: string | undefined,
  text: string
): GlacierError => {
  const body = Option.getOrElse(Schema.decodeOption(ErrorBody)(text), () => ({ code: undefined, message: undefined }))
  // Every known class is one of GlacierError: the operations take theirs from ServiceError.
  return ServiceError.fromAnswer(operation.errors, body.code ?? `HTTP ${status}`, {
    operation: operation.name,
    status,
    message: body.message ?? (text.trim() === "" ? `HTTP status ${status}` : text.slice(0, 500)),
    requestId
  }) as GlacierError
}

/** The bytes of a body, each pause at most `idle`. */
const bodyOf = (operation: string, response: HttpClientResponse.HttpClientResponse, idle: Duration.Duration) =>
  response.stream.pipe(
    Stream.catchAll((error) =>
      error._tag === "ResponseError" && error.reason === "EmptyBody"
        ? Stream.empty
        : Stream.fail(toConnectionError(operation)(error))
    ),
    Stream.timeoutFail(
      () => new AttemptTimeout({ operation, waiting: "body", millis: Duration.toMillis(idle) }),
      idle
    ),
    Stream.tap((bytes) => Metric.incrementBy(Metric.tagged(Metrics.bytes, "direction", "down"), bytes.length))
  )

/** Decodes an answer: the output of the operation, or its error. */
export const decode = (
  operation: Operation.Any,
  response: HttpClientResponse.HttpClientResponse,
  idle: Duration.Duration
): Effect.Effect<object, GlacierError> =>
  Effect.gen(function*() {
    const requestId = response.headers["x-amzn-requestid"]
    const malformed = (problem: string) =>
      new MalformedResponse({ operation: operation.name, status: response.status, requestId, problem })
    // Read to its end whatever it is, so that the connection can be used again.
    const text = Effect.mapError(response.text, toConnectionError(operation.name))
    if (!operation.success.includes(response.status)) {
      return yield* refusal(operation, response.status, requestId, yield* text)
    }
    const headers = yield* pipe(
      Operation.decode(operation.headers, (field) => response.headers[field.name]),
      Either.mapLeft(({ error, field }) =>
        malformed(`header ${field.name} ${Option.match(error, { onNone: () => "is missing", onSome: String })}`)
      )
    )
    if (operation.body === "bytes") return { ...headers, body: bodyOf(operation.name, response, idle) }
    const body = yield* text
    if (operation.body === "none") return headers
    const json = yield* Effect.try({ try: (): unknown => JSON.parse(body), catch: () => malformed("not JSON") })
    const decoded = yield* Either.mapLeft(operation.body.decode(json), (error) => malformed(error.message))
    return { ...headers, ...decoded }
  })

/** The output was decoded by O's descriptor, and the errors are O's own or those of any call. */
export const typed = <O extends Operation.Any>(effect: Effect.Effect<object, GlacierError>) =>
  effect as Effect.Effect<Answer<O>, Failure<O>>
