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
import { existsSync, readFileSync } from "node:fs"
import type { Socket } from "node:net"
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

/**
 * How to connect. Node.js trusts either its own authorities, with those of NODE_EXTRA_CA_CERTS, or the given ones: to trust
 * all, they are given again.
 */
const connectorOptions = (ca: string | undefined): Undici.buildConnector.BuildOptions => {
  // The time limit is ours; 0 is none.
  const timeout = 0
  if (ca === undefined) return { timeout }
  const extra = process.env["NODE_EXTRA_CA_CERTS"]
  // Node.js ignores a file that it cannot read, with a warning.
  const all = [...rootCertificates, ...(extra !== undefined && existsSync(extra) ? [readFileSync(extra)] : []), ca]
  return { timeout, secureContext: createSecureContext({ ca: all }) }
}

/** Connections for each origin. */
const connections = 64

type Connector = Undici.buildConnector.connector

/** A proxy answers CONNECT with a status: below 500, the next attempt is refused as well. */
const ofProxy = (error: unknown): unknown => {
  const status = error instanceof Error ? /^Proxy response \((\d+)\)/.exec(error.message)?.[1] : undefined
  if (status === undefined) return error
  const code = status < "500" ? "ERR_PROXY_REFUSED" : "ERR_PROXY_UNAVAILABLE"
  return Object.assign(new Error(`The proxy refused to connect, with status ${status}`), { code })
}

/** The addresses that a socket has tried. */
const attempted = (socket: unknown, { hostname, port, protocol }: Undici.buildConnector.Options): string =>
  Predicate.hasProperty(socket, "autoSelectFamilyAttemptedAddresses") &&
    Array.isArray(socket.autoSelectFamilyAttemptedAddresses)
    ? socket.autoSelectFamilyAttemptedAddresses.join(", ")
    : `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`

/**
 * Connects within a limit. All errors become `NotSent`: undici fails the request after it, whereas after some errors of
 * its own it connects again without a pause, to a proxy that closes its connections more than 2,000 times a second.
 */
const within = (
  connect: Connector,
  limit: () => Duration.Duration,
  addDeadline: Deadlines.Add,
  connecting: Set<Socket>
): Connector =>
(options, callback) => {
  let isOver = false
  const finish = (error: unknown, connected?: Socket | null) => {
    // A tunnel through a proxy may be ready too late.
    if (isOver) return void connected?.on("error", () => {}).destroy()
    isOver = true
    removeDeadline()
    connecting.delete(socket)
    if (!connected) callback(new HttpHooks.NotSent({ cause: ofProxy(error) }), null)
    else callback(null, connected)
  }
  const duration = limit()
  const removeDeadline = addDeadline(duration, () => {
    const addresses = attempted(socket, options)
    socket?.destroy?.()
    finish(new Error(`No connection to ${addresses} within ${Duration.format(duration)}`))
  })
  // Its type does not say so: undici's own connector returns the socket, that of a proxy a promise.
  const socket = connect(options, finish as Undici.buildConnector.Callback) as unknown as Socket
  if (!isOver) connecting.add(socket)
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
        const connecting = new Set<Socket>()
        // Reading all authorities takes some 100 ms: not before it is needed.
        let connector: Connector | undefined
        const options: Undici.Agent.Options = {
          connections,
          connect: (options, callback) =>
            (connector ??= Undici.buildConnector(connectorOptions(ca)))(options, callback),
          headersTimeout: 0,
          bodyTimeout: 0,
          // For an agent the connector above, for a proxy one that opens a tunnel.
          factory: (origin, options) => {
            const { connect, ...others } = options as Undici.Pool.Options & { readonly connect: Connector }
            return new Undici.Pool(origin, { ...others, connect: within(connect, limit, addDeadline, connecting) })
          }
        }
        const { except, http, https } = proxies
        if (http === undefined && https === undefined) return { connecting, dispatcher: new Undici.Agent(options) }
        const tls = connectorOptions(ca)
        const dispatcher = new Undici.EnvHttpProxyAgent({
          ...options,
          requestTls: tls,
          proxyTls: tls,
          // Texts for all three, so that undici reads no environment.
          httpProxy: http ?? "",
          httpsProxy: https ?? "",
          noProxy: except ?? ""
        })
        return { connecting, dispatcher }
      }),
      ({ connecting, dispatcher }) =>
        Effect.promise(() => {
          for (const socket of connecting) socket.destroy?.()
          return dispatcher.destroy()
        })
    ),
    ({ dispatcher }) => dispatcher
  )
