/**
 * AWS's client of S3, without its own retries and HTTP: calls send their requests through `HttpAttempt`.
 *
 * @internal
 */
import type * as ClientS3 from "@aws-sdk/client-s3"
import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { CredentialsError, MalformedResponse, show } from "../../protocol/GlacierError.ts"
import { UnknownServiceError } from "../../protocol/ServiceError.ts"
import type { Keys } from "../../transport/Credentials.ts"
import * as HttpAttempt from "../../transport/HttpAttempt.ts"
import type { AttemptError } from "../ObjectStore.ts"
import { type CallOptions, type ClientRequest, exchanging, requestHandler, urlOf } from "./requestHandler.ts"

/** AWS's package, which is imported when it is needed. */
export type Sdk = typeof ClientS3

/** Where the bucket is, and the keys of its requests. */
export interface Options {
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
  readonly pathStyle?: boolean | undefined
  readonly keys?: Keys | undefined
  readonly profile?: string | undefined
}

/** The longest document of a response: far more than a page of any list has. */
const maximumDocument = 16 * 2 ** 20

/** A response: the document of the client, and the bytes if the call asks for them. */
interface Received extends HttpAttempt.Response {
  readonly forClient: {
    readonly statusCode: number
    readonly headers: Record<string, string>
    readonly body: Uint8Array | Blob
  }
}

const configOf = ({ endpoint, keys, pathStyle = false, profile, region }: Options): S3ClientConfig => ({
  ...(region === undefined ? {} : { region }),
  ...(endpoint === undefined ? {} : { endpoint }),
  ...(profile === undefined ? {} : { profile }),
  forcePathStyle: pathStyle,
  ...(keys === undefined ? {} : {
    credentials: {
      accessKeyId: keys.accessKeyId,
      secretAccessKey: Redacted.value(keys.secretAccessKey),
      ...(keys.sessionToken === undefined ? {} : { sessionToken: Redacted.value(keys.sessionToken) })
    }
  }),
  maxAttempts: 1,
  retryMode: "standard",
  // Trailing checksums would hash each byte again, and many stores reject them.
  requestChecksumCalculation: "WHEN_REQUIRED",
  responseChecksumValidation: "WHEN_REQUIRED",
  // A second round trip for each part. The requests of this package are only sent to a store that accepts them.
  expectContinueHeader: false,
  requestHandler
})

/** Makes the client date signatures by the `Clock`, with the client's correction of a wrong clock. */
const datedByClock = (client: S3Client) =>
  Effect.map(Effect.clock, (clock) => {
    const { signer } = client.config
    client.config.signer = async (scheme) => {
      const inner = await signer(scheme)
      return {
        sign: (request, options) =>
          inner.sign(request, {
            ...options,
            signingDate: new Date(clock.unsafeCurrentTimeMillis() + client.config.systemClockOffset)
          })
      }
    }
    return client
  })

const documentOf = (operation: string, { body, status }: HttpAttempt.Response) =>
  Stream.runFoldEffect(
    body,
    { pieces: Chunk.empty<Uint8Array>(), size: 0 },
    ({ pieces, size }, bytes) =>
      size + bytes.length > maximumDocument
        ? new MalformedResponse({ operation, status, problem: `more than ${maximumDocument} bytes` })
        : Effect.succeed({ pieces: Chunk.append(pieces, bytes), size: size + bytes.length })
  ).pipe(
    Effect.map(({ pieces, size }) => {
      const document = new Uint8Array(size)
      Chunk.reduce(pieces, 0, (at, bytes) => {
        document.set(bytes, at)
        return at + bytes.length
      })
      return document
    })
  )

/** Says in which region the bucket is, if the response is about a wrong region. */
const regionHint = (region: string, { headers, status }: HttpAttempt.Response): string => {
  const actual = headers["x-amz-bucket-region"]
  return actual === undefined || actual === region || (status !== 301 && status !== 400)
    ? ""
    : ` (the bucket is in the region ${actual}, but \`region\` is ${region})`
}

