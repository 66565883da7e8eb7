/**
 * What goes wrong between a client and the service.
 *
 * @internal
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import * as Limits from "../../protocol/Limits.ts"
import type * as Operation from "../../protocol/Operation.ts"
import { operations } from "../../protocol/Operations.ts"
import * as Responses from "./response.ts"
import type { Draw, Kind, Plan } from "./plan.ts"

type Request = HttpClientRequest.HttpClientRequest
type Response = HttpClientResponse.HttpClientResponse
type Sent = Effect.Effect<Response, HttpClientError.HttpClientError>

class ConnectionReset extends Data.TaggedError("ConnectionReset") {
  override readonly message = "The connection was reset"
}

/** What can go wrong with an operation. */
export const kindsOf = (operation: Operation.Any): ReadonlyArray<Kind> => {
  const when = (holds: boolean, ...kinds: ReadonlyArray<Kind>) => holds ? kinds : []
  const isUpload = "body" in operation.input
  const isOutput = operation.body === "bytes"
  return [
    "LostRequest",
    "LostResponse",
    "Throttled",
    "Failed",
    "Unavailable",
    "ProxyPage",
    "ResetBeforeHeaders",
    "ExpiredCredentials",
    "ClockJump",
    ...when(operation.body !== "none", "ResetAfterHeaders", "ResetMidBody", "Stalled"),
    ...when(isUpload, "TimedOut"),
    ...when(isUpload || isOutput, "Trickled", "FlippedBit"),
    ...when(isUpload, "DamagedBodies"),
    ...when(isOutput, "Truncated", "ExtraBytes", "WrongContentRange"),
    ...when("treeHash" in operation.headers, "WrongTreeHash", "NoTreeHash"),
    ...when("treeHash" in operation.input, "RejectedTreeHash"),
    ...when("marker" in operation.input, "StalePage", "RepeatedPage", "RepeatedMarker", "EmptyMarker"),
    ...when(operation.name === "CompleteMultipartUpload", "GoneAfterComplete"),
    ...when("uploadId" in operation.input && operation.name !== "AbortMultipartUpload", "ExpiredUpload"),
    ...when("jobId" in operation.input, "ExpiredJob")
  ]
}

const routes = Object.values(operations).map((operation: Operation.Any) => ({
  ...operation,
  kinds: kindsOf(operation),
  segments: operation.path.split("/")
}))

/** The operation that a request is of, and the upload or job that it is about. */
const read = (request: Request) => {
  const url = Option.getOrElse(HttpClientRequest.toUrl(request), () => new URL("http://nowhere"))
  const parts = url.pathname.split("/")
  const route = routes.find(({ method, query, segments }) =>
    method === request.method && segments.length === parts.length &&
    segments.every((segment, index) => segment.startsWith("{") || segment === parts[index]) &&
    (query === undefined || url.searchParams.get(query[0]) === query[1])
  )
  const about = route?.segments.findIndex((segment) => segment === "{uploadId}" || segment === "{jobId}") ?? -1
  return { route, id: parts[about] ?? "", marker: url.searchParams.get("marker") }
}

/** A KiB a second, in pieces that nobody finds too slow. */
const trickled = (bytes: Uint8Array): Stream.Stream<Uint8Array> =>
  Stream.range(0, Math.ceil(bytes.length / 16_384) - 1).pipe(
    Stream.rechunk(1),
    Stream.mapEffect((index) =>
      Effect.as(Effect.sleep("16 seconds"), bytes.subarray(index * 16_384, index * 16_384 + 16_384))
    )
  )

const bodyOf = ({ body }: Request): Effect.Effect<Uint8Array> =>
  body._tag === "Uint8Array"
    ? Effect.succeed(body.body)
    : body._tag === "Stream"
    ? Effect.orDie(Responses.collect(body.stream))
    : Effect.succeed(new Uint8Array())

const flipped = (random: Draw["random"], bytes: Uint8Array): Uint8Array => {
  const copy = bytes.slice()
  const at = random.integer(bytes.length)
  copy[at] = (copy[at] ?? 0) ^ (1 << random.integer(8))
  return copy
}

const treeHashHeader = "x-amz-sha256-tree-hash"

