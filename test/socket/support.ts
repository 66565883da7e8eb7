/** Sockets written by hand, requests signed by AWS's own signer, and emulators in processes of their own. */
import { Glacier, type GlacierServiceException } from "@aws-sdk/client-glacier"
import { HttpServer } from "@effect/platform"
import { SignatureV4 } from "@smithy/signature-v4"
import { Effect, Layer, Option, Redacted } from "effect"
import { spawn } from "node:child_process"
import { createHash, createHmac } from "node:crypto"
import { EventEmitter, once } from "node:events"
import { Agent } from "node:https"
import { connect as connectTo, type Socket } from "node:net"
import { createInterface } from "node:readline"
import { text as textOf } from "node:stream/consumers"
import { connect as connectSecurely } from "node:tls"
import { fileURLToPath } from "node:url"
import { Emulator } from "../../src/emulator/index.ts"
import { GlacierClient } from "../../src/index.ts"
import { NodeEmulator, NodeHashing, NodeHttp } from "../../src/node/index.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"

export const mebibyte = 1_048_576

const sha256 = (key?: Uint8Array) => key === undefined ? createHash("sha256") : createHmac("sha256", key)

export const treeHash = (bytes: Uint8Array): string => TreeHash.ofBytes(sha256, bytes)

/** The two hashes of an upload. */
export const hashes = (bytes: Uint8Array) => ({
  "x-amz-content-sha256": sha256().update(bytes).digest("hex"),
  "x-amz-sha256-tree-hash": treeHash(bytes)
})

/** Bytes of which every MiB is another. */
export const ramp = (size: number, seed = 0): Buffer => {
  const bytes = Buffer.alloc(size)
  for (let i = 0; i < size; i++) bytes[i] = seed + i + (i >> 8) + 3 * (i >> 16) + 7 * (i >> 20)
  return bytes
}

