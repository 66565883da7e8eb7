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
import type { ConnectionError } from "../../protocol/GlacierError.ts"
import { AttemptTimeout, type GlacierError, MalformedResponse } from "../../protocol/GlacierError.ts"
import * as Limits from "../../protocol/Limits.ts"
import * as Operation from "../../protocol/Operation.ts"
import * as ServiceError from "../../protocol/ServiceError.ts"
import type { Failure, Response } from "../Method.ts"
import * as Metrics from "../Metrics.ts"
import * as ResponseBody from "../ResponseBody.ts"
import type { Attempt } from "./attempt.ts"
import { toBodyError } from "./connectionError.ts"
import { through } from "./pacing.ts"
import { retryAfter } from "./retryAfter.ts"

/** What is wrong with an HTTP client that dies: its defect might hold the request as well. */
export const toDefect = ({ operation, scrub }: Attempt) => (defect: unknown): Effect.Effect<never> =>
  Effect.die(new Error(`${operation.name}: the HTTP client died of ${scrub(String(defect))}`))

const requestIdOf = (scrub: Attempt["scrub"], headers: HttpClientResponse.HttpClientResponse["headers"]) => {
  const id = headers["x-amzn-requestid"]
  return id === undefined ? undefined : scrub(id)
}

const Text = Schema.optionalWith(Schema.String, { nullable: true })

/** Glacier itself writes `code` and `message`. Layers of AWS in front of it may use the other names (spec section 6). */
const ErrorBody = Schema.parseJson(
  Schema.Struct({ code: Text, Code: Text, __type: Text, message: Text, Message: Text })
)

