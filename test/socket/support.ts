/** Raw connections to an emulator, requests signed by AWS's own signer, and clients: ours and AWS's. */
import { Glacier, type GlacierServiceException } from "@aws-sdk/client-glacier"
import { HttpServer } from "@effect/platform"
import { SignatureV4 } from "@smithy/signature-v4"
import { Effect, Layer, Option, Redacted } from "effect"
import { EventEmitter, once } from "node:events"
import { Agent } from "node:https"
import { connect as connectTo, type Socket } from "node:net"
import { connect as connectSecurely } from "node:tls"
import { Emulator } from "../../src/emulator/index.ts"
import { GlacierClient } from "../../src/index.ts"
import { NodeEmulator, NodeHashing, NodeHttp } from "../../src/node/index.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import { nativeSha256, sha256Hex, treeHash } from "../support/hashes.ts"

export { treeHash }

export const mebibyte = 1_048_576

/** The headers with the two hashes of an upload. */
export const hashes = (bytes: Uint8Array) => ({
  "x-amz-content-sha256": sha256Hex(bytes),
  "x-amz-sha256-tree-hash": treeHash(bytes)
})

/** Makes bytes such that no two MiBs are equal. */
export const ramp = (size: number, seed = 0): Buffer => {
  const bytes = Buffer.alloc(size)
  for (let i = 0; i < size; i++) bytes[i] = seed + i + (i >> 8) + 3 * (i >> 16) + 7 * (i >> 20)
  return bytes
}

/** Repeats an effect until its value satisfies a condition: at once, then every 20 ms. */
export const until = <A, E, R>(effect: Effect.Effect<A, E, R>, isDone: (value: A) => boolean): Effect.Effect<A, E, R> =>
  Effect.flatMap(
    effect,
    (value) =>
      isDone(value) ? Effect.succeed(value) : Effect.delay(Effect.suspend(() => until(effect, isDone)), "20 millis")
  )

/** The port of the emulator in the context. */
export const port = Effect.map(
  HttpServer.HttpServer,
  ({ address }) => address._tag === "TcpAddress" ? address.port : 0
)

// Signed requests -----------------------------------------------------------------------------------------------------

export interface Key {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export const defaultKey: Key = {
  accessKeyId: Emulator.defaultKey.accessKeyId,
  secretAccessKey: Redacted.value(Emulator.defaultKey.secretAccessKey)
}

/** SHA-256 as the signer of AWS calls it. */
class Hash {
  readonly running: ReturnType<typeof nativeSha256>
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.running = nativeSha256(secret === undefined ? undefined : bytesOf(secret))
  }
  update(data: string | ArrayBuffer | ArrayBufferView) {
    this.running.update(bytesOf(data))
  }
  digest() {
    return Promise.resolve(Uint8Array.from(this.running.digest()))
  }
  reset() {}
}

const bytesOf = (data: string | ArrayBuffer | ArrayBufferView): Uint8Array =>
  typeof data === "string"
    ? Buffer.from(data)
    : ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data)

type Headers = Readonly<Record<string, string | undefined>>

/** A request before it is signed. */
export interface Request {
  readonly method?: string
  readonly target?: string
  readonly headers?: Headers
  readonly body?: string | Uint8Array
  readonly key?: Key
  /** The offset of the signing time from now, in milliseconds. */
  readonly clock?: number
  /** Headers that replace signed headers after signing. Undefined removes a header. */
  readonly tamper?: Headers
}

/** Signs a request and returns its head, up to and including the empty line. */
export const head = (port: number, request: Request): Effect.Effect<string> =>
  Effect.promise(async () => {
    const { clock = 0, key = defaultKey, method = "GET", tamper = {}, target = "/-/vaults" } = request
    const body = request.body === undefined ? undefined : Buffer.from(request.body)
    const given = {
      host: `127.0.0.1:${port}`,
      "x-amz-glacier-version": "2012-06-01",
      ...(body && { "content-length": String(body.length) }),
      ...request.headers
    }
    const [path = "", query = ""] = target.split("?")
    const signer = new SignatureV4({
      credentials: key,
      region: "us-east-1",
      service: "glacier",
      sha256: Hash,
      applyChecksum: false
    })
    const signed = await signer.sign({
      method,
      protocol: "http:",
      hostname: "127.0.0.1",
      path,
      query: Object.fromEntries(new URLSearchParams(query)),
      headers: present(given),
      body
    }, { signingDate: new Date(Date.now() + clock) })
    const headers = Object.entries(present({ ...signed.headers, ...tamper })).map(([name, value]) =>
      `${name}: ${value}`
    )
    return [`${method} ${target} HTTP/1.1`, ...headers, "", ""].join("\r\n")
  })

const present = (headers: Headers): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => value === undefined ? [] : [[name, value]]))

/** Makes the upload of an archive or, with a `content-range` header, of a part. */
export const upload = (target: string, bytes: Uint8Array, headers: Headers = {}): Request => ({
  method: "content-range" in headers ? "PUT" : "POST",
  target,
  body: bytes,
  headers: { ...hashes(bytes), ...headers }
})

// Sockets -------------------------------------------------------------------------------------------------------------

export interface Response {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** The code of an error. */
  readonly code: unknown
  readonly json: Record<string, unknown>
}

