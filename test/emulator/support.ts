/** A client of the emulator that shares no code with the library's client. */
import type { Headers } from "@effect/platform"
import { HttpBody, HttpClient, HttpClientRequest } from "@effect/platform"
import { SignatureV4 } from "@smithy/signature-v4"
import type { Stream } from "effect"
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import { Emulator } from "../../src/emulator/index.ts"
import * as Sha256 from "../../src/protocol/Sha256.ts"
import { nativeSha256, sha256Hex, treeHash } from "../support/hashes.ts"

export const layerSha256 = Layer.succeed(Sha256.Sha256, nativeSha256)

export const account = "123456789012"

export const host = "glacier.us-east-1.amazonaws.com"

const utf8 = new TextEncoder()

class Hash {
  readonly running: Sha256.Digest
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.running = nativeSha256(
      secret === undefined ? undefined : typeof secret === "string" ? utf8.encode(secret) : new Uint8Array(
        ArrayBuffer.isView(secret)
          ? secret.buffer.slice(secret.byteOffset, secret.byteOffset + secret.byteLength)
          : secret
      )
    )
  }
  update(data: string | Uint8Array | ArrayBuffer | ArrayBufferView) {
    this.running.update(
      typeof data === "string"
        ? utf8.encode(data)
        : data instanceof Uint8Array
        ? data
        : new Uint8Array(data as ArrayBuffer)
    )
  }
  digest() {
    return Promise.resolve(Uint8Array.from(this.running.digest()))
  }
  reset() {}
}

export interface Options {
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | {
    readonly stream: Stream.Stream<Uint8Array, unknown>
    readonly length?: number
  }
  readonly key?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
  readonly region?: string
  /** Sends the request without a signature. */
  readonly unsigned?: boolean
}

export interface WireResponse {
  readonly status: number
  readonly headers: Headers.Headers
  readonly text: string
  readonly bytes: Uint8Array
  readonly json: Readonly<Record<string, unknown>>
}

/** The base URL of requests. The in-process client opens no socket. */
export class Base extends Context.Reference<Base>()("test/Base", { defaultValue: () => `https://${host}` }) {}

type Method = "GET" | "PUT" | "POST" | "DELETE"

const payloadOf = ({ body }: Options): Uint8Array | undefined =>
  typeof body === "string" ? utf8.encode(body) : body instanceof Uint8Array ? body : undefined

/** Signs a request at the current time, and returns its headers. */
export const sign = (method: Method, path: string, options: Options = {}) =>
  Effect.gen(function*() {
    const { host } = new URL(yield* Base)
    const { query = {}, region = "us-east-1" } = options
    const headers: Record<string, string> = { host, "x-amz-glacier-version": "2012-06-01" }
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      if (value === undefined) delete headers[name]
      else headers[name] = value
    }
    if (options.unsigned) return headers
    const signer = new SignatureV4({
      credentials: options.key ?? {
        accessKeyId: Emulator.defaultKey.accessKeyId,
        secretAccessKey: Redacted.value(Emulator.defaultKey.secretAccessKey)
      },
      region,
      service: "glacier",
      sha256: Hash,
      applyChecksum: false
    })
    const request = { method, protocol: "https:", hostname: host, path, query, headers, body: payloadOf(options) }
    const signingDate = new Date(yield* Clock.currentTimeMillis)
    const signed = yield* Effect.promise(() => signer.sign(request, { signingDate }))
    // Headers of the options, such as a wrong date, replace the signer's.
    return { ...signed.headers, ...headers }
  })

/** Sends a request. */
export const execute = (method: Method, path: string, options: Options = {}) =>
  Effect.gen(function*() {
    const client = HttpClient.withTracerPropagation(yield* HttpClient.HttpClient, false)
    const { body } = options
    const payload = payloadOf(options)
    const httpBody = payload !== undefined
      ? HttpBody.uint8Array(payload)
      : typeof body === "object" && "stream" in body
      ? HttpBody.stream(body.stream, undefined, body.length)
      : HttpBody.empty
    const request = HttpClientRequest.make(method)((yield* Base) + path, { urlParams: options.query, body: httpBody })
    return yield* client.execute(HttpClientRequest.setHeaders(request, yield* sign(method, path, options)))
  })

/** Returns a list in the JSON of a response. */
export const list = (response: Pick<WireResponse, "json">, name: string) =>
  response.json[name] as ReadonlyArray<Readonly<Record<string, unknown>>>

/** Returns the status and the error code of a response. */
export const codes = ({ json, status }: WireResponse) => [status, json["code"]]

/** Returns the status, the error code and the message of a response. */
export const errorOf = ({ json, status }: WireResponse) => [status, json["code"], json["message"]]

/** Sends a request and reads the whole response. */
export const call = (method: Method, path: string, options?: Options) =>
  Effect.gen(function*() {
    const response = yield* execute(method, path, options)
    const bytes = new Uint8Array(yield* response.arrayBuffer)
    const text = new TextDecoder().decode(bytes)
    const json = response.headers["content-type"] === "application/json" ? JSON.parse(text) : {}
    const received: WireResponse = { status: response.status, headers: response.headers, text, bytes, json }
    return received
  }).pipe(Effect.scoped)

export { treeHash }

/** Returns the headers with the two hashes of an upload. */
export const hashes = (bytes: Uint8Array) => ({
  "x-amz-content-sha256": sha256Hex(bytes),
  "x-amz-sha256-tree-hash": treeHash(bytes)
})

/** Returns bytes of which each MiB differs: `byte[i] = (i + (i >> 8) + 3 (i >> 16) + 7 (i >> 20)) & 0xFF`. */
export const ramp = (size: number, from = 0): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let n = 0, i = from; n < size; n++, i++) bytes[n] = i + (i >> 8) + 3 * (i >> 16) + 7 * (i >> 20)
  return bytes
}

export const text = (value: string): Uint8Array => utf8.encode(value)

export const vault = (name: string) => `/-/vaults/${name}`

export const createVault = (name: string) => call("PUT", vault(name))

export const upload = (name: string, bytes: Uint8Array, description?: string) =>
  Effect.map(
    call("POST", `${vault(name)}/archives`, {
      body: bytes,
      headers: { ...hashes(bytes), "x-amz-archive-description": description }
    }),
    ({ headers }) => headers["x-amz-archive-id"] ?? ""
  )

export const initiateJob = (name: string, parameters: unknown) =>
  Effect.map(
    call("POST", `${vault(name)}/jobs`, { body: JSON.stringify(parameters) }),
    ({ headers }) => headers["x-amz-job-id"] ?? ""
  )

/** An in-process client of an emulator in memory. */
export const layer = (options?: Emulator.Options) =>
  Emulator.layerHttpClient.pipe(Layer.provide(Emulator.layerMemory(options)), Layer.provide(layerSha256))