/** The code of an error, without what may stand round it, as in `com.amazonaws#ThrottlingException:http://amazon.com`. */
const codeOf = (...codes: ReadonlyArray<string | undefined>): string | undefined =>
  codes.map((code) => code?.replace(/:.*/s, "").replace(/.*#/s, "").trim()).find((code) =>
    code !== undefined && code !== ""
  )

/** An error answer by its body; one that is not Glacier's (a proxy's page) by its status alone. */
const refusal = (
  { operation, scrub }: Attempt,
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

/** Counts what has arrived of a body. */
const arrived = (bytes: number) => Metric.incrementBy(Metric.tagged(Metrics.bytes, "direction", "down"), bytes)

const idled = ({ idle, operation }: Attempt) => () =>
  new AttemptTimeout({ operation: operation.name, waiting: "body", millis: Duration.toMillis(idle) })

/** Puts a body into memory, if the HTTP client can and it need not be paced. */
const intoOf = (
  attempt: Attempt,
  response: HttpClientResponse.HttpClientResponse & ResponseBody.Response
): ResponseBody.IntoMemory<ConnectionError | AttemptTimeout> => {
  const into = response[ResponseBody.Into]
  if (into === undefined || attempt.lane !== undefined) return {}
  return {
    [ResponseBody.Into]: (memory, onBytes) =>
      Effect.gen(function*() {
        const clock = yield* Effect.clock
        let last = clock.unsafeCurrentTimeMillis()
        let all = 0
        const told = (count: number) => {
          last = clock.unsafeCurrentTimeMillis()
          all += count
          onBytes(count)
        }
        const idle: Effect.Effect<never, AttemptTimeout> = Effect.suspend(() => {
          const left = last + Duration.toMillis(attempt.idle) - clock.unsafeCurrentTimeMillis()
          return left > 0 ? Effect.zipRight(Effect.sleep(left), idle) : Effect.fail(idled(attempt)())
        })
        return yield* into(memory, told).pipe(
          Effect.mapError(toBodyError(attempt)),
          Effect.raceFirst(idle),
          Effect.ensuring(Effect.suspend(() => arrived(all)))
        )
      })
  }
}

/** The bytes of a body. An empty one is no error. */
const bytesOf = (attempt: Attempt, response: HttpClientResponse.HttpClientResponse) =>
  Stream.catchAll(
    response.stream,
    (error) => error.reason === "EmptyBody" ? Stream.empty : Stream.fail(toBodyError(attempt)(error))
  )

/** The body of an output. */
const bodyOf = (attempt: Attempt, response: HttpClientResponse.HttpClientResponse): ResponseBody.Body =>
  Object.assign(
    bytesOf(attempt, response).pipe(
      Stream.timeoutFail(idled(attempt), attempt.idle),
      through(attempt.lane),
      Stream.tap((bytes) => arrived(bytes.length))
    ),
    intoOf(attempt, response)
  )

/** Closes the connection of a body that nobody will read. */
const discard = (response: HttpClientResponse.HttpClientResponse) =>
  Effect.ignore(Stream.runDrain(Stream.interruptWhen(response.stream, Effect.void)))

/** The longest JSON document: far more than a page of any list has. */
const maximumText = 64 * Limits.mebibyte

class TooLong extends Data.TaggedError("TooLong") {}

/** The text of a body, within bounds: whoever responds may never end. */
const textOf = (attempt: Attempt, response: HttpClientResponse.HttpClientResponse) => {
  const length = response.headers["content-length"]
  // The HTTP client receives no more than the length.
  if (response.status === 204 || Number(length) <= maximumText) {
    return Effect.mapError(response.text, toBodyError(attempt))
  }
  if (length !== undefined) return Effect.zipRight(discard(response), Effect.fail(new TooLong()))
  const decoder = new TextDecoder()
  return bytesOf(attempt, response).pipe(
    Stream.runFoldEffect({ text: "", size: 0 }, ({ size, text }, bytes) =>
      size + bytes.length > maximumText
        ? Effect.fail(new TooLong())
        : Effect.succeed({ text: text + decoder.decode(bytes, { stream: true }), size: size + bytes.length })),
    Effect.map(({ text }) => text + decoder.decode())
  )
}

/** Decodes an answer: the output of the operation, or its error. */
export const decode = (
  attempt: Attempt,
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<object, GlacierError> =>
  Effect.gen(function*() {
    const { operation, scrub } = attempt
    const requestId = requestIdOf(scrub, response.headers)
    const malformed = (problem: string) =>
      new MalformedResponse({
        operation: operation.name,
        status: response.status,
        requestId,
        problem: scrub(problem).slice(0, 4_000)
      })
    // Read to its end whatever it is, so that the connection can be used again.
    const text = Effect.catchTag(
      textOf(attempt, response),
      "TooLong",
      () => malformed(`more than ${maximumText} bytes`)
    )
    if (!operation.success.includes(response.status)) {
      return yield* refusal(attempt, response, yield* text, yield* Clock.currentTimeMillis)
    }
    const headers = yield* Operation.decode(operation.headers, (field) => response.headers[field.name]).pipe(
      Either.mapLeft(({ error, field }) =>
        malformed(`header ${field.name} ${Option.match(error, { onNone: () => "is missing", onSome: String })}`)
      ),
      Effect.tapError(() => discard(response))
    )
    if (operation.body === "bytes") return { ...headers, body: bodyOf(attempt, response) }
    if (operation.body === "none") {
      // The head says it all: that the rest is lost leaves nothing in doubt.
      yield* Effect.ignore(text)
      return headers
    }
    const body = yield* text
    const json = yield* Effect.try({ try: (): unknown => JSON.parse(body), catch: () => malformed("not JSON") })
    const decoded = yield* Either.mapLeft(operation.body.decode(json), (error) => malformed(error.message))
    return { ...headers, ...decoded }
  })

/** The output was decoded by O's descriptor, and the errors are O's own or those of any call. */
export const typed = <O extends Operation.Any>(effect: Effect.Effect<object, GlacierError>) =>
  effect as Effect.Effect<Response<O>, Failure<O>>
