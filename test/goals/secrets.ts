/** Calls and programs that fail in random ways, and everything that they print. */
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { inspect } from "node:util"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as Bandwidth from "../../src/policy/Bandwidth.ts"
import * as RatePolicy from "../../src/policy/RatePolicy.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import { CredentialsError, GlacierError } from "../../src/protocol/GlacierError.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import { recordingTracer } from "../support/recordingTracer.ts"
import { calls, welcomeHash } from "../transport/calls.ts"
import { errorResponseOf, over, responseOf, script, type Sent } from "../transport/support.ts"

/** Returns all printed forms of a value. */
export const forms = (value: unknown): ReadonlyArray<string> => [
  String(value),
  JSON.stringify(value, (_, value: unknown) => typeof value === "bigint" ? String(value) : value) ?? "",
  inspect(value, { depth: Infinity, showHidden: true, maxArrayLength: Infinity, maxStringLength: Infinity })
]

const formsOfError = (error: Error): ReadonlyArray<string> => [error.message, error.stack ?? "", ...forms(error)]

/** Makes a console, a logger of every kind and a tracer that record everything they receive. */
export const recorder = () => {
  const seen: Array<string> = []
  const keep = (...values: ReadonlyArray<unknown>) => {
    for (const value of values) seen.push(typeof value === "string" ? value : inspect(value, { depth: Infinity }))
  }
  const silent = Effect.void
  const unsafe = {
    ...console,
    log: keep,
    error: keep,
    group: keep,
    groupCollapsed: keep,
    groupEnd: () => {}
  }
  const captured: Console.Console = {
    [Console.TypeId]: Console.TypeId,
    assert: () => silent,
    clear: silent,
    count: () => silent,
    countReset: () => silent,
    debug: () => silent,
    dir: () => silent,
    dirxml: () => silent,
    error: () => silent,
    group: () => silent,
    groupEnd: silent,
    info: () => silent,
    log: () => silent,
    table: () => silent,
    time: () => silent,
    timeEnd: () => silent,
    timeLog: () => silent,
    trace: () => silent,
    warn: () => silent,
    unsafe
  }
  const pretty = Logger.prettyLogger({ colors: false, mode: "tty" })
  const logger = Logger.make((options) => {
    for (const logger of [Logger.jsonLogger, Logger.logfmtLogger, Logger.stringLogger, Logger.structuredLogger]) {
      keep(logger.log(options))
    }
    pretty.log(options)
  })
  const recording = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      Effect.withTracer(recordingTracer(keep)),
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      Logger.withMinimumLogLevel(LogLevel.All),
      Effect.withConsole(captured)
    )
  return { seen, recording }
}

const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

const canary = (length: number) =>
  Effect.map(
    Effect.replicateEffect(Random.nextIntBetween(0, characters.length), length),
    (indices) => indices.map((index) => characters[index]).join("")
  )

const quotes: ReadonlyArray<(sent: Sent) => string> = [
  ({ headers }) => Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join("\n"),
  ({ headers }) => JSON.stringify(headers),
  ({ headers }) => `${headers["authorization"]} ${headers["x-amz-security-token"]}`
]

const codes = [
  [400, "ThrottlingException"],
  [400, "ExpiredTokenException"],
  [403, "InvalidSignatureException"],
  [404, "ResourceNotFoundException"],
  [408, "RequestTimeoutException"],
  [500, "ServiceUnavailableException"],
  [400, "InvalidParameterValueException"],
  [418, "Unheard"]
] as const

const failing = (quote: string, code?: string) => {
  const cause = Object.assign(new Error(quote), { code, request: quote })
  const error: unknown = new Error(`fetch failed ${quote}`, { cause })
  return Effect.fail(error)
}

const broken = (quote: string) => new ReadableStream({ pull: (controller) => controller.error(new Error(quote)) })

