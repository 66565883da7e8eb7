/**
 * Sends requests that are signed: without redirects, traces and shared memory where it is rejected.
 *
 * @internal
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** Makes `fetch` follow no redirects: other HTTP clients never do, and a signature is for one host only. */
const withoutRedirects = (context: Context.Context<never>) =>
  Context.add(context, FetchHttpClient.RequestInit, {
    ...Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit)),
    redirect: "manual"
  })

/** Returns the `execute` of an HTTP client. The service gets no trace headers, and no span shows a signature or a token. */
export const executePlainly = (http: HttpClient.HttpClient): HttpClient.HttpClient["execute"] => (request) =>
  http.execute(request).pipe(Effect.mapInputContext(withoutRedirects), Effect.withTracerEnabled(false))

/** Copies bytes in shared memory for an HTTP client that rejects them. */
export const sendable = (bytes: Uint8Array, sendsShared: boolean): Uint8Array =>
  sendsShared || bytes.buffer instanceof ArrayBuffer ? bytes : new Uint8Array(bytes)
