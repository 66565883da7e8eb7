/**
 * Decodes a response: the output of the operation, or the error that the service responded with.
 *
 * @internal
 */
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  type AttemptTimeout,
  type ConnectionError,
  type GlacierError,
  MalformedResponse
} from "../../protocol/GlacierError.ts"
import * as Limits from "../../protocol/Limits.ts"
import * as Operation from "../../protocol/Operation.ts"
import * as ServiceError from "../../protocol/ServiceError.ts"
import type { Failure, Response } from "../Method.ts"
import * as Metrics from "../Metrics.ts"
import * as ResponseBody from "../ResponseBody.ts"
import type { AttemptContext, BodyContext, ErrorContext } from "./attemptContext.ts"
import * as ConnectionErrors from "./connectionError.ts"
import { through } from "./pacing.ts"
import { retryAfter } from "./retryAfter.ts"
import * as TimeLimits from "./timeLimits.ts"

/** Returns a function that replaces a defect of the HTTP client: the defect can hold the request with its secrets. */
export const toDefect = ({ operation, scrub }: ErrorContext) => (defect: unknown): Effect.Effect<never> =>
  Effect.die(new Error(`${operation.name}: the HTTP client died of ${scrub(String(defect))}`))

const requestIdOf = (scrub: ErrorContext["scrub"], headers: HttpClientResponse.HttpClientResponse["headers"]) => {
  const id = headers["x-amzn-requestid"]
  return id === undefined ? undefined : scrub(id)
}

const Text = Schema.optionalWith(Schema.String, { nullable: true })

/** Glacier itself writes `code` and `message` (Error Responses). Services of AWS in front of it can use the other names. */
const ErrorBody = Schema.parseJson(
  Schema.Struct({ code: Text, Code: Text, __type: Text, message: Text, Message: Text })
)

