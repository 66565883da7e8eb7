/**
 * The faults that change a successful response: its headers, or the bytes of its body.
 *
 * @internal
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Limits from "../../protocol/Limits.ts"
import { changeEntries, flipBit, trickle, withMarker } from "./bodies.ts"
import type { Fault, Kind } from "./plan.ts"
import { ConnectionReset, notFound, treeHashHeader } from "./requestFaults.ts"
import * as Responses from "./response.ts"

type Response = HttpClientResponse.HttpClientResponse

/** A response into which a fault is injected. */
export interface FaultyResponse {
  readonly response: Response
  readonly fault: Fault
  /** The id of the upload or job in the path of the request; otherwise empty. */
  readonly id: string
  /** The pages whose markers lead to themselves, by marker. */
  readonly endlessPages: Map<string, Response>
}

/** Returns the changed response; undefined if the fault does not apply to it. */
type HeaderFault = (faulty: FaultyResponse) => Response | undefined

/** The same for a fault that needs the bytes of the body. */
type BodyFault = (bytes: Uint8Array, faulty: FaultyResponse) => Response | undefined

const withHeader = (response: Response, name: string, change: (value: string) => string): Response | undefined => {
  const value = response.headers[name]
  return value === undefined ? undefined : Responses.changed(response, { headers: { [name]: change(value) } })
}

const headerFaults: { readonly [K in Kind]?: HeaderFault } = {
  GoneAfterComplete: ({ id, response }) => notFound(response.request, id),
  WrongTreeHash: ({ response }) =>
    withHeader(response, treeHashHeader, (hash) => hash.replace(/./g, (digit) => digit === "0" ? "1" : "0")),
  NoTreeHash: ({ response }) =>
    response.headers[treeHashHeader] === undefined ? undefined : Responses.withoutHeader(response, treeHashHeader),
  WrongContentRange: ({ response }) =>
    withHeader(
      response,
      "content-range",
      (range) => range.replace(/\d+/g, (byte) => String(Number(byte) + Limits.mebibyte))
    )
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const withText = (response: Response, text: string): Response =>
  Responses.changed(response, { body: Stream.encodeText(Stream.succeed(text)) })

const halfOf = (bytes: Uint8Array) => Stream.succeed(bytes.subarray(0, bytes.length >> 1))

/** Replaces the body by a stream made of its bytes. */
const replaceBody =
  (bodyOf: (bytes: Uint8Array) => Stream.Stream<Uint8Array, unknown>): BodyFault => (bytes, { response }) =>
    Responses.changed(response, { body: bodyOf(bytes) })

/** Changes the entries of a page. Does not apply to a page without entries. */
const replaceEntries =
  (change: (entries: ReadonlyArray<unknown>) => ReadonlyArray<unknown>): BodyFault => (bytes, { response }) => {
    const page = textOf(bytes)
    const changed = changeEntries(page, change)
    return changed.length === page.length ? undefined : withText(response, changed)
  }

const bodyFaults: { readonly [K in Kind]?: BodyFault } = {
  ResetAfterHeaders: replaceBody(() => Stream.fail(new ConnectionReset())),
  ResetMidBody: replaceBody((bytes) => Stream.concat(halfOf(bytes), Stream.fail(new ConnectionReset()))),
  Stalled: replaceBody((bytes) => Stream.concat(halfOf(bytes), Stream.never)),
  Trickled: replaceBody(trickle),
  Truncated: replaceBody(halfOf),
  ExtraBytes: replaceBody((bytes) => Stream.make(bytes, bytes.slice(0, 100))),
  FlippedBit: (bytes, { fault, response }) =>
    // Without a tree hash nothing could detect the flipped bit.
    response.headers[treeHashHeader] === undefined || bytes.length === 0
      ? undefined
      : Responses.changed(response, { body: Stream.succeed(flipBit(fault.random, bytes)) }),
  StalePage: replaceEntries((entries) => entries.slice(0, -1)),
  RepeatedPage: replaceEntries((entries) => entries.flatMap((entry) => [entry, entry]).reverse()),
  EmptyMarker: (bytes, { response }) => withText(response, withMarker(textOf(bytes), "")),
  RepeatedMarker: (bytes, { endlessPages, response }) => {
    const marker = `endless-${endlessPages.size}`
    const page = withText(response, withMarker(textOf(bytes), marker))
    endlessPages.set(marker, page)
    return page
  }
}

/** Injects a fault into a successful response, and records it if it applies. */
export const injectIntoResponse = (faulty: FaultyResponse): Effect.Effect<Response, HttpClientError.ResponseError> => {
  const { fault, response } = faulty
  const recorded = (changed: Response | undefined, unchanged: Response): Response => {
    if (changed === undefined) return unchanged
    fault.record()
    return changed
  }
  const ofHeaders = headerFaults[fault.kind]
  if (ofHeaders !== undefined) return Effect.sync(() => recorded(ofHeaders(faulty), response))
  return Effect.map(Responses.collect(response.stream), (bytes) =>
    recorded(
      bodyFaults[fault.kind]?.(bytes, faulty),
      // The bytes have been read: the stream of the response may not run again.
      Responses.changed(response, { body: Stream.succeed(bytes) })
    ))
}