/** Responses and failures that quote the request, in every possible place. */
const responders: ReadonlyArray<(quote: string, sent: Sent) => Effect.Effect<Response, unknown>> = [
  ...codes.map(([status, code]) => (quote: string) =>
    Effect.sync(() => errorResponseOf(status, code, `It should have been ${quote}`))
  ),
  (quote) => Effect.sync(() => errorResponseOf(400, quote, quote)),
  ...[301, 407, 502].map((status) => (quote: string) => Effect.sync(() => responseOf(status, `<pre>${quote}</pre>`))),
  (_, { headers }) =>
    Effect.sync(() =>
      responseOf(500, "", { "x-amzn-requestid": headers["x-amz-security-token"] ?? "", location: "/" })
    ),
  (quote) => Effect.sync(() => responseOf(200, quote)),
  (quote) => Effect.sync(() => responseOf(200, JSON.stringify(quote))),
  (quote) => Effect.sync(() => responseOf(200, JSON.stringify({ VaultName: quote, Marker: 1, [quote]: quote }))),
  (_, { headers }) =>
    Effect.sync(() =>
      responseOf(201, null, {
        "x-amz-archive-id": headers["authorization"] ?? "",
        "x-amz-sha256-tree-hash": headers["authorization"] ?? "",
        "x-amzn-requestid": headers["authorization"] ?? ""
      })
    ),
  (quote) => failing(quote),
  (quote) => failing(quote, "ECONNRESET"),
  (quote) => failing(quote, "ECONNREFUSED"),
  (quote, sent) => Effect.fail({ code: quote, request: sent }),
  (quote) => Effect.fail(quote),
  (quote) => Effect.die(new Error(quote, { cause: quote })),
  (quote, sent) => Effect.die({ message: quote, request: sent }),
  () => Effect.never,
  (quote) => Effect.sync(() => responseOf(200, broken(quote), { "x-amz-sha256-tree-hash": welcomeHash })),
  (quote) => Effect.sync(() => responseOf(500, broken(quote)))
]

const policies = [
  RetryPolicy.none,
  RetryPolicy.standard,
  RetryPolicy.attempts(RetryPolicy.patient, 4),
  RetryPolicy.log(RetryPolicy.standard),
  RetryPolicy.log(RetryPolicy.attempts(RetryPolicy.patient, 4))
]

const pick = <A>(all: ReadonlyArray<A>): Effect.Effect<A> =>
  Effect.map(Random.nextIntBetween(0, all.length), (index) => all[index]!)

/** Makes a random call that fails. Returns the tag of its error, its secrets, and those that leaked. */
export const failure = Effect.gen(function*() {
  const [secret, token] = [yield* canary(40), yield* canary(200)]
  const down = (yield* Random.next) < 0.05
  const { http, sent } = script((request) =>
    Effect.gen(function*() {
      const quote = yield* pick(quotes)
      return yield* (yield* pick(responders))(quote(request), request)
    })
  )
  const { recording, seen } = recorder()
  const call = yield* pick(calls)
  const exit = yield* Effect.flatMap(GlacierClient.GlacierClient, call.run).pipe(
    Effect.provide(over(http, {
      credentials: Credentials.layerEffect(
        down
          ? new CredentialsError({ message: "none" })
          : Effect.succeed({
            accessKeyId: "ASIA",
            secretAccessKey: Redacted.make(secret),
            sessionToken: Redacted.make(token)
          })
      ),
      policies: Layer.orDie(Layer.mergeAll(
        RetryPolicy.layer(yield* pick(policies)),
        RatePolicy.layerWith({ requestsPerSecond: 1 }),
        Bandwidth.layerWith({ up: 10, down: 10 })
      ))
    })),
    Effect.tapErrorCause((cause) => Effect.logError("failed", Cause.squash(cause), cause)),
    Effect.annotateLogs("call", call.name),
    Effect.withSpan("outer"),
    recording,
    Effect.exit
  )
  const signatures = sent.flatMap(({ headers }) => headers["authorization"]?.split("Signature=").slice(1) ?? [])
  const text = [...seen, ...forms(exit)]
  if (Exit.isFailure(exit)) {
    const { cause } = exit
    const thrown = Runtime.makeFiberFailure(cause)
    text.push(Cause.pretty(cause), Cause.pretty(cause, { renderErrorCause: true }), ...forms(cause))
    text.push(...formsOfError(thrown), ...formsOfError(Cause.prettyErrors(cause)[0] ?? thrown))
    for (const error of Option.toArray(Cause.failureOption(cause))) {
      text.push(...formsOfError(error), ...forms(yield* Schema.encode(GlacierError)(error)))
    }
    for (const defect of Cause.defects(cause)) text.push(...forms(defect))
  }
  const tag = Exit.match(exit, {
    onFailure: (cause) => Option.match(Cause.failureOption(cause), { onNone: () => cause._tag, onSome: (e) => e._tag }),
    onSuccess: () => "ok"
  })
  const hidden = [secret, token, ...signatures]
  const all = text.join("\n")
  return { tag, hidden, sent: sent.length, leaked: hidden.filter((secret) => all.includes(secret)), length: all.length }
}).pipe(Effect.provide(NodeHashing.layer))
