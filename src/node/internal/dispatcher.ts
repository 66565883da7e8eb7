/**
 * The undici dispatcher of a client: pools of connections, proxies, and the certificate authorities to trust.
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
import { createSecureContext, rootCertificates } from "node:tls"
import * as HttpHooks from "../../transport/HttpHooks.ts"
import type * as Deadlines from "./deadlines.ts"

/** Proxies by the scheme of the endpoint, and the hosts that are reached without one. URLs, and a comma-separated list. */
export interface Proxies {
  readonly http?: string | undefined
  readonly https?: string | undefined
  readonly except?: string | undefined
}

export interface Options {
  /** Certificates of authorities to trust besides those that Node.js trusts, as PEM text. */
  readonly ca?: string | undefined
  readonly proxies?: Proxies | undefined
}

/** The authorities of NODE_EXTRA_CA_CERTS. Node.js ignores a file that it cannot read, with a warning. */
const extraAuthorities = (): ReadonlyArray<string> => {
  try {
    return [readFileSync(process.env["NODE_EXTRA_CA_CERTS"] ?? "", "utf8")]
  } catch {
    return []
  }
}

/** How to connect. Node.js trusts either its own authorities or the given ones: to trust all, its own are given again. */
const connectorOptions = (ca: string | undefined): Undici.buildConnector.BuildOptions => {
  // The time limit is ours; 0 is none.
  const timeout = 0
  if (ca === undefined) return { timeout }
  return { timeout, secureContext: createSecureContext({ ca: [...rootCertificates, ...extraAuthorities(), ca] }) }
}

/** Connections for each origin. */
export const connections = 64

type Connector = Undici.buildConnector.connector

/** Names the proxy in an error of connecting through it. A status below 500 would be the same at the next attempt. */
const ofProxy = (proxy: string, error: unknown): Error => {
  const status = error instanceof Error ? /^Proxy response \((\d+)\)/.exec(error.message)?.[1] : undefined
  if (status === undefined) return new Error(`Through the proxy ${proxy}`, { cause: error })
  const advice = status === "407" ? ": give a user and a password that it accepts in the URL of the proxy" : ""
  return Object.assign(new Error(`The proxy ${proxy} responded to CONNECT with status ${status}${advice}`), {
    code: status < "500" ? "ERR_PROXY_REFUSED" : "ERR_PROXY_UNAVAILABLE"
  })
}

/** The addresses that a socket has tried. */
const attempted = (socket: unknown, { hostname, port, protocol }: Undici.buildConnector.Options): string =>
  Predicate.hasProperty(socket, "autoSelectFamilyAttemptedAddresses") &&
    Array.isArray(socket.autoSelectFamilyAttemptedAddresses)
    ? socket.autoSelectFamilyAttemptedAddresses.join(", ")
    : `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`

/** The connections that are being made: how to stop each. */
type Connecting = Set<() => void>

/**
 * Connects within a limit, through `proxy` if there is one. All errors become `NotSent`: undici fails the request after
 * it, whereas after some errors of its own it connects again without a pause, to a proxy that closes its connections more
 * than 2,000 times a second.
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
  let isOver = false
  const finish = (error: unknown, connected?: Socket | null) => {
    // A tunnel through a proxy may be ready too late.
    if (isOver) return void connected?.on("error", () => {}).destroy()
    isOver = true
    removeDeadline()
    connecting.delete(stop)
    if (!connected) {
      callback(new HttpHooks.NotSent({ cause: proxy === undefined ? error : ofProxy(proxy, error) }), null)
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
  // Its type does not say so: undici's own connector returns the socket, that of a proxy a promise.
  const socket = connect(withSignal, finish as Undici.buildConnector.Callback) as unknown as Socket
  if (!isOver) connecting.add(stop)
}

/**
 * Opens tunnels through a proxy, each by a client of its own that ends with the signal of `within`. From a pool, undici
 * would connect once more after a CONNECT that was given up. When the proxy has responded, undici lets go of the socket.
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
  // All that undici calls of a client to a proxy.
  return methods as unknown as Undici.Dispatcher
}

/**
 * A dispatcher that ends with the Scope, and with it all connections. `limit` is asked for the longest time to connect
 * whenever a connection is opened.
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
        // Reading all authorities takes some 100 ms: not before it is needed.
        let connector: Connector | undefined
        const direct: Connector = (options, callback) =>
          (connector ??= Undici.buildConnector(connectorOptions(ca)))(options, callback)
        const options: Undici.Agent.Options = {
          connections,
          connect: direct,
          headersTimeout: 0,
          bodyTimeout: 0,
          // Without a proxy the connector above, with one another that opens a tunnel.
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
          // Texts for all three, so that undici reads no environment.
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