/** A connection, and the responses that arrive on it. */
export class Connection {
  readonly socket: Socket
  readonly port: number
  private readonly carrier: Socket
  private received = Buffer.alloc(0)
  private isClosed = false
  private readonly changes = new EventEmitter()

  /** Over TLS, `carrier` is the TCP socket below `socket`. */
  constructor(socket: Socket, port: number, carrier = socket) {
    this.socket = socket
    this.port = port
    this.carrier = carrier
    socket.on("data", (chunk) => {
      this.received = Buffer.concat([this.received, chunk])
      this.changes.emit("change")
    })
    socket.on("error", () => {})
    socket.on("close", () => {
      this.isClosed = true
      this.changes.emit("change")
    })
  }

  /** Writes bytes unchanged. Encodes text as Latin-1. */
  write(bytes: string | Uint8Array) {
    return Effect.sync(() => void this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes))
  }

  /** Writes a request and its body. */
  send(request: Request) {
    return Effect.flatMap(
      head(this.port, request),
      (head) => this.write(Buffer.concat([Buffer.from(head, "latin1"), Buffer.from(request.body ?? "")]))
    )
  }

  /** Reads the next response. Returns none if the connection is closed before it is complete. */
  response(method = "GET") {
    return this.read(() => this.take(method)).pipe(Effect.map(Option.fromNullable))
  }

  /** Resets the connection. A TLS socket cannot reset itself, but its carrier can. */
  reset() {
    this.carrier.resetAndDestroy()
  }

  /** Waits until the connection is closed. */
  closed() {
    return this.read(() => undefined)
  }

  private read<A>(take: () => A | undefined) {
    return Effect.promise(async () => {
      for (;;) {
        const taken = take()
        if (taken !== undefined || this.isClosed) return taken
        await once(this.changes, "change")
      }
    }).pipe(
      Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => new Error("Nothing arrived within 10 seconds") }),
      Effect.orDie
    )
  }

  private take(method: string): Response | undefined {
    const end = this.received.indexOf("\r\n\r\n")
    if (end === -1) return undefined
    const [first = "", ...lines] = this.received.toString("latin1", 0, end).split("\r\n")
    const headers = Object.fromEntries(lines.map((line) => {
      const colon = line.indexOf(":")
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }))
    const status = Number(first.split(" ")[1])
    const length = method === "HEAD" ? 0 : Number(headers["content-length"] ?? 0)
    if (this.received.length < end + 4 + length) return undefined
    const body = this.received.subarray(end + 4, end + 4 + length)
    this.received = this.received.subarray(end + 4 + length)
    const json = headers["content-type"] === "application/json" && length > 0 ? JSON.parse(body.toString()) : {}
    return { status, headers, body, json, code: json["code"] }
  }
}

/** Connects to the emulator on a port, over TLS if `ca` is given, until the scope closes. */
export const connectPort = (port: number, host = "127.0.0.1", ca?: string) =>
  Effect.acquireRelease(
    Effect.async<Connection>((resume) => {
      const carrier = connectTo(port, host)
      const socket = ca === undefined ? carrier : connectSecurely({ socket: carrier, host, ca })
      socket.once(ca === undefined ? "connect" : "secureConnect", () =>
        resume(Effect.succeed(new Connection(socket, port, carrier))))
      socket.once("error", (error) =>
        resume(Effect.die(error)))
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )

/** Connects to the emulator in the context. */
export const connect = Effect.flatMap(
  NodeEmulator.Address,
  ({ ca, url }) => connectPort(Number(new URL(url).port), "127.0.0.1", Option.getOrUndefined(ca))
)

/** Sends a request on a new connection and returns the response. */
export const exchange = (request: Request) =>
  Effect.gen(function*() {
    const connection = yield* connect
    yield* connection.send(request)
    return yield* Effect.flatMap(
      connection.response(request.method),
      Effect.orDieWith(() => new Error("The connection was closed without a response"))
    )
  }).pipe(Effect.scoped)

// Clients -------------------------------------------------------------------------------------------------------------

/** Our client for an endpoint. Trusts the authority `ca` besides those that Node.js trusts. */
export const client = (endpoint: string, ca?: string) =>
  GlacierClient.layer.pipe(
    Layer.provide([
      NodeHttp.layerWith({ ca }),
      Endpoint.layer({ region: NodeEmulator.region, endpoint }),
      Credentials.layer(Emulator.defaultKey)
    ]),
    Layer.provideMerge(NodeHashing.layer)
  )

/** AWS's own client, for the emulator on a port or at an address. */
export const sdk = (to: number | NodeEmulator.Address["Type"], credentials: Key = defaultKey, region = "us-east-1") =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { ca, url: endpoint } = typeof to === "number" ? { ca: Option.none(), url: `http://127.0.0.1:${to}` } : to
      const httpsAgent = new Agent({ ca: Option.getOrUndefined(ca), keepAlive: true })
      return new Glacier({ endpoint, region, credentials, maxAttempts: 1, requestHandler: { httpsAgent } })
    }),
    (glacier) => Effect.sync(() => glacier.destroy())
  )

/** Converts a call of the AWS client to an effect. */
export const call = <A>(run: () => Promise<A>) =>
  Effect.tryPromise({ try: run, catch: (error) => error as GlacierServiceException })