/** Translates an error of the client: before a request, or about a response. */
const toAttemptError = (operation: string, region: string) => (cause: unknown, response?: Received): AttemptError => {
  const { message, name } = cause instanceof Error ? cause : new Error(String(cause))
  if (response === undefined) {
    return name.startsWith("Credentials")
      ? new CredentialsError({
        message: `${message}. Give \`keys\`, or configure credentials for AWS's provider chain`
      })
      : new UnknownServiceError({ operation, status: 0, code: name, message })
  }
  // The status that the client sees: it takes an error document in a response of status 200 for a 503.
  const { statusCode: status } = response.forClient
  const isFromService = Predicate.hasProperty(cause, "$fault") || name === "InternalError"
  if (status < 300 && !isFromService) {
    return new MalformedResponse({ operation, status, problem: response.redact(message) })
  }
  const requestId = response.headers["x-amz-request-id"]
  return new UnknownServiceError({
    operation,
    status,
    code: isFromService && !/^Unknown(Error)?$/.test(name) ? response.redact(name) : `HTTP ${status}`,
    message: `${response.redact(message)}${regionHint(region, response)}`,
    requestId: requestId === undefined ? undefined : response.redact(requestId),
    retryAfter: response.retryAfter
  })
}

const bodyOf = ({ body }: ClientRequest): Uint8Array | undefined =>
  Predicate.isUint8Array(body) ? body : typeof body === "string" ? new TextEncoder().encode(body) : undefined

/** The client. `call` makes an attempt; `stream` does so too, and returns the body without reading it. */
export interface Client {
  readonly client: S3Client
  readonly call: <A>(operation: string, run: (options: CallOptions) => Promise<A>) => Effect.Effect<A, AttemptError>
  readonly stream: <A>(
    operation: string,
    run: (options: CallOptions) => Promise<A>
  ) => Effect.Effect<readonly [output: A, body: HttpAttempt.Response["body"]], AttemptError>
}

/** The client rejects its options. */
class ClientRejected extends Data.TaggedError("ClientRejected")<{ readonly message: string }> {}

const rejected = (cause: unknown) =>
  new ClientRejected({ message: cause instanceof Error ? cause.message : String(cause) })

const checkEndpoint = ({ endpoint }: Options) =>
  endpoint === undefined || (/^https?:\/\//i.test(endpoint) && URL.canParse(endpoint))
    ? Effect.void
    : new ClientRejected({
      message: `The endpoint ${show(endpoint)} is not a url with a scheme. Write one such as https://s3.example.com`
    })

/** Makes the client. Fails if the region is unknown, or the endpoint is not a URL. */
export const make = (sdk: Sdk, options: Options): Effect.Effect<Client, ClientRejected, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const sendRequest = yield* HttpAttempt.make
    yield* checkEndpoint(options)
    const client = yield* datedByClock(
      yield* Effect.try({ try: () => new sdk.S3Client(configOf(options)), catch: rejected })
    )
    const region = yield* Effect.mapError(
      Effect.tryPromise({ try: () => client.config.region(), catch: rejected }),
      ({ message }) => new ClientRejected({ message: `${message}. Give \`region\`, or set AWS_REGION` })
    )

    const send = (operation: string, streams: boolean) => (request: ClientRequest) =>
      Effect.gen(function*() {
        const { "content-length": _, host: _host, ...headers } = request.headers
        // S3 has no other methods.
        const method = request.method as HttpAttempt.Request["method"]
        const response = yield* sendRequest({ operation, method, url: urlOf(request), headers, body: bodyOf(request) })
        const { status: statusCode } = response
        // The client gets no bytes of an object: they pass it by.
        const body = streams && statusCode < 300 ? new Blob([]) : yield* documentOf(operation, response)
        return { ...response, forClient: { statusCode, headers: { ...response.headers }, body } } satisfies Received
      })

    return {
      client,
      call: (operation, run) =>
        Effect.map(exchanging(run, send(operation, false), toAttemptError(operation, region)), ([output]) => output),
      stream: (operation, run) =>
        Effect.map(
          exchanging(run, send(operation, true), toAttemptError(operation, region)),
          ([output, { body }]) => [output, body]
        )
    }
  })
