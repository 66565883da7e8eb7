/**
 * A small S3 with one bucket, which checks what other test servers do not: the signed hash of each body, the checksums of parts
 * and objects, storage classes, and `If-None-Match`. It shares no code with the client. See Amazon S3 API Reference.
 */
import { HttpClient, HttpClientError, HttpClientResponse } from "@effect/platform"
import { Chunk, Data, Effect, Stream } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer as createSecure } from "node:https"
import { cert, key as privateKey } from "../support/tlsServer.ts"

export interface Request {
  readonly method: string
  /** The path and the query. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface Response {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface Features {
  /** The entries of a page. Default: 1,000. */
  readonly pageSize?: number
  /** Rejects any checksum besides the signed hash, as some stores do. Default: false. */
  readonly rejectsChecksums?: boolean
  /** Rejects `If-None-Match`, as some stores do. Default: false. */
  readonly rejectsConditions?: boolean
  /** Default: eu-west-1. */
  readonly region?: string
}

interface Stored {
  readonly bytes: Uint8Array
  readonly etag: string
  readonly sha256: string | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly storageClass: string
}

interface Upload extends Pick<Stored, "metadata" | "storageClass"> {
  readonly key: string
  readonly hasChecksums: boolean
  readonly initiated: string
  readonly parts: Map<number, Omit<Stored, "metadata" | "storageClass">>
}