/** Repeats an effect until what it gives holds: at once, then every 20 ms. */
export const until = <A, E, R>(effect: Effect.Effect<A, E, R>, holds: (value: A) => boolean): Effect.Effect<A, E, R> =>
  Effect.flatMap(
    effect,
    (value) =>
      holds(value) ? Effect.succeed(value) : Effect.delay(Effect.suspend(() => until(effect, holds)), "20 millis")
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

class Hash {
  readonly running: ReturnType<typeof sha256>
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.running = sha256(secret === undefined ? undefined : bytesOf(secret))
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

/** A request to be signed. The body is announced, and hashed for uploads, but not part of the head. */
export interface Plan {
  readonly method?: string
  readonly target?: string
  readonly headers?: Headers
  readonly body?: string | Uint8Array
  readonly key?: Key
  /** Milliseconds from now. */
  readonly clock?: number
  /** Headers that replace (or, undefined, remove) those that were signed. */
  readonly tamper?: Headers
}

/** The head of a request as it goes over the wire, up to the empty line. */
export const head = (port: number, plan: Plan): Effect.Effect<string> =>
  Effect.promise(async () => {
    const { clock = 0, key = defaultKey, method = "GET", tamper = {}, target = "/-/vaults" } = plan
    const body = plan.body === undefined ? undefined : Buffer.from(plan.body)
    const given = {
      host: `127.0.0.1:${port}`,
      "x-amz-glacier-version": "2012-06-01",
      ...(body && { "content-length": String(body.length) }),
      ...plan.headers
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

/** The plan of an upload of an archive or, with a range, of a part. */
export const upload = (target: string, bytes: Uint8Array, headers: Headers = {}): Plan => ({
  method: "content-range" in headers ? "PUT" : "POST",
  target,
  body: bytes,
  headers: { ...hashes(bytes), ...headers }
})

// Sockets -------------------------------------------------------------------------------------------------------------

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** The code of an error. */
  readonly code: unknown
  readonly json: Record<string, unknown>
}

/** One connection and what comes back on it. */
export class Connection {
  readonly socket: Socket
  readonly port: number
  private readonly carrier: Socket
  private received = Buffer.alloc(0)
  private isClosed = false
  private readonly news = new EventEmitter()

  /** Over TLS the carrier is the socket below, else the same. */
  constructor(socket: Socket, port: number, carrier = socket) {
    this.socket = socket
    this.port = port
    this.carrier = carrier
    socket.on("data", (chunk) => {
      this.received = Buffer.concat([this.received, chunk])
      this.news.emit("news")
    })
    socket.on("error", () => {})
    socket.on("close", () => {
      this.isClosed = true
      this.news.emit("news")
    })
  }

  /** Writes bytes as they are; text as Latin-1. */
  write(bytes: string | Uint8Array) {
    return Effect.sync(() => void this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes))
  }

  /** Writes a request and its body. */
  send(plan: Plan) {
    return Effect.flatMap(
      head(this.port, plan),
      (head) => this.write(Buffer.concat([Buffer.from(head, "latin1"), Buffer.from(plan.body ?? "")]))
    )
  }

  /** The next answer, or none when the connection is closed before it. */
  answer(method = "GET") {
    return this.read(() => this.take(method)).pipe(Effect.map(Option.fromNullable))
  }

  /** Resets the connection: a socket of TLS cannot do so by itself. */
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
        await once(this.news, "news")
      }
    }).pipe(
      Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => new Error("Nothing came for 10 seconds") }),
      Effect.orDie
    )
  }

  private take(method: string): Answer | undefined {
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

/** A connection to the emulator on a port, over TLS if an authority is given; closed with the scope. */
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

/** A connection to the emulator in the context. */
export const connect = Effect.flatMap(
  NodeEmulator.Address,
  ({ ca, url }) => connectPort(Number(new URL(url).port), "127.0.0.1", Option.getOrUndefined(ca))
)

/** Sends a request on a connection of its own. */
export const ask = (plan: Plan) =>
  Effect.gen(function*() {
    const connection = yield* connect
    yield* connection.send(plan)
    return yield* Effect.flatMap(connection.answer(plan.method), Effect.orDieWith(() => new Error("No answer")))
  }).pipe(Effect.scoped)

// Clients -------------------------------------------------------------------------------------------------------------

/** Our client for an endpoint. It trusts the authorities given, or else those that Node.js trusts. */
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

/** A call of the client as an effect. */
export const call = <A>(run: () => Promise<A>) =>
  Effect.tryPromise({ try: run, catch: (error) => error as GlacierServiceException })

// Processes -----------------------------------------------------------------------------------------------------------

const program = fileURLToPath(new URL("../../src/cli/bin.ts", import.meta.url))

/** Runs a script until it ends or the scope does. */
export const runScript = (script: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, ["--import", "tsx", script, ...args], {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, ...env }
      })
      const lines: Array<string> = []
      const firstLine = new Promise<string>((resolve) => {
        const reader = createInterface(child.stdout)
        reader.on("line", (line) => {
          lines.push(line)
          resolve(line)
        })
        reader.on("close", () => resolve(""))
      })
      const stderr = textOf(child.stderr)
      const exit = once(child, "close").then(async ([code, signal]: Array<unknown>) => ({
        code: code as number | null,
        signal: signal as string | null,
        stdout: lines.join("\n"),
        stderr: await stderr
      }))
      return {
        firstLine: Effect.promise(() => firstLine),
        /** The lines that it has printed so far. */
        lines: Effect.sync(() => [...lines]),
        exit: Effect.promise(() => exit),
        kill: (signal: NodeJS.Signals) => Effect.sync(() => child.kill(signal))
      }
    }),
    ({ exit, kill }) => Effect.zipRight(kill("SIGKILL"), exit)
  )

/** Runs the `effect-glacier` program. */
export const runProgram = (...args: ReadonlyArray<string>) => runScript(program, args)

/** Runs an emulator on a free port and waits until it listens. */
export const runEmulator = (...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const running = yield* runProgram("emulator", "--port", "0", ...args)
    const line = yield* running.firstLine
    const [, url, port] = /^Glacier emulator listening on (https?:\/\/127\.0\.0\.1:(\d+))$/.exec(line) ?? []
    if (url === undefined) {
      const { stderr, stdout } = yield* Effect.zipRight(running.kill("SIGKILL"), running.exit)
      return yield* Effect.dieMessage(`The emulator did not start:\n${stdout}\n${stderr}`)
    }
    return { ...running, url, port: Number(port) }
  })
