/** Proxies and certificate authorities from the environment and from options. */
import { HttpClient, HttpClientRequest, type HttpClientResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Cause, ConfigProvider, Duration, Effect, Exit, Fiber, Inspectable, Layer, Logger, type Tracer } from "effect"
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import type { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { afterAll } from "vitest"
import { GlacierClient, RetryPolicy, Timeouts } from "../../src/index.ts"
import { NodeEmulator, NodeGlacier, NodeHttp } from "../../src/node/index.ts"
import { generate } from "../../src/node/internal/certificate.ts"
import { type Behaviour, createProxy } from "../support/connectProxy.ts"
import { ca, createServer, ways } from "../support/tlsServer.ts"

const folder = mkdtempSync(join(tmpdir(), "effect-glacier-"))
afterAll(() => rmSync(folder, { recursive: true }))

const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const bundle = file("ca.pem", ca)

/** A certificate of another authority. */
const other = await generate(["localhost"], Date.now())
const otherBundle = file("other.pem", other.ca)

/** Responds to each request as a Glacier without vaults does. */
const respond = (socket: Socket) =>
  void socket.on("data", () => {
    const body = `{"Marker":null,"VaultList":[]}`
    socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  })

type Variables = Readonly<Record<string, string>>

const environment = (variables: Variables) =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

/** The variables of a client of the server at `origin`. */
const variablesOf = (origin: string): Variables => ({
  AWS_REGION: "eu-west-1",
  AWS_ENDPOINT_URL_GLACIER: origin,
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  // Loading all authorities takes about 100 ms.
  ...(origin.startsWith("https:") ? { AWS_CA_BUNDLE: bundle } : {})
})

/** The environment of a client of the server at `origin` through a proxy. */
const through = (proxy: string, origin: string) =>
  environment({ ...variablesOf(origin), HTTPS_PROXY: proxy, HTTP_PROXY: proxy })

const listVaults = Effect.flatMap(
  GlacierClient.GlacierClient,
  (glacier) => Effect.map(glacier.listVaults({}), ({ vaults }) => vaults)
)

const initiateJob = Effect.flatMap(
  GlacierClient.GlacierClient,
  (glacier) => glacier.initiateJob({ vaultName: "photos", parameters: { type: "inventory-retrieval" } })
)

/** The error of a call through a proxy. */
const errorThrough = (proxy: string, origin: string) =>
  Effect.flip(Effect.provide(listVaults, Layer.provide(NodeGlacier.layer, through(proxy, origin))))

const get = (url: string) =>
  HttpClient.get(url).pipe(
    Effect.flatMap((response: HttpClientResponse.HttpClientResponse) => response.text),
    Effect.map((text) => text.length > 0)
  )

const until = (isSo: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => isSo() ? Effect.void : Effect.delay(until(isSo), "5 millis"))

/** A port on which no server listens. */
const deadPort = Effect.map(Effect.scoped(createServer(false, () => {})), ({ port }) => port)

describe.each(ways)("a proxy before an endpoint over %s", (_, secure) => {
  const suffix = secure ? "HTTPS_PROXY" : "HTTP_PROXY"

  it.scopedLive.each<readonly [what: string, isUsed: boolean, variables: (proxy: string, port: number) => Variables]>([
    ["uses the proxy in upper case", true, (proxy) => ({ [suffix]: proxy })],
    ["uses the proxy in lower case", true, (proxy) => ({ [suffix.toLowerCase()]: proxy })],
    [
      "prefers the proxy in lower case",
      true,
      (proxy) => ({ [suffix.toLowerCase()]: proxy, [suffix]: "http://127.0.0.1:1" })
    ],
    ["uses a proxy without a scheme", true, (proxy) => ({ [suffix]: proxy.replace("http://", "") })],
    ["uses the proxy when its NO_PROXY names others", true, (proxy, port) => ({
      [suffix]: proxy,
      NO_PROXY: `localhost,27.0.0.1, 127.0.0.1:${port + 1}`
    })],
    ["ignores an empty variable", false, () => ({ [suffix]: "", [suffix.toLowerCase()]: "" })],
    ["avoids the proxy for a host of NO_PROXY", false, (proxy) => ({
      [suffix]: proxy,
      NO_PROXY: "localhost, 127.0.0.1"
    })],
    ["avoids the proxy for a suffix of NO_PROXY", false, (proxy) => ({ [suffix]: proxy, NO_PROXY: ".0.0.1" })],
    ["avoids the proxy for a host and port of NO_PROXY", false, (proxy, port) => ({
      [suffix]: proxy,
      NO_PROXY: `localhost,127.0.0.1:${port}`
    })],
    ["avoids the proxy for * of NO_PROXY", false, (proxy) => ({ [suffix]: proxy, NO_PROXY: "*" })],
    [
      "prefers no_proxy in lower case",
      false,
      (proxy) => ({ [suffix]: proxy, no_proxy: "127.0.0.1", NO_PROXY: "localhost" })
    ]
  ])("chooses the proxy by the environment: %s", ([, isUsed, variables]) =>
    Effect.gen(function*() {
      const { origin, port } = yield* createServer(secure, respond)
      const proxy = yield* createProxy()
      const config = environment({ AWS_CA_BUNDLE: bundle, ...variables(proxy.url, port) })
      expect(yield* Effect.provide(get(origin), Layer.provide(NodeHttp.layerConfig, config))).toBe(true)
      expect(proxy.connects.map(({ target }) => target)).toEqual(isUsed ? [`127.0.0.1:${port}`] : [])
    }))

  it.scopedLive("is used by NodeGlacier.layer, with one connection for several calls", () =>
    Effect.gen(function*() {
      const { origin } = yield* createServer(secure, respond)
      const proxy = yield* createProxy()
      yield* Effect.gen(function*() {
        expect(yield* listVaults).toEqual([])
        expect(yield* listVaults).toEqual([])
        expect(proxy.connections()).toBe(1)
      }).pipe(Effect.provide(Layer.provide(NodeGlacier.layer, through(proxy.url, origin))))
      yield* until(() => proxy.open() === 0)
    }))

  it.scopedLive("is used by NodeHttp.layerWith, and may use TLS itself", () =>
    Effect.gen(function*() {
      const { origin } = yield* createServer(secure, respond)
      const proxy = yield* createProxy({ secure: true })
      const url = `https://localhost:${proxy.port}`
      const http = NodeHttp.layerWith({ ca, proxies: { https: url, http: url, except: "localhost" } })
      expect(yield* Effect.provide(get(origin), http)).toBe(true)
      expect(proxy.connects.length).toBe(1)
    }))

  it.scopedLive("does not change the request of the caller", () =>
    Effect.gen(function*() {
      const { origin } = yield* createServer(secure, respond)
      const proxy = yield* createProxy()
      const request = HttpClientRequest.get(origin)
      yield* Effect.provide(
        HttpClient.execute(request),
        Layer.provide(NodeHttp.layerConfig, through(proxy.url, origin))
      )
      expect(request.headers).toEqual({})
    }))

  it.scopedLive.each([403, 407])(
    "rejects a call at once when the proxy responds with status %d",
    (status) =>
      Effect.gen(function*() {
        const { origin } = yield* createServer(secure, respond)
        const proxy = yield* createProxy({ behaviour: { status } })
        const error = yield* errorThrough(proxy.url, origin)
        expect(error).toMatchObject({ _tag: "ConnectionRejected", retry: "never" })
        expect(error.message).toContain(`The proxy ${proxy.host} responded to CONNECT with status ${status}`)
        expect(proxy.connects.length).toBe(1)
      })
  )

  it.scopedLive.each<readonly [what: string, behaviour: Behaviour, message: string]>([
    ["responds with status 502", { status: 502 }, "status 502"],
    ["responds with status 503", { status: 503 }, "status 503"],
    ["closes the connection after CONNECT", "cut", "closed"]
  ])(
    "retries a call as often as its policy says when the proxy %s",
    ([, behaviour, message]) =>
      Effect.gen(function*() {
        const { origin } = yield* createServer(secure, respond)
        const proxy = yield* createProxy({ behaviour })
        const error = yield* errorThrough(proxy.url, origin)
        expect(error).toMatchObject({ _tag: "ConnectionError", sent: false })
        expect(error.message).toContain(proxy.host)
        expect(error.message).toContain(message)
        expect([proxy.connections(), proxy.connects.length]).toEqual([3, 3])
      })
  )

  it.scopedLive("reports a call that is not idempotent as not sent when the proxy closes the connection", () =>
    Effect.gen(function*() {
      const { origin } = yield* createServer(secure, respond)
      const proxy = yield* createProxy({ behaviour: "cut" })
      const error = yield* Effect.flip(
        Effect.provide(initiateJob, Layer.provide(NodeGlacier.layer, through(proxy.url, origin)))
      )
      expect(error).toMatchObject({ _tag: "ConnectionError", sent: false })
      expect(proxy.connects.length).toBe(3)
    }))

  it.scopedLive("names the proxy that refuses connections, even if more requests wait than the maximum of connections", () =>
    Effect.gen(function*() {
      const { origin } = yield* createServer(secure, respond)
      const host = `127.0.0.1:${yield* deadPort}`
      const errors = yield* Effect.forEach(Array.from({ length: 100 }), () => Effect.flip(listVaults), {
        concurrency: "unbounded"
      }).pipe(
        Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none),
        Effect.provide(Layer.provide(NodeGlacier.layer, through(`http://${host}`, origin)))
      )
      const messages = errors.map((error) => error._tag === "ConnectionError" && !error.sent ? error.message : error)
      expect(new Set(messages)).toEqual(
        new Set([`Transport error: Through the proxy ${host}: connect ECONNREFUSED ${host}`])
      )
    }))

  it.scopedLive.each<Behaviour>(secure ? ["silent", "mute"] : ["silent"])(
    "fails after Timeouts.connect, and closes the connection, when the proxy is %s",
    (behaviour) =>
      Effect.gen(function*() {
        const { origin } = yield* createServer(secure, respond)
        const proxy = yield* createProxy({ behaviour })
        yield* Effect.gen(function*() {
          const [duration, error] = yield* Effect.timed(Effect.flip(listVaults))
          expect(error).toMatchObject({ _tag: "ConnectionError", sent: false })
          expect(error.message).toContain(
            `Through the proxy ${proxy.host}: No connection to ${new URL(origin).host} within 150ms`
          )
          expect(Duration.toMillis(duration)).toBeLessThan(8_000)
          yield* Effect.timeout(until(() => proxy.open() === 0), "10 seconds")
          expect([proxy.connections(), proxy.connects.length]).toEqual([1, 1])
        }).pipe(
          Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none),
          Effect.provideService(Timeouts.Timeouts, Timeouts.make({ connect: Duration.millis(150) })),
          Effect.provide(Layer.provide(NodeGlacier.layer, through(proxy.url, origin)))
        )
      })
  )

  it.scopedLive.each<Behaviour>(secure ? ["silent", "mute"] : ["silent"])(
    "leaves no connection open when its scope ends while the proxy is %s",
    (behaviour) =>
      Effect.gen(function*() {
        const { origin } = yield* createServer(secure, respond)
        const proxy = yield* createProxy({ behaviour })
        yield* Effect.gen(function*() {
          const call = yield* Effect.fork(listVaults)
          yield* until(() => proxy.connects.length === 1)
          yield* Fiber.interrupt(call)
        }).pipe(Effect.provide(Layer.provide(NodeGlacier.layer, through(proxy.url, origin))))
        yield* Effect.timeout(until(() => proxy.open() === 0), "10 seconds")
      })
  )
})

