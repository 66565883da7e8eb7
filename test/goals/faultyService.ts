/** A service that is stopped and started, and an HTTP client that injects faults into its calls. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as Response from "../../src/testing/internal/response.ts"
import { mebibyte, pattern } from "../transfer/support.ts"

/** 200 archives of some KiB; a few of them have several windows. */
export const archives = Array.from({ length: 200 }, (_, index) => ({
  path: `year ${index % 7}/${index}.bin`,
  bytes: pattern(index % 50 === 0 ? 2.5 * mebibyte : 20_000 + 400 * index)
}))

export const all = archives.reduce((sum, { bytes }) => sum + bytes.length, 0)

/** Caps under which two days are not enough. */
export const caps = { bytesPerDay: Math.ceil(all / 2.2), bytesPerHour: Math.ceil(all / 4) }

/** A service whose state is in a directory, and which can be stopped and started. */
export const restartable = Effect.fnUntraced(function*(directory: string) {
  let running: { readonly scope: Scope.CloseableScope; readonly http: HttpClient.HttpClient } | undefined
  const emulator = Layer.provide(Emulator.layerHttpClient, Emulator.layerFileSystem({ directory }))
  const start = Effect.gen(function*() {
    const scope = yield* Scope.make()
    running = { scope, http: Context.get(yield* Layer.buildWithScope(emulator, scope), HttpClient.HttpClient) }
  })
  const stop = Effect.suspend(() => {
    const stopped = running
    running = undefined
    return stopped === undefined ? Effect.void : Scope.close(stopped.scope, Exit.void)
  })
  yield* start
  yield* Effect.addFinalizer(() => stop)
  const http = HttpClient.make((request) =>
    running?.http.execute(request) ?? Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport" }))
  )
  return { http, start, stop }
})

const Asked = Schema.parseJson(Schema.Struct({ Type: Schema.String, ArchiveId: Schema.optional(Schema.String) }))

const Described = Schema.Struct({ JobId: Schema.String, Completed: Schema.Boolean })

/** Returns the response to a request that describes or lists jobs, in which the jobs that are done have failed if they should. */
export const withFailedJobs = Effect.fnUntraced(function*(
  request: HttpClientRequest.HttpClientRequest,
  response: HttpClientResponse.HttpClientResponse,
  isFailing: (jobId: string) => boolean
) {
  if (request.method !== "GET" || !/\/jobs(\/[^/]+)?$/.test(new URL(request.url).pathname) || response.status !== 200) {
    return response
  }
  const failed = (job: unknown): unknown =>
    Schema.is(Described)(job) && job.Completed && isFailing(job.JobId)
      ? { ...job, StatusCode: "Failed", StatusMessage: "No reason given" }
      : job
  const body = yield* response.json
  const changed = typeof body === "object" && body !== null && "JobList" in body && Array.isArray(body.JobList)
    ? { ...body, JobList: body.JobList.map(failed) }
    : failed(body)
  return Response.ofText(request, 200, "application/json", JSON.stringify(changed))
})

/** Wraps an HTTP client so that it throttles requests, loses responses, and makes chosen jobs fail or expire. */
export const makeFaultyHttp = (inner: HttpClient.HttpClient) => {
  /** The jobs that were started, and so billed. */
  const started: Array<{ readonly archiveId: string; readonly jobId: string; readonly at: number }> = []
  // The jobs that will fail, those whose output will expire when it is read, and those whose output has expired.
  const failing = new Set<string>()
  const expiring = new Set<string>()
  const gone = new Set<string>()
  let requests = 0
  let deletions = 0
  const http = (onStarted: (count: number) => Effect.Effect<void>) =>
    HttpClient.transform(inner, (send, request) =>
      Effect.gen(function*() {
        requests++
        if (requests % 9 === 0) return Response.ofError(request, 400, "ThrottlingException", "Rate exceeded")
        const [, jobId = "", output] = new URL(request.url).pathname.match(/\/jobs\/([^/]+)(\/output)?$/) ?? []
        if (output !== undefined && expiring.has(jobId)) gone.add(jobId)
        if (gone.has(jobId)) {
          return Response.ofError(request, 404, "ResourceNotFoundException", `The job ID was not found: ${jobId}`)
        }
        const response = yield* send
        // The response to every 25th deletion is lost.
        if (request.method === "DELETE" && response.status === 204 && ++deletions % 25 === 0) {
          return yield* new HttpClientError.RequestError({ request, reason: "Transport" })
        }
        if (request.method === "POST" && response.status === 202 && request.body._tag === "Uint8Array") {
          const { ArchiveId: archiveId } = yield* Effect.orDie(
            Schema.decode(Asked)(new TextDecoder().decode(request.body.body))
          )
          if (archiveId === undefined) return response
          started.push({ archiveId, jobId: response.headers["x-amz-job-id"] ?? "", at: yield* Clock.currentTimeMillis })
          yield* onStarted(started.length)
          // The response to every 25th job is lost.
          return started.length % 25 === 0
            ? yield* new HttpClientError.RequestError({ request, reason: "Transport" })
            : response
        }
        return yield* withFailedJobs(request, response, (jobId) => failing.has(jobId))
      }))
  return { http, started, failing, expiring }
}