class Rejection extends Error {
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>
  constructor(status: number, code: string, text = "rejected", headers: Readonly<Record<string, string>> = {}) {
    super(text)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

const hash = (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest()

const storageClasses = ["STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "DEEP_ARCHIVE"]

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const xml = (name: string, content: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${name}>`

const textsOf = (document: string, element: string) =>
  [...document.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, "gs"))].map(([, text = ""]) =>
    text.replaceAll("&quot;", "\"").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&")
  )

/** Makes a response. */
export const reply = (
  status: number,
  body: Uint8Array | string = "",
  headers: Readonly<Record<string, string>> = {}
): Response => ({
  status,
  headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
  body: Buffer.from(body)
})

/** Rejects a request whose signature does not cover the hash of its body, or whose body has another hash. */
const checkSignedHash = ({ body, headers }: Request) => {
  const [, signed = ""] = /SignedHeaders=([^,]+)/.exec(headers["authorization"] ?? "") ?? []
  if (!signed.split(";").includes("x-amz-content-sha256")) {
    throw new Rejection(403, "AccessDenied", "the hash is not signed")
  }
  if (headers["x-amz-content-sha256"] !== hash("sha256", body).toString("hex")) {
    throw new Rejection(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match.")
  }
}

/** Makes the response that rejects a request. */
export const reject = (
  status: number,
  code: string,
  message = "rejected",
  headers: Readonly<Record<string, string>> = {}
) => reply(status, xml("Error", `<Code>${code}</Code><Message>${escape(message)}</Message>`), headers)

/** The operation of a request. */
export const operationOf = ({ method, target }: Request): string => {
  const query = new URL(target, "http://fake").searchParams
  const isUpload = query.has("uploadId")
  const operations: Record<string, string> = {
    PUT: isUpload ? "UploadPart" : "PutObject",
    GET: query.has("uploads") ? "ListMultipartUploads" : isUpload ? "ListParts" : "GetObject",
    POST: isUpload ? "CompleteMultipartUpload" : "CreateMultipartUpload",
    HEAD: /^\/[^/]+\/?$/.test(new URL(target, "http://fake").pathname) ? "HeadBucket" : "HeadObject",
    DELETE: "AbortMultipartUpload"
  }
  return operations[method] ?? method
}

const checkChecksums = ({ body, headers }: Request, { rejectsChecksums = false }: Features) => {
  const names = Object.keys(headers).filter((name) => /^x-amz-(sdk-)?checksum|^x-amz-trailer/.test(name))
  if (rejectsChecksums && names.length > 0) {
    throw new Rejection(400, "InvalidArgument", `unsupported header ${names[0]}`)
  }
  const sha256 = headers["x-amz-checksum-sha256"]
  if (sha256 !== undefined && sha256 !== hash("sha256", body).toString("base64")) throw new Rejection(400, "BadDigest")
}

const metadataOf = ({ headers }: Request) => ({
  metadata: Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith("x-amz-meta-") ? [[name.slice("x-amz-meta-".length), value]] : []
    )
  ),
  storageClass: headers["x-amz-storage-class"] ?? "STANDARD"
})

/** Makes a store with an empty bucket, and returns its handler of requests. */
export const make = (features: Features = {}) => {
  const { pageSize = 1_000, region = "eu-west-1", rejectsConditions = false } = features
  const objects = new Map<string, Stored>()
  const uploads = new Map<string, Upload>()

  const uploadOf = (id: string | null, key: string): Upload => {
    const upload = uploads.get(id ?? "")
    if (upload?.key !== key) throw new Rejection(404, "NoSuchUpload", "The specified upload does not exist.")
    return upload
  }

  const checkCondition = ({ headers }: Request, key: string) => {
    if (headers["if-none-match"] === undefined) return
    if (rejectsConditions) throw new Rejection(501, "NotImplemented", "If-None-Match is not implemented.")
    if (objects.has(key)) {
      throw new Rejection(412, "PreconditionFailed", "At least one of the pre-conditions did not hold.")
    }
  }

  const checkStorageClass = (storageClass: string) => {
    if (!storageClasses.includes(storageClass)) throw new Rejection(400, "InvalidStorageClass")
  }

  const checksumHeader = (sha256: string | undefined) => sha256 === undefined ? {} : { "x-amz-checksum-sha256": sha256 }

  const put = (request: Request, key: string): Response => {
    checkCondition(request, key)
    const stored = {
      bytes: request.body.slice(),
      etag: hash("md5", request.body).toString("hex"),
      sha256: request.headers["x-amz-checksum-sha256"],
      ...metadataOf(request)
    }
    checkStorageClass(stored.storageClass)
    objects.set(key, stored)
    return reply(200, "", { etag: `"${stored.etag}"`, ...checksumHeader(stored.sha256) })
  }

  const head = ({ headers }: Request, key: string): Response => {
    const stored = objects.get(key)
    if (stored === undefined) throw new Rejection(404, "NoSuchKey")
    return {
      status: 200,
      headers: {
        "content-length": String(stored.bytes.length),
        etag: `"${stored.etag}"`,
        ...(headers["x-amz-checksum-mode"] === "ENABLED" ? checksumHeader(stored.sha256) : {}),
        ...(stored.storageClass === "STANDARD" ? {} : { "x-amz-storage-class": stored.storageClass }),
        ...Object.fromEntries(Object.entries(stored.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]))
      },
      body: new Uint8Array()
    }
  }

  const get = ({ headers }: Request, key: string): Response => {
    const stored = objects.get(key)
    if (stored === undefined) throw new Rejection(404, "NoSuchKey", "The specified key does not exist.")
    const [, start = "", end = ""] = /^bytes=(\d+)-(\d+)$/.exec(headers["range"] ?? "") ?? []
    if (start === "" || Number(start) >= stored.bytes.length) throw new Rejection(416, "InvalidRange")
    const last = Math.min(Number(end), stored.bytes.length - 1)
    return reply(206, stored.bytes.subarray(Number(start), last + 1), {
      "content-range": `bytes ${start}-${last}/${stored.bytes.length}`
    })
  }

  const begin = (request: Request, key: string): Response => {
    const { metadata, storageClass } = metadataOf(request)
    checkStorageClass(storageClass)
    const uploadId = randomUUID()
    uploads.set(uploadId, {
      key,
      metadata,
      storageClass,
      hasChecksums: request.headers["x-amz-checksum-algorithm"] === "SHA256",
      initiated: new Date().toISOString(),
      parts: new Map()
    })
    return reply(200, xml("InitiateMultipartUploadResult", `<Key>${escape(key)}</Key><UploadId>${uploadId}</UploadId>`))
  }

  const part = ({ body, headers }: Request, { hasChecksums, parts }: Upload, number: number): Response => {
    if (!(number >= 1 && number <= 10_000)) {
      throw new Rejection(400, "InvalidArgument", "Part number must be 1 to 10,000.")
    }
    const sha256 = headers["x-amz-checksum-sha256"]
    if (hasChecksums && sha256 === undefined) {
      throw new Rejection(400, "InvalidRequest", "The part has no SHA-256 checksum.")
    }
    const etag = hash("md5", body).toString("hex")
    parts.set(number, { bytes: body.slice(), etag, sha256 })
    return reply(200, "", { etag: `"${etag}"`, ...checksumHeader(sha256) })
  }

  const complete = (request: Request, id: string | null, key: string): Response => {
    const upload = uploadOf(id, key)
    checkCondition(request, key)
    const chosen = textsOf(new TextDecoder().decode(request.body), "Part").map((document) => {
      const [number = ""] = textsOf(document, "PartNumber")
      const [etag = ""] = textsOf(document, "ETag")
      const [sha256] = textsOf(document, "ChecksumSHA256")
      if (features.rejectsChecksums === true && sha256 !== undefined) throw new Rejection(400, "MalformedXML")
      const stored = upload.parts.get(Number(number))
      if (stored?.etag !== etag.replaceAll("\"", "") || (upload.hasChecksums && stored.sha256 !== sha256)) {
        throw new Rejection(400, "InvalidPart", "One or more of the specified parts could not be found.")
      }
      return { ...stored, number: Number(number) }
    })
    if (chosen.length === 0) throw new Rejection(400, "MalformedXML")
    if (chosen.some(({ number }, index) => number <= (chosen[index - 1]?.number ?? 0))) {
      throw new Rejection(400, "InvalidPartOrder")
    }
    const composite = (algorithm: string, digests: ReadonlyArray<Uint8Array>, encoding: "base64" | "hex") =>
      `${hash(algorithm, Buffer.concat(digests)).toString(encoding)}-${chosen.length}`
    const etag = composite("md5", chosen.map(({ etag }) => Buffer.from(etag, "hex")), "hex")
    const sha256 = upload.hasChecksums
      ? composite("sha256", chosen.map(({ sha256 = "" }) => Buffer.from(sha256, "base64")), "base64")
      : undefined
    const { metadata, storageClass } = upload
    objects.set(key, { bytes: Buffer.concat(chosen.map(({ bytes }) => bytes)), etag, sha256, metadata, storageClass })
    uploads.delete(id ?? "")
    const checksum = sha256 === undefined ? "" : `<ChecksumSHA256>${sha256}</ChecksumSHA256>`
    return reply(
      200,
      xml("CompleteMultipartUploadResult", `<Key>${escape(key)}</Key><ETag>&quot;${etag}&quot;</ETag>${checksum}`)
    )
  }

  const listParts = ({ parts }: Upload, after: number): Response => {
    const left = [...parts].filter(([number]) => number > after).sort(([a], [b]) => a - b)
    const page = left.slice(0, pageSize)
    const entries = page.map(([number, { bytes, etag }]) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>&quot;${etag}&quot;</ETag><Size>${bytes.length}</Size></Part>`
    )
    const next = left.length > page.length
      ? `<IsTruncated>true</IsTruncated><NextPartNumberMarker>${page.at(-1)?.[0]}</NextPartNumberMarker>`
      : "<IsTruncated>false</IsTruncated>"
    return reply(200, xml("ListPartsResult", `${entries.join("")}${next}`))
  }

  const listUploads = (query: URLSearchParams): Response => {
    const after = `${query.get("key-marker") ?? ""}\n${query.get("upload-id-marker") ?? ""}`
    const left = [...uploads].filter(([id, { key }]) =>
      key.startsWith(query.get("prefix") ?? "") && `${key}\n${id}` > after
    ).sort(([a, { key: x }], [b, { key: y }]) => `${x}\n${a}` < `${y}\n${b}` ? -1 : 1)
    const page = left.slice(0, pageSize)
    const entries = page.map(([id, { initiated, key }]) =>
      `<Upload><Key>${escape(key)}</Key><UploadId>${id}</UploadId><Initiated>${initiated}</Initiated></Upload>`
    )
    const [id = "", last] = page.at(-1) ?? []
    const next = left.length > page.length
      ? `<IsTruncated>true</IsTruncated><NextKeyMarker>${escape(last?.key ?? "")}</NextKeyMarker>` +
        `<NextUploadIdMarker>${id}</NextUploadIdMarker>`
      : "<IsTruncated>false</IsTruncated>"
    return reply(200, xml("ListMultipartUploadsResult", `${entries.join("")}${next}`))
  }

  const route = (request: Request): Response => {
    const url = new URL(request.target, "http://fake")
    const [, bucket, ...segments] = url.pathname.split("/").map(decodeURIComponent)
    const key = segments.join("/")
    const query = url.searchParams
    const uploadId = query.get("uploadId")
    if (bucket !== "bucket") throw new Rejection(404, "NoSuchBucket", "The specified bucket does not exist.")
    const [, signedFor] = /Credential=[^/]+\/\d{8}\/([^/]+)\//.exec(request.headers["authorization"] ?? "") ?? []
    if (signedFor !== region) {
      const text = `The authorization header is malformed; the region '${signedFor}' is wrong; expecting '${region}'`
      throw new Rejection(400, "AuthorizationHeaderMalformed", text, { "x-amz-bucket-region": region })
    }
    checkSignedHash(request)
    checkChecksums(request, features)
    switch (request.method) {
      case "PUT":
        return uploadId === null
          ? put(request, key)
          : part(request, uploadOf(uploadId, key), Number(query.get("partNumber")))
      case "HEAD":
        return key === "" ? reply(200) : head(request, key)
      case "GET":
        if (query.has("uploads")) return listUploads(query)
        return uploadId === null
          ? get(request, key)
          : listParts(uploadOf(uploadId, key), Number(query.get("part-number-marker")))
      case "POST":
        return query.has("uploads") ? begin(request, key) : complete(request, uploadId, key)
      default:
        uploadOf(uploadId, key)
        uploads.delete(uploadId ?? "")
        return reply(204)
    }
  }

  const handle = (request: Request): Response => {
    try {
      return route(request)
    } catch (error) {
      if (!(error instanceof Rejection)) throw error
      const { code, headers, message, status } = error
      return request.method === "HEAD" ? reply(status, "", headers) : reject(status, code, message, headers)
    }
  }

  return { handle, objects, uploads }
}

/** Returns the bytes of a request's body. */
const bytesOf = (request: Parameters<HttpClient.HttpClient["execute"]>[0]) => {
  const { body } = request
  if (body._tag === "Uint8Array") return Effect.succeed(body.body)
  if (body._tag !== "Stream") return Effect.succeed(new Uint8Array())
  return Effect.map(
    Stream.runCollect(Stream.orDie(body.stream)),
    (pieces) => Buffer.concat(Chunk.toReadonlyArray(pieces))
  )
}

/** A body that breaks after some bytes. */
const breaking = (bytes: Uint8Array, length: number) => {
  const pieces = [bytes.slice(0, length)]
  return new ReadableStream({
    pull(controller) {
      const piece = pieces.pop()
      if (piece === undefined) controller.error(new Error("the connection broke"))
      else controller.enqueue(piece)
    }
  })
}

/** A connection that broke. */
export class Broken extends Data.TaggedError("Broken")<{ readonly message: string }> {}

/** The outcome of a request. A failure is one of the connection, after the request has arrived. */
export type Outcome = (Response & { readonly breaksAfter?: number }) | Effect.Effect<Response, Broken>

/** Makes an `HttpClient` that passes each request to a handler in the same process. */
export const clientOf = (handle: (request: Request) => Outcome) =>
  HttpClient.make((request, url) =>
    Effect.gen(function*() {
      const { headers, method } = request
      const outcome = handle({ method, headers, target: `${url.pathname}${url.search}`, body: yield* bytesOf(request) })
      const { body, breaksAfter, headers: of, status }: Response & { readonly breaksAfter?: number } =
        Effect.isEffect(outcome)
          ? yield* Effect.mapError(
            outcome,
            (cause) => new HttpClientError.RequestError({ request, reason: "Transport", cause })
          )
          : outcome
      const content = breaksAfter === undefined ? new Blob([new Uint8Array(body)]) : breaking(body, breaksAfter)
      return HttpClientResponse.fromWeb(
        request,
        new globalThis.Response(body.length === 0 ? null : content, { status, headers: { ...of } })
      )
    })
  )

/** Serves a handler on a free port, until the Scope closes. Returns the URL. */
export const serve = (handle: (request: Request) => Response, secure: boolean) =>
  Effect.acquireRelease(
    Effect.async<readonly [url: string, close: () => void]>((resume) => {
      const onRequest = (request: IncomingMessage, response: ServerResponse) => {
        const pieces: Array<Uint8Array> = []
        request.on("data", (piece: Uint8Array) => pieces.push(piece)).on("end", () => {
          const headers = Object.fromEntries(
            Object.entries(request.headers).map(([name, value]) => [name, String(value)])
          )
          const { body, headers: of, status } = handle({
            method: request.method ?? "",
            target: request.url ?? "",
            headers,
            body: Buffer.concat(pieces)
          })
          response.writeHead(status, { ...of }).end(body)
        })
      }
      const server = secure ? createSecure({ cert, key: privateKey }, onRequest) : createPlain(onRequest)
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" ? address?.port : 0
        const close = () => {
          server.close()
          server.closeAllConnections()
        }
        resume(Effect.succeed([`${secure ? "https" : "http"}://127.0.0.1:${port}`, close]))
      })
    }),
    ([, close]) => Effect.sync(close)
  ).pipe(Effect.map(([url]) => url))