describe("credentials of a proxy", () => {
  const secrets = ["s3cret", "s3%", Buffer.from("jane:s3cret/x").toString("base64")]
  const withCredentials = (url: string) => url.replace("://", "://jane:s3cret%2Fx@")

  /** The error of an effect, and everything that shows it as text: the error, the logs and the spans. */
  const outputOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function*() {
      const logs: Array<unknown> = []
      const spans: Array<Tracer.Span> = []
      const logger = Logger.make(({ annotations, cause, message }) => {
        logs.push(message, Cause.pretty(cause, { renderErrorCause: true }), [...annotations])
      })
      const exit = yield* effect.pipe(
        Effect.ensuring(Effect.logInfo("over")),
        Effect.tapErrorCause((cause) => Effect.logError("It failed", cause)),
        Effect.tap(() => Effect.dieMessage("It did not fail")),
        Effect.withSpan("test"),
        Effect.tapErrorCause(() => Effect.ignore(Effect.map(Effect.currentSpan, (span) => spans.push(span)))),
        Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
        Effect.exit
      )
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      expect(error).toBeInstanceOf(Error)
      const shown = [error, exit].flatMap((value) => [
        String(value),
        inspect(value, { depth: Infinity, showHidden: true }),
        JSON.stringify(value),
        Inspectable.toStringUnknown(value)
      ])
      return {
        error,
        text: [...shown, ...logs.map((log) => inspect(log, { depth: 9 })), inspect(spans, { depth: 9 })].join("\n")
      }
    })

  const check = (text: string) => {
    for (const secret of secrets) expect(text).not.toContain(secret)
  }

  it.scopedLive.each(ways)(
    "are sent to the proxy and not to the endpoint over %s",
    ([, secure]) =>
      Effect.gen(function*() {
        let received = ""
        const { origin } = yield* createServer(secure, (socket) => {
          socket.on("data", (bytes: Buffer) => received += bytes.toString())
          respond(socket)
        })
        const authorization = `Basic ${Buffer.from("jane:s3cret/x").toString("base64")}`
        const proxy = yield* createProxy({ authorization })
        yield* Effect.provide(
          listVaults,
          Layer.provide(NodeGlacier.layer, through(withCredentials(proxy.url), origin))
        )
        expect(proxy.connects).toEqual([expect.objectContaining({ authorization })])
        expect(received).toContain("GET /-/vaults")
        expect(received.toLowerCase()).not.toContain("proxy-authorization")
        check(received)
      })
  )

  it.scopedLive.each<readonly [what: string, behaviour: Behaviour | "refused"]>([
    ["requires other credentials", { status: 407 }],
    ["is not available", { status: 503 }],
    ["closes the connection", "cut"],
    ["refuses connections", "refused"]
  ])("are shown nowhere when the proxy %s", ([, behaviour]) =>
    Effect.gen(function*() {
      const { origin } = yield* createServer(true, respond)
      const proxy = yield* behaviour === "refused"
        ? Effect.map(deadPort, (port) => ({ url: `http://127.0.0.1:${port}` }))
        : createProxy({ behaviour })
      const config = through(withCredentials(proxy.url), origin)
      const policy = RetryPolicy.log(RetryPolicy.attempts(RetryPolicy.standard, 2))
      const call = Effect.provideService(listVaults, RetryPolicy.RetryPolicy, policy)
      const ofCall = yield* outputOf(Effect.provide(call, Layer.provide(NodeGlacier.layer, config)))
      const ofRequest = yield* outputOf(Effect.provide(get(origin), Layer.provide(NodeHttp.layerConfig, config)))
      expect(ofCall.text).toContain("ListVaults")
      check(ofCall.text)
      expect(ofRequest.text).toMatch(/he proxy 127\.0\.0\.1:\d+/)
      check(ofRequest.text)
    }))

  const invalid = [
    "http://jane:s3cret@",
    "http://jane:s3cret@host:notaport",
    "jane:s3cret@host:notaport",
    "http://jane:s3cret%@host:3128",
    "http://jane:3128#s3cret@host:3128",
    "http://jane:31/s3cret@host:3128",
    "socks5://jane:s3cret@host:1080",
    "http//jane:s3cret@host:3128"
  ]

  it.effect.each(invalid)(
    "are shown nowhere when the URL of the proxy is %s, which is not valid",
    (url) =>
      Effect.gen(function*() {
        const ofVariable = yield* outputOf(
          Layer.launch(Layer.provide(NodeGlacier.layer, through(url, "https://127.0.0.1:1")))
        )
        expect(ofVariable.error).toMatchObject({ _tag: "EndpointError" })
        expect(ofVariable.text).toContain("HTTP_PROXY")
        const ofOption = yield* outputOf(Layer.launch(NodeHttp.layerWith({ proxies: { https: url } })))
        expect(ofOption.error).toMatchObject({ _tag: "EndpointError" })
        expect(ofOption.text).toContain("proxies.https")
        for (const { text } of [ofVariable, ofOption]) {
          expect(text).toContain("write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT")
          check(text)
        }
      })
  )

  it.scopedLive("may be given without a scheme", () =>
    Effect.gen(function*() {
      const { origin } = yield* createServer(true, respond)
      const proxy = yield* createProxy()
      const config = through(withCredentials(proxy.url).replace("http://", ""), origin)
      yield* Effect.provide(listVaults, Layer.provide(NodeGlacier.layer, config))
      expect(proxy.connects[0]?.authorization).toBe(`Basic ${Buffer.from("jane:s3cret/x").toString("base64")}`)
    }))
})