/** The code of an error without prefix and suffix, as in `com.amazonaws#ThrottlingException:http://amazon.com`. */
const codeOf = (...codes: ReadonlyArray<string | undefined>): string | undefined =>
  codes.map((code) => code?.replace(/:.*/s, "").replace(/.*#/s, "").trim()).find((code) =>
    code !== undefined && code !== ""
  )

/** Decodes an error response by its body. A body that is not Glacier's, such as a proxy's page, leaves only the status. */
const errorOf = (
  { operation, scrub }: AttemptContext,
  { headers, status }: HttpClientResponse.HttpClientResponse,
  text: string,
  now: number
): GlacierError => {
  const body: typeof ErrorBody.Type = Option.getOrElse(Schema.decodeOption(ErrorBody)(text), () => ({}))
  const code = codeOf(headers["x-amzn-errortype"], body.code, body.Code, body.__type) ?? `HTTP ${status}`
  const message = body.message ?? body.Message
  // Every known class is one of GlacierError: the operations take theirs from ServiceError.
  return ServiceError.fromResponse(operation.errors, scrub(code), {
    operation: operation.name,
    status,
    message: message === undefined
      ? scrub(text.trim()).slice(0, 500) || `HTTP status ${status}`
      : scrub(message),
    requestId: requestIdOf(scrub, headers),
    retryAfter: retryAfter(headers, now)
  }) as GlacierError
}

/** Counts received bytes. */
const countReceived = (bytes: number) => Metric.incrementBy(Metric.tagged(Metrics.bytes, "direction", "down"), bytes)

const toBodyError = (context: BodyContext) => TimeLimits.orTimeout(context, ConnectionErrors.toBodyError(context))

/** The method that reads a body into memory, if the HTTP client has one and the bytes are not paced. */
const intoOf = (
  context: AttemptContext,
  response: HttpClientResponse.HttpClientResponse & ResponseBody.Response
): ResponseBody.IntoMemory<ConnectionError | AttemptTimeout> => {
  const into = response[ResponseBody.Into]
  if (into === undefined || context.lane !== undefined) return {}
  return {
    [ResponseBody.Into]: (memory, onBytes) =>
      Effect.gen(function*() {
        const clock = yield* Effect.clock
        let last = clock.unsafeCurrentTimeMillis()
        let all = 0
        const onReceived = (count: number) => {
          last = clock.unsafeCurrentTimeMillis()
          all += count
          onBytes(count)
        }
        const idle: Effect.Effect<never, AttemptTimeout> = Effect.suspend(() => {
          const left = last + Duration.toMillis(context.idle) - clock.unsafeCurrentTimeMillis()
          return left > 0 ? Effect.zipRight(Effect.sleep(left), idle) : Effect.fail(TimeLimits.idleTimeout(context))
        })
        return yield* into(memory, onReceived).pipe(
          Effect.mapError(toBodyError(context)),
          Effect.raceFirst(idle),
          Effect.ensuring(Effect.suspend(() => countReceived(all)))
        )
      })
  }
}

/** The bytes of a body. An empty one is no error. */
const bytesOf = (context: BodyContext, response: HttpClientResponse.HttpClientResponse) =>
  Stream.catchAll(
    response.stream,
    (error) => error.reason === "EmptyBody" ? Stream.empty : Stream.fail(toBodyError(context)(error))
  )

/** The bytes of a body at the pace of a lane, without a long pause. */
export const pacedBytes = (context: BodyContext, response: HttpClientResponse.HttpClientResponse) =>
  bytesOf(context, response).pipe(
    Stream.timeoutFail(() => TimeLimits.idleTimeout(context), context.idle),
    through(context.lane)
  )

/** The body of an output. */
const bodyOf = (context: AttemptContext, response: HttpClientResponse.HttpClientResponse): ResponseBody.Body =>
  Object.assign(
    Stream.tap(pacedBytes(context, response), (bytes) => countReceived(bytes.length)),
    intoOf(context, response)
  )

/** Closes the connection of a body that is not read. */
const discard = (response: HttpClientResponse.HttpClientResponse) =>
  Effect.ignore(Stream.runDrain(Stream.interruptWhen(response.stream, Effect.void)))

/** The longest JSON document: far more than a page of any list has. */
const maximumText = 64 * Limits.mebibyte

class TooLong extends Data.TaggedError("TooLong") {}

/** Reads a body as text. Bounds its length: a faulty server may send bytes without an end. */
const textOf = (context: AttemptContext, response: HttpClientResponse.HttpClientResponse) => {
  const length = response.headers["content-length"]
  // The HTTP client receives no more than the length.
  if (response.status === 204 || Number(length) <= maximumText) {
    return Effect.mapError(response.text, toBodyError(context))
  }
  if (length !== undefined) return Effect.zipRight(discard(response), Effect.fail(new TooLong()))
  const decoder = new TextDecoder()
  return bytesOf(context, response).pipe(
    Stream.runFoldEffect({ text: "", size: 0 }, ({ size, text }, bytes) =>
      size + bytes.length > maximumText
        ? Effect.fail(new TooLong())
        : Effect.succeed({ text: text + decoder.decode(bytes, { stream: true }), size: size + bytes.length })),
    Effect.map(({ text }) => text + decoder.decode())
  )
}

/** Decodes a response. Fails with the error of the operation that it carries, or with `MalformedResponse`. */
export const decode = (
  context: AttemptContext,
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<object, GlacierError> =>
  Effect.gen(function*() {
    const { operation, scrub } = context
    const requestId = requestIdOf(scrub, response.headers)
    const malformed = (problem: string) =>
      new MalformedResponse({
        operation: operation.name,
        status: response.status,
        requestId,
        problem: scrub(problem).slice(0, 4_000)
      })
    // Reading to the end, also of an error, lets the connection be reused.
    const text = Effect.catchTag(
      textOf(context, response),
      "TooLong",
      () => malformed(`more than ${maximumText} bytes`)
    )
    if (!operation.success.includes(response.status)) {
      return yield* errorOf(context, response, yield* text, yield* Clock.currentTimeMillis)
    }
    const headers = yield* Operation.decode(operation.headers, (field) => response.headers[field.name]).pipe(
      Either.mapLeft(({ error, field }) =>
        malformed(`header ${field.name} ${Option.match(error, { onNone: () => "is missing", onSome: String })}`)
      ),
      Effect.tapError(() => discard(response))
    )
    if (operation.body === "bytes") return { ...headers, body: bodyOf(context, response) }
    if (operation.body === "none") {
      // The head is complete: losing the rest of the body leaves no doubt about the outcome.
      yield* Effect.ignore(text)
      return headers
    }
    const body = yield* text
    const json = yield* Effect.try({ try: (): unknown => JSON.parse(body), catch: () => malformed("not JSON") })
    const decoded = yield* Either.mapLeft(operation.body.decode(json), (error) => malformed(error.message))
    return { ...headers, ...decoded }
  })

/** Gives an effect the type of O's method: the output was decoded by O's descriptor, and the errors are O's or any call's. */
export const typed = <O extends Operation.Any>(effect: Effect.Effect<object, GlacierError>) =>
  effect as Effect.Effect<Response<O>, Failure<O>>
