/**
 * The undici dispatcher of a client: pools of connections and the time limit to open one, proxies, and
 * the certificate authorities to trust.
 *
 * @internal
 */
import * as Undici from "@effect/platform-node/Undici"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import type { Socket } from "node:net"
import { addAbortSignal } from "node:stream"
import { createSecureContext } from "node:tls"
import * as HttpHooks from "../../transport/HttpHooks.ts"
import type * as Deadlines from "./deadlines.ts"

/** The URLs of proxies by the scheme of the endpoint, and a comma-separated list of hosts that are reached without a proxy. */
export interface Proxies {
  readonly http?: string | undefined
  readonly https?: string | undefined
  readonly except?: string | undefined
}

/** Options of a dispatcher. */
export interface Options {
  /** Certificates of authorities as PEM text. They are trusted besides those that Node.js trusts. */
  readonly ca?: string | undefined
  readonly proxies?: Proxies | undefined
}

/** The authorities in NODE_EXTRA_CA_CERTS. Ignores a file that cannot be read, as Node.js does after a warning. */
const extraAuthorities = (): ReadonlyArray<string> => {
  try {
    return [readFileSync(process.env["NODE_EXTRA_CA_CERTS"] ?? "", "utf8")]
  } catch {
    return []
  }
}

/** Options of connections. `ca` is trusted besides the authorities that Node.js trusts. */
const connectorOptions = (ca: string | undefined): Undici.buildConnector.BuildOptions => {
  // Without a time limit of undici: `within` limits the time.
  const timeout = 0
  if (ca === undefined) return { timeout }
  const secureContext = createSecureContext()
  // The option `ca` would replace the authorities of Node.js, and passing them along takes 20 ms. `addCACert` keeps them, except
  // those of NODE_EXTRA_CA_CERTS.
  const { context }: { readonly context: { readonly addCACert: (pem: string) => void } } = secureContext
  for (const pem of [...extraAuthorities(), ca]) context.addCACert(pem)
  return { timeout, secureContext }
}

/** The maximum number of connections to each origin. */
export const connections = 64

type Connector = Undici.buildConnector.connector

/** Adds the proxy to the error of a connection through it. With a status below 500 the next attempt would fail, too. */
const proxyError = (proxy: string, error: unknown): Error => {
  const status = error instanceof Error ? /^Proxy response \((\d+)\)/.exec(error.message)?.[1] : undefined
  if (status === undefined) return new Error(`Through the proxy ${proxy}`, { cause: error })
  const advice = status === "407" ? ": give a user and a password that it accepts in the URL of the proxy" : ""
  return Object.assign(new Error(`The proxy ${proxy} responded to CONNECT with status ${status}${advice}`), {
    code: status < "500" ? "ERR_PROXY_REFUSED" : "ERR_PROXY_UNAVAILABLE"
  })
}

/** The addresses to which a socket tried to connect. */
const attempted = (socket: unknown, { hostname, port, protocol }: Undici.buildConnector.Options): string =>
  Predicate.hasProperty(socket, "autoSelectFamilyAttemptedAddresses") &&
    Array.isArray(socket.autoSelectFamilyAttemptedAddresses)
    ? socket.autoSelectFamilyAttemptedAddresses.join(", ")
    : `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`

/** Functions that stop the connections that are being opened. */
type Connecting = Set<() => void>

/**
 * Limits the time of a connector. `proxy` is the proxy that it connects through. All errors become `NotSent`, after which undici
 * fails the request. After some of its own errors undici connects again without a delay: to a proxy that closes every
 * connection, more than 2,000 times per second.
 */
