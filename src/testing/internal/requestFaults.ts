/**
 * The faults that are injected before a response is there: the request is lost, rejected, or sent with a changed body.
 *
 * @internal
 */
import * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { PCGRandom } from "effect/Utils"
import { bytesOf, flipBit, trickle } from "./bodies.ts"
import type { Kind, Plan } from "./plan.ts"
import * as Responses from "./response.ts"

type Request = HttpClientRequest.HttpClientRequest

/** An attempt to send a request. */
export type Attempt = Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>

/** The error of a connection that breaks. */
export class ConnectionReset extends Data.TaggedError("ConnectionReset") {
  override readonly message = "The connection was reset"
}

export const treeHashHeader = "x-amz-sha256-tree-hash"

/** A request into which a fault is injected. */
export interface FaultyRequest {
  readonly http: HttpClient.HttpClient
  readonly plan: Plan
  readonly request: Request
  /** The name of the operation. */
  readonly operation: string
  /** The id of the upload or job in the path; otherwise empty. */
  readonly id: string
  readonly random: PCGRandom
  /** Sends the request. */
  readonly send: Attempt
  /** Sends the request. If the response is a list, it has no entries for expired uploads and jobs. */
  readonly sendToList: Attempt
  /** Sets the client's clock ahead by milliseconds. */
  readonly jump: (millis: number) => void
}

type RequestFault = (faulty: FaultyRequest) => Attempt

/** Responds with an error of the service. */
const reject = (status: number, code: string, message: string): RequestFault => ({ request }) =>
  Effect.succeed(Responses.ofError(request, status, code, message))

/** The response of the service when an upload or job does not exist. */
export const notFound = (request: Request, id: string): HttpClientResponse.HttpClientResponse =>
  Responses.ofError(
    request,
    404,
    "ResourceNotFoundException",
    `The ${request.url.includes("/jobs/") ? "job" : "upload"} ID was not found: ${id}`
  )

/** Sends an upload with another body. */
const sendBody = ({ http, request }: FaultyRequest, body: HttpBody.HttpBody): Attempt =>
  http.execute(HttpClientRequest.setHeaders(HttpClientRequest.setBody(request, body), request.headers))

/** Sends an upload with one bit flipped. */
export const sendDamaged = (faulty: FaultyRequest): Attempt =>
  Effect.flatMap(
    bytesOf(faulty.request),
    (bytes) => sendBody(faulty, HttpBody.uint8Array(flipBit(faulty.random, bytes), ""))
  )

const expire: RequestFault = ({ id, plan, request }) => {
  plan.expired.add(id)
  return Effect.succeed(notFound(request, id))
}

/** The faults of any request. */
export const requestFaults: { readonly [K in Kind]?: RequestFault } = {
  LostRequest: () => Effect.never,
  LostResponse: ({ send }) => Effect.zipRight(send, Effect.never),
  ResetBeforeHeaders: ({ request, send }) =>
    Effect.zipRight(
      send,
      Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport", cause: new ConnectionReset() }))
    ),
  Throttled: reject(400, "ThrottlingException", "Rate exceeded"),
  TimedOut: reject(408, "RequestTimeoutException", "Request timed out."),
  Failed: (faulty) =>
    Effect.zipRight(
      faulty.send,
      reject(500, "ServiceUnavailableException", "The service is unavailable. Please try again later.")(faulty)
    ),
  Unavailable: reject(503, "ServiceUnavailableException", "Please reduce your request rate."),
  ProxyPage: ({ request }) =>
    Effect.succeed(
      Responses.ofText(request, 502, "text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>")
    ),
  ExpiredCredentials: reject(403, "ExpiredTokenException", "The security token included in the request is expired"),
  ExpiredUpload: expire,
  ExpiredJob: expire,
  ClockJump: ({ jump, random, sendToList }) => {
    jump((300_000 + random.integer(3_300_000)) * (random.integer(2) === 0 ? 1 : -1))
    return sendToList
  },
  RejectedTreeHash: (faulty) => {
    const treeHash = faulty.request.headers[treeHashHeader] ?? ""
    const message = faulty.operation === "CompleteMultipartUpload"
      ? `Invalid x-amz-sha256-tree-hash: ${treeHash}`
      : `Checksum mismatch: expected ${treeHash}, computed ${"0".repeat(64)}`
    return reject(400, "InvalidParameterValueException", message)(faulty)
  }
}

/** The faults of uploads only. `Trickled` and `FlippedBit` affect the response of other requests. */
export const uploadFaults: { readonly [K in Kind]?: RequestFault } = {
  Trickled: (faulty) =>
    Effect.flatMap(
      bytesOf(faulty.request),
      (bytes) => sendBody(faulty, HttpBody.stream(trickle(bytes), "", bytes.length))
    ),
  FlippedBit: sendDamaged,
  DamagedBodies: (faulty) => {
    faulty.plan.damaged = faulty.random
    return sendDamaged(faulty)
  }
}
