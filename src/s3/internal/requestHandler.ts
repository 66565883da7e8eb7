/**
 * Sends the requests of AWS's client through the `HttpClient` in use. The client serializes and signs a request, and waits
 * in the handler, while an Effect sends the request. So errors keep their types, and an interruption needs no signal.
 *
 * @internal
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"

/** A request of the client, as its handlers get it. */
export interface ClientRequest {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly port?: number | undefined
  readonly path: string
  readonly query?: Readonly<Record<string, string | ReadonlyArray<string> | null>> | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** A response for the client. */
export interface ClientResponse {
  readonly statusCode: number
  readonly headers: Record<string, string>
  readonly body: Uint8Array | Blob
}

/** The options of a call. The client passes them to the handler. */
export interface CallOptions {
  readonly exchange?: (request: ClientRequest) => Promise<ClientResponse>
  /** An option of the client, without which its types reject the options. */
  readonly requestTimeout?: never
}

/** The handler of all calls: each call brings its own function. */
export const requestHandler = {
  handle: async (request: ClientRequest, { exchange }: CallOptions = {}): Promise<{ response: ClientResponse }> => {
    if (exchange === undefined) throw new Error("The client sent a request that no call has made")
    return { response: await exchange(request) }
  }
}

const queryOf = ({ query = {} }: ClientRequest): string =>
  Object.entries(query).flatMap(([name, values]) =>
    [values].flat().map((value) => value === null ? encode(name) : `${encode(name)}=${encode(String(value))}`)
  ).join("&")

/** Encodes as the signature does: RFC 3986 reserves more characters than `encodeURIComponent` encodes. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** The URL of a request. */
export const urlOf = (request: ClientRequest): string => {
  const { hostname, path, port, protocol } = request
  const query = queryOf(request)
  return `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}${query === "" ? "" : `?${query}`}`
}

/**
 * Runs a call of the client, whose request `send` sends. `toError` translates an error of the client: before the request,
 * or about the response.
 */
export const exchanging = <A, Response extends { readonly forClient: ClientResponse }, E, R, E1>(
  run: (options: CallOptions) => Promise<A>,
  send: (request: ClientRequest) => Effect.Effect<Response, E, R>,
  toError: (cause: unknown, response?: Response) => E1
): Effect.Effect<readonly [output: A, response: Response], E | E1, R> =>
  Effect.suspend(() => {
    const requested = Deferred.unsafeMake<ClientRequest, E1>(FiberId.none)
    let respond: (response: ClientResponse) => void = () => {}
    const responded = new Promise<ClientResponse>((resolve) => {
      respond = resolve
    })
    const output = run({
      exchange: (request) => {
        Deferred.unsafeDone(requested, Effect.succeed(request))
        return responded
      }
    })
    // The client can fail before it has a request, for instance without credentials.
    output.catch((cause: unknown) => Deferred.unsafeDone(requested, Effect.fail(toError(cause))))
    return Effect.gen(function*() {
      const response = yield* Effect.flatMap(Deferred.await(requested), send)
      respond(response.forClient)
      return [yield* Effect.tryPromise({ try: () => output, catch: (cause) => toError(cause, response) }), response]
    })
  })