const within = (
  connect: Connector,
  limit: () => Duration.Duration,
  addDeadline: Deadlines.Add,
  connecting: Connecting,
  proxy?: string
): Connector =>
(options, callback) => {
  const tunnel = new AbortController()
  let isDone = false
  const finish = (error: unknown, connected?: Socket | null) => {
    // The tunnel through a proxy may be ready after the time limit.
    if (isDone) return void connected?.on("error", () => {}).destroy()
    isDone = true
    removeDeadline()
    connecting.delete(stop)
    if (!connected) {
      callback(new HttpHooks.NotSent({ cause: proxy === undefined ? error : proxyError(proxy, error) }), null)
    } else callback(null, connected)
  }
  const stop = () => {
    socket?.destroy?.()
    tunnel.abort()
  }
  const duration = limit()
  const removeDeadline = addDeadline(duration, () => {
    finish(new Error(`No connection to ${attempted(socket, options)} within ${Duration.format(duration)}`))
    stop()
  })
  const withSignal = { ...options, signal: tunnel.signal }
  // Contrary to its type, undici's own connector returns the socket. The connector of a proxy returns a promise.
  const socket = connect(withSignal, finish as Undici.buildConnector.Callback) as unknown as Socket
  if (!isDone) connecting.add(stop)
}

/**
 * Opens tunnels through a proxy. Each tunnel has its own undici client, which is destroyed by the signal of `within`: a pool
 * would connect again after a CONNECT that was aborted. After the response to CONNECT, undici no longer controls the socket,
 * so the signal destroys the socket, too.
 */
const tunnels = (origin: URL, connect: Connector): Undici.Dispatcher => {
  const end = () => Promise.resolve()
  const methods = {
    connect: async ({ signal, ...request }: Undici.Dispatcher.ConnectOptions & { readonly signal: AbortSignal }) => {
      const client = new Undici.Client(origin, { connect, headersTimeout: 0 })
      signal.addEventListener("abort", () => client.destroy())
      const data = await client.connect(request)
      addAbortSignal(signal, data.socket.on("error", () => {}))
      return data
    },
    close: end,
    destroy: end
  }
  // undici calls no other methods of the client of a proxy.
  return methods as unknown as Undici.Dispatcher
}

/**
 * Makes a dispatcher. It closes all connections when the Scope closes. `limit` is called for each connection and returns the
 * time in which it must be ready.
 */
export const make = (
  { ca, proxies = {} }: Options,
  limit: () => Duration.Duration,
  addDeadline: Deadlines.Add
): Effect.Effect<Undici.Dispatcher, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const connecting: Connecting = new Set()
        const { except, http, https = http } = proxies
        const limited = (connect: Connector, proxy?: string) =>
          within(connect, limit, addDeadline, connecting, proxy === undefined ? undefined : new URL(proxy).host)
        const plain = Undici.buildConnector(connectorOptions(undefined))
        // Made when it is needed, because loading all authorities takes about 40 ms.
        let secure: Connector | undefined
        const direct: Connector = (options, callback) =>
          (options.protocol === "https:" ? secure ??= Undici.buildConnector(connectorOptions(ca)) : plain)(
            options,
            callback
          )
        const options: Undici.Agent.Options = {
          connections,
          connect: direct,
          headersTimeout: 0,
          bodyTimeout: 0,
          // The `connect` of the options is the direct connector, or that of a tunnel through a proxy.
          factory: (origin, options) => {
            const { connect, ...others } = options as Undici.Pool.Options & { readonly connect: Connector }
            const proxy = connect === direct ? undefined : new URL(origin).protocol === "https:" ? https : http
            return new Undici.Pool(origin, { ...others, connect: limited(connect, proxy) })
          }
        }
        if (http === undefined && https === undefined) return { connecting, dispatcher: new Undici.Agent(options) }
        const tls = connectorOptions(ca)
        const dispatcher = new Undici.EnvHttpProxyAgent({
          ...options,
          requestTls: tls,
          proxyTls: tls,
          clientFactory: (origin, options) => {
            const { connect } = options as { readonly connect: Connector }
            return tunnels(origin, limited(connect))
          },
          // undici reads the environment for each of these that is undefined.
          httpProxy: http ?? "",
          httpsProxy: https ?? "",
          noProxy: except ?? ""
        })
        return { connecting, dispatcher }
      }),
      ({ connecting, dispatcher }) =>
        Effect.promise(() => {
          connecting.forEach((stop) => stop())
          return dispatcher.destroy()
        })
    ),
    ({ dispatcher }) => dispatcher
  )