/** What the service says of a tree hash that it rejects. */
const rejection = (operation: string, treeHash: string = ""): string =>
  operation === "CompleteMultipartUpload"
    ? `Invalid x-amz-sha256-tree-hash: ${treeHash}`
    : `Checksum mismatch: expected ${treeHash}, computed ${"0".repeat(64)}`

/** The pages of lists have one list each. */
const relisted = (text: string, change: (items: ReadonlyArray<unknown>) => ReadonlyArray<unknown>): string =>
  JSON.stringify(JSON.parse(text), (_, value: unknown) => Array.isArray(value) ? change(value) : value)

/** A page with another marker. */
const marked = (text: string, marker: string): string => JSON.stringify({ ...JSON.parse(text), Marker: marker })

const isOf = (ids: ReadonlySet<string>) => (item: unknown): boolean =>
  Predicate.isReadonlyRecord(item) && Object.values(item).some((value) => Predicate.isString(value) && ids.has(value))

/** An HTTP client that harms what goes through it. `jump` sets the client's clock ahead by milliseconds. */
export const harming = (
  http: HttpClient.HttpClient,
  plan: Plan,
  jump: (millis: number) => void
): HttpClient.HttpClient => {
  /** The pages whose markers lead back to them, by marker. */
  const endless = new Map<string, Response>()

  const broken = (request: Request): Sent =>
    Effect.fail(
      new HttpClientError.RequestError({ request, reason: "Transport", cause: new ConnectionReset() })
    )

  const gone = (request: Request, id: string) =>
    Responses.ofError(
      request,
      404,
      "ResourceNotFoundException",
      `The ${request.url.includes("/jobs/") ? "job" : "upload"} ID was not found: ${id}`
    )

  /** A page without what has expired. */
  const withoutExpired = (response: Response): Sent =>
    Effect.map(response.text, (text) =>
      Responses.changed(response, {
        body: Stream.encodeText(
          Stream.succeed(relisted(text, (items) => items.filter((item) => !isOf(plan.expired)(item))))
        )
      }))

  /** Harms a successful answer. */
  const harm = (response: Response, draw: Draw): Effect.Effect<Response, HttpClientError.ResponseError> =>
    Effect.gen(function*() {
      const { done, fault } = draw
      const harmed = (change: Parameters<typeof Responses.changed>[1]) => {
        done()
        return Responses.changed(response, change)
      }
      const { headers } = response
      const treeHash = headers[treeHashHeader]
      if (fault === "WrongTreeHash") {
        return treeHash === undefined
          ? response
          : harmed({ headers: { [treeHashHeader]: treeHash.replace(/./g, (digit) => digit === "0" ? "1" : "0") } })
      }
      if (fault === "NoTreeHash") {
        if (treeHash === undefined) return response
        done()
        return Responses.withoutHeader(response, treeHashHeader)
      }
      if (fault === "WrongContentRange") {
        const range = headers["content-range"]
        return range === undefined ? response : harmed({
          headers: {
            "content-range": range.replace(/\d+/g, (byte) => String(Number(byte) + Limits.mebibyte))
          }
        })
      }
      const bytes = yield* Responses.collect(response.stream)
      const whole = Responses.changed(response, { body: Stream.succeed(bytes) })
      const half = Stream.succeed(bytes.subarray(0, bytes.length >> 1))
      const reset = Stream.fail(new ConnectionReset())
      switch (fault) {
        case "ResetAfterHeaders":
          return harmed({ body: reset })
        case "ResetMidBody":
          return harmed({ body: Stream.concat(half, reset) })
        case "Stalled":
          return harmed({ body: Stream.concat(half, Stream.never) })
        case "Trickled":
          return harmed({ body: trickled(bytes) })
        case "Truncated":
          return harmed({ body: half })
        case "ExtraBytes":
          return harmed({ body: Stream.make(bytes, bytes.slice(0, 100)) })
        case "FlippedBit":
          // What has no hash would be harmed without anybody's noticing.
          return treeHash === undefined || bytes.length === 0
            ? whole
            : harmed({ body: Stream.succeed(flipped(draw.random, bytes)) })
        case "StalePage":
        case "RepeatedPage": {
          const text = new TextDecoder().decode(bytes)
          const changed = relisted(
            text,
            (items) => fault === "StalePage" ? items.slice(0, -1) : items.flatMap((item) => [item, item]).reverse()
          )
          return changed.length === text.length ? whole : harmed({ body: Stream.encodeText(Stream.succeed(changed)) })
        }
        case "EmptyMarker":
        case "RepeatedMarker": {
          const marker = fault === "EmptyMarker" ? "" : `endless-${endless.size}`
          const page = harmed({
            body: Stream.encodeText(Stream.succeed(marked(new TextDecoder().decode(bytes), marker)))
          })
          if (marker !== "") endless.set(marker, page)
          return page
        }
        default:
          return whole
      }
    })

  /** An upload whose body is harmed. */
  const upload = (request: Request, body: HttpBody.HttpBody): Sent =>
    http.execute(HttpClientRequest.setHeaders(HttpClientRequest.setBody(request, body), request.headers))

  return HttpClient.transform(http, (send, request) =>
    Effect.suspend((): Sent => {
      const { id, marker, route } = read(request)
      if (route === undefined) return send
      const again = endless.get(marker ?? "")
      if (again !== undefined) return Effect.succeed(again)
      if (plan.expired.has(id)) return Effect.succeed(gone(request, id))
      const refused = (status: number, code: string, message: string): Sent =>
        Effect.succeed(Responses.ofError(request, status, code, message))
      const draw = plan.next(route.name, route.kinds)
      const listed = plan.expired.size > 0 && "marker" in route.input
        ? Effect.flatMap(
          send,
          (response) => response.status < 300 ? withoutExpired(response) : Effect.succeed(response)
        )
        : send
      const isUpload = "body" in route.input
      const damaged = (random: Draw["random"]): Sent =>
        Effect.flatMap(bodyOf(request), (bytes) => upload(request, HttpBody.uint8Array(flipped(random, bytes), "")))
      if (plan.damaged !== undefined && isUpload) return damaged(plan.damaged)
      if (draw === undefined) return listed
      const { done, fault, random } = draw

      switch (fault) {
        case "LostRequest":
          done()
          return Effect.never
        case "LostResponse":
          done()
          return Effect.zipRight(send, Effect.never)
        case "ResetBeforeHeaders":
          done()
          return Effect.zipRight(send, broken(request))
        case "Throttled":
          done()
          return refused(400, "ThrottlingException", "Rate exceeded")
        case "TimedOut":
          done()
          return refused(408, "RequestTimeoutException", "Request timed out.")
        case "Failed":
          done()
          return Effect.zipRight(
            send,
            refused(500, "ServiceUnavailableException", "The service is unavailable. Please try again later.")
          )
        case "Unavailable":
          done()
          return refused(503, "ServiceUnavailableException", "Please reduce your request rate.")
        case "ProxyPage":
          done()
          return Effect.succeed(
            Responses.ofText(request, 502, "text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>")
          )
        case "ExpiredCredentials":
          done()
          return refused(403, "ExpiredTokenException", "The security token included in the request is expired")
        case "ExpiredUpload":
        case "ExpiredJob":
          done()
          plan.expired.add(id)
          return Effect.succeed(gone(request, id))
        case "GoneAfterComplete":
          return Effect.map(send, (response) => {
            if (response.status >= 300) return response
            done()
            return gone(request, id)
          })
        case "ClockJump":
          done()
          jump((300_000 + random.integer(3_300_000)) * (random.integer(2) === 0 ? 1 : -1))
          return listed
        case "Trickled":
          if (!isUpload) break
          done()
          return Effect.flatMap(
            bodyOf(request),
            (bytes) => upload(request, HttpBody.stream(trickled(bytes), "", bytes.length))
          )
        case "FlippedBit":
          if (!isUpload) break
          done()
          return damaged(random)
        case "DamagedBodies":
          done()
          plan.damaged = random
          return damaged(random)
        case "RejectedTreeHash":
          done()
          return refused(400, "InvalidParameterValueException", rejection(route.name, request.headers[treeHashHeader]))
      }
      return Effect.flatMap(
        listed,
        (response) => response.status < 300 ? harm(response, draw) : Effect.succeed(response)
      )
    }))
}
