/** A failure of each class, and everything that it makes visible. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { inspect } from "node:util"
import type * as GlacierClient from "../../src/client/GlacierClient.ts"
import { CredentialsError, GlacierError } from "../../src/protocol/GlacierError.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import { recordingTracer } from "../support/recordingTracer.ts"
import { call, jobId } from "./calls.ts"
import { accessKeyId, errorResponseOf, responseOf, scripted } from "./support.ts"
import type { Respond, Sent } from "./support.ts"

type Run = (glacier: GlacierClient.Service) => Effect.Effect<unknown, GlacierError>

interface Kind {
  readonly tag: string
  readonly about?: string
  readonly respond: Respond
  readonly run?: Run
  readonly credentials?: Effect.Effect<never, CredentialsError>
}

const responding = (response: () => Response): Respond => () => Effect.sync(response)

const output: Run = (glacier) =>
  Effect.flatMap(glacier.getJobOutput({ vaultName: "photos", jobId }), ({ body }) => Stream.runDrain(body))

const quoted = (sent: Sent) => Object.entries(sent.headers).map(([name, value]) => `${name}:${value}`).join("\n")

const failing = (cause: unknown) => Effect.fail(cause)

const lost = (cause: unknown): Respond => () => failing(cause)

/** A failure of each class. */
export const kinds: ReadonlyArray<Kind> = [
  { tag: "AccessDenied", respond: responding(() => errorResponseOf(403, "AccessDeniedException")) },
  { tag: "Throttling", respond: responding(() => errorResponseOf(400, "ThrottlingException")) },
  { tag: "ServiceUnavailable", respond: responding(() => errorResponseOf(500, "ServiceUnavailableException")) },
  { tag: "ResourceNotFound", respond: responding(() => errorResponseOf(404, "ResourceNotFoundException")) },
  { tag: "UnknownServiceError", respond: responding(() => responseOf(502, "<html>")) },
  { tag: "MalformedResponse", respond: responding(() => responseOf(200, "{}")) },
  { tag: "ConnectionError", respond: lost(new Error("fetch failed", { cause: new Error("ECONNRESET") })) },
  { tag: "ConnectionError", respond: lost({ code: "ECONNRESET" }) },
  { tag: "ConnectionError", respond: responding(() => responseOf(200, broken())), run: output },
  { tag: "AttemptTimeout", respond: () => Effect.never },
  { tag: "AttemptTimeout", respond: responding(() => responseOf(200, new ReadableStream())), run: output },
  { tag: "InvalidInput", respond: () => Effect.never, run: (glacier) => glacier.describeVault({ vaultName: "a/b" }) },
  {
    tag: "CredentialsError",
    respond: () => Effect.never,
    credentials: Effect.fail(new CredentialsError({ message: "expired" }))
  }
]

/** Failures in which another program quotes the request. */
export const echoes: ReadonlyArray<Kind> = [
  {
    tag: "InvalidSignature",
    about: "a service quotes the canonical request",
    respond: (sent) =>
      Effect.sync(() =>
        errorResponseOf(
          403,
          "InvalidSignatureException",
          `The Canonical String should have been 'GET\n${quoted(sent)}'`
        )
      )
  },
  {
    tag: "UnknownServiceError",
    about: "a proxy's page quotes the request",
    respond: (sent) => Effect.sync(() => responseOf(407, `<pre>${quoted(sent)}</pre>`))
  },
  {
    tag: "MalformedResponse",
    about: "a response quotes the request",
    respond: (sent) =>
      Effect.sync(() =>
        responseOf(200, JSON.stringify({ CreationDate: quoted(sent), VaultARN: "a", VaultName: quoted(sent) }))
      )
  },
  {
    tag: "ConnectionError",
    about: "an HTTP client quotes a header that it cannot send",
    respond: (sent) => failing(new TypeError(`Headers.append: "${quoted(sent)}" is an invalid header value.`))
  }
]

function broken() {
  return new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("cut")) })
}

const base64 = (minLength: number) =>
  FastCheck.stringMatching(new RegExp(`^[A-Za-z0-9+/]{${minLength},${minLength + 20}}$`))

export const secrets = FastCheck.record({ secret: base64(30), token: base64(60) })

/** Returns everything that a call makes visible: all forms of its error, its spans, its logs and the metrics. */
export const visible = (kind: Kind, { secret, token }: { readonly secret: string; readonly token: string }) =>
  Effect.gen(function*() {
    const seen: Array<unknown> = []
    const logger = Logger.make(({ annotations, cause, message }) =>
      void seen.push(["log", message, Cause.pretty(cause), ...annotations])
    )
    const signatures: Array<string> = []
    const { glacier, sent } = yield* scripted(kind.respond, {
      credentials: Credentials.layerEffect(
        kind.credentials ?? Effect.succeed({
          accessKeyId,
          secretAccessKey: Redacted.make(secret),
          sessionToken: Redacted.make(token)
        })
      )
    })
    const fiber = yield* (kind.run ?? call("describeVault").run)(glacier).pipe(
      Effect.tapErrorCause((cause) => Effect.logError("failed", cause)),
      Effect.withSpan("outer"),
      Effect.sandbox,
      Effect.flip,
      Effect.withTracer(recordingTracer((...values) => void seen.push(...values))),
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      Logger.withMinimumLogLevel(LogLevel.All),
      Effect.fork
    )
    yield* TestClock.adjust("30 seconds")
    const cause = yield* Fiber.join(fiber)
    const error = Option.getOrThrow(Cause.failureOption(cause))
    for (const { headers } of sent) signatures.push(...(headers["authorization"]?.split("Signature=").slice(1) ?? []))
    const text = [
      String(error),
      error.message,
      error.stack,
      JSON.stringify(error),
      JSON.stringify(yield* Schema.encode(GlacierError)(error)),
      inspect(error, { depth: Infinity, showHidden: true }),
      inspect(cause, { depth: Infinity }),
      Cause.pretty(cause),
      inspect(seen, { depth: Infinity }),
      inspect(yield* Metric.snapshot, { depth: 6 })
    ].join("\n")
    return { tag: error._tag, text, hidden: [secret, token, ...signatures], spans: seen.length }
  })

export const leaks = ({ hidden, text }: { readonly hidden: ReadonlyArray<string>; readonly text: string }) =>
  hidden.filter((secret) => text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1)))