describe("NodeEmulator.layer", () => {
  it.scopedLive("reaches its server without the proxies of the environment", () =>
    Effect.gen(function*() {
      const proxy = yield* createProxy({ behaviour: { status: 403 } })
      const layer = Layer.provide(NodeEmulator.layer(), environment({ HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url }))
      expect(yield* Effect.provide(listVaults, layer)).toEqual([])
      expect(proxy.connections()).toBe(0)
    }))
})

describe("certificate authorities", () => {
  const errorOf = (variables: Variables) =>
    Effect.flip(Effect.provide(listVaults, Layer.provide(NodeGlacier.layer, environment(variables))))

  it.scopedLive("trusts an authority of AWS_CA_BUNDLE, and rejects the endpoint without it", () =>
    Effect.gen(function*() {
      const { origin } = yield* createServer(true, respond)
      const variables = variablesOf(origin)
      const comments = file("bundle.pem", `# Of another\n${other.ca}\n# Ours\n${ca}\n`)
      for (const AWS_CA_BUNDLE of [bundle, comments]) {
        const layer = Layer.provide(NodeGlacier.layer, environment({ ...variables, AWS_CA_BUNDLE }))
        expect(yield* Effect.provide(listVaults, layer)).toEqual([])
      }
      for (const AWS_CA_BUNDLE of ["", otherBundle]) {
        expect(yield* errorOf({ ...variables, AWS_CA_BUNDLE })).toMatchObject({ _tag: "ConnectionRejected" })
      }
    }))

  const key = "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n"
  const broken = ca.replace(/^(-----BEGIN CERTIFICATE-----\n.{20})..../, "$1")

  it.effect.each<readonly [what: string, path: string, problem: string]>([
    ["is missing", join(folder, "missing.pem"), "cannot be read (ENOENT"],
    ["is a folder", folder, "cannot be read (EISDIR"],
    ["is empty", file("empty.pem", ""), "has no certificate"],
    ["has only a key", file("key.pem", key), "has no certificate"],
    ["has a broken certificate", file("broken.pem", `${ca}\n${broken}`), "has a certificate that cannot be read"]
  ])("names the file of AWS_CA_BUNDLE and the correction when it %s", ([, path, problem]) =>
    Effect.gen(function*() {
      const error = yield* errorOf({ ...variablesOf("https://127.0.0.1:1"), AWS_CA_BUNDLE: path })
      expect(error._tag).toBe("EndpointError")
      expect(error.message).toContain(`The file "${path}" in AWS_CA_BUNDLE ${problem}`)
      expect(error.message).toContain("; give ")
    }))

  it.effect("rejects a text without certificates in NodeHttp.layerWith", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Layer.launch(NodeHttp.layerWith({ ca: key })))
      expect(error.message).toBe("The text in `ca` has no certificate; give certificates of authorities as PEM text")
    }))

  /** Runs `proxied.ts` in another process, and returns its output. */
  const run = (variables: Variables) =>
    Effect.async<string>((resume) => {
      execFile(
        process.execPath,
        ["--import", "tsx", join(import.meta.dirname, "proxied.ts")],
        { env: { PATH: process.env["PATH"], ...variables } },
        (_error, stdout, stderr) => resume(Effect.succeed(stdout + stderr))
      )
    })

  it.scopedLive(
    "reads proxies and both files of authorities from the environment of the process",
    () =>
      Effect.gen(function*() {
        const { origin } = yield* createServer(true, respond)
        // The endpoint's certificate is signed by an authority of one file, the proxy's by one of the other.
        const proxy = yield* createProxy({ secure: true, certificate: other })
        const variables = variablesOf(origin)
        const [both, extra] = yield* Effect.all([
          run({ ...variables, NODE_EXTRA_CA_CERTS: otherBundle, HTTPS_PROXY: `https://localhost:${proxy.port}` }),
          run({ ...variables, AWS_CA_BUNDLE: "", NODE_EXTRA_CA_CERTS: bundle })
        ], { concurrency: 2 })
        expect([both, extra]).toEqual(["0 vaults\n", "0 vaults\n"])
        expect(proxy.connects.length).toBe(1)
      }),
    60_000
  )
})
