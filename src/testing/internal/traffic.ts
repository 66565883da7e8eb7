/**
 * Injects faults between a client and the service: finds the operation of a request, and the fault for it.
 *
 * @internal
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import * as Operation from "../../protocol/Operation.ts"
import { operations } from "../../protocol/Operations.ts"
import { changeEntries } from "./bodies.ts"
import type { Kind, Plan } from "./plan.ts"
import {
  type Attempt,
  type FaultyRequest,
  notFound,
  requestFaults,
  sendDamaged,
  uploadFaults
} from "./requestFaults.ts"
import * as Responses from "./response.ts"
import { injectIntoResponse } from "./responseFaults.ts"

type Request = HttpClientRequest.HttpClientRequest
type Response = HttpClientResponse.HttpClientResponse

/** The kinds of faults that an operation can have. */
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

const routes = Object.values(operations).map((operation: Operation.Any) => ({ operation, kinds: kindsOf(operation) }))

/** Finds the operation of a request with its kinds of faults, the id of the upload or job in its path, and its marker. */
const read = (request: Request) => {
  const url = Option.getOrElse(HttpClientRequest.toUrl(request), () => new URL("http://nowhere"))
  const target = { method: request.method, segments: url.pathname.slice(1).split("/"), parameters: url.searchParams }
  return Arr.findFirst(
    routes,
    ({ kinds, operation }) =>
      Option.map(Operation.match(operation, target), ({ jobId, uploadId }) => {
        const id = uploadId ?? jobId ?? ""
        return { operation, kinds, id, marker: url.searchParams.get("marker") }
      })
  )
}

/** Removes the uploads and jobs that expired from a page. */
const withoutExpired = (response: Response, expired: ReadonlySet<string>): Attempt => {
  const isExpired = (entry: unknown) =>
    Predicate.isReadonlyRecord(entry) &&
    Object.values(entry).some((value) => Predicate.isString(value) && expired.has(value))
  return Effect.map(response.text, (page) =>
    Responses.changed(response, {
      body: Stream.encodeText(
        Stream.succeed(changeEntries(page, (entries) => entries.filter((entry) => !isExpired(entry))))
      )
    }))
}

/** Applies a function to a response if it is a success. */
const ifSuccessful = (attempt: Attempt, change: (response: Response) => Attempt): Attempt =>
  Effect.flatMap(attempt, (response) => response.status < 300 ? change(response) : Effect.succeed(response))

/** Returns an HTTP client with injected faults. `jump` sets the client's clock ahead by milliseconds. */
export const withFaults = (
  http: HttpClient.HttpClient,
  plan: Plan,
  jump: (millis: number) => void
): HttpClient.HttpClient => {
  const endlessPages = new Map<string, Response>()

  return HttpClient.transform(http, (send, request) =>
    Effect.suspend((): Attempt => {
      const known = read(request)
      if (Option.isNone(known)) return send
      const { id, kinds, marker, operation } = known.value
      const endlessPage = endlessPages.get(marker ?? "")
      if (endlessPage !== undefined) return Effect.succeed(endlessPage)
      if (plan.expired.has(id)) return Effect.succeed(notFound(request, id))

      const fault = plan.next(operation.name, kinds)
      const isUpload = "body" in operation.input
      const sendToList = plan.expired.size > 0 && "marker" in operation.input
        ? ifSuccessful(send, (response) => withoutExpired(response, plan.expired))
        : send
      const faulty = (random: FaultyRequest["random"]): FaultyRequest => ({
        ...{ http, plan, request, operation: operation.name, id, random, send, sendToList, jump }
      })
      if (plan.damaged !== undefined && isUpload) return sendDamaged(faulty(plan.damaged))
      if (fault === undefined) return sendToList

      const inject = requestFaults[fault.kind] ?? (isUpload ? uploadFaults[fault.kind] : undefined)
      if (inject !== undefined) {
        fault.record()
        return inject(faulty(fault.random))
      }
      return ifSuccessful(sendToList, (response) => injectIntoResponse({ response, fault, id, endlessPages }))
    }))
}
