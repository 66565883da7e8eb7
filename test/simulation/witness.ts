/** Who stands at the door of the service: what has come in and was done, whatever became of the answer on its way. */
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

/** An archive that the service has stored. */
export interface Stored {
  readonly description: string
  readonly treeHash: string
  readonly size: number
}

/** A multipart upload that is open. */
export interface Open {
  readonly description: string
  readonly parts: Set<string>
}

const decodeRetrieval = Schema.decodeEither(Schema.parseJson(Schema.Struct({ ArchiveId: Schema.String })))

/** Runs an effect in a fiber of its own, which continues when the caller is interrupted. */
const detached = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.forkDaemon(effect), Fiber.join)

/** Waits for the last byte of a request. A sender that dies before then never completes it. */
const received = (request: HttpClientRequest.HttpClientRequest): Effect.Effect<HttpClientRequest.HttpClientRequest> =>
  request.body._tag !== "Stream"
    ? Effect.succeed(request)
    : Effect.map(Effect.orDie(Stream.runCollect(request.body.stream)), (pieces) => {
      const body = HttpBody.uint8Array(Buffer.concat(Array.from(pieces)), "")
      return HttpClientRequest.setHeaders(HttpClientRequest.setBody(request, body), request.headers)
    })

export const make = (service: HttpClient.HttpClient) => {
  const archives = new Map<string, Stored>()
  const uploads = new Map<string, Open>()
  /** The jobs that retrieve archives, which are paid for: of each which archive. */
  const jobs = new Map<string, string>()

  // The service carries out a request that it has received, even if the sender dies meanwhile.
  const http = HttpClient.transform(
    service,
    (_, sent) =>
      Effect.flatMap(
        received(sent),
        (request) =>
          detached(Effect.tap(service.execute(request), (response) =>
            Effect.sync(() => {
              if (response.status >= 300) {
                return
              }
              const [, kind, id] = /\/(archives|multipart-uploads|jobs)(?:\/([^/?]+))?(?:\?|$)/.exec(request.url) ?? []
              const asked = request.headers
              const answered = response.headers
              const description = asked["x-amz-archive-description"] ?? ""
              const store = (description: string, size: string | undefined) =>
                archives.set(answered["x-amz-archive-id"] ?? "", {
                  description,
                  treeHash: answered["x-amz-sha256-tree-hash"] ?? "",
                  size: Number(size)
                })
              if (kind === "archives" && request.method === "POST") {
                const { body } = request
                store(description, String("contentLength" in body ? body.contentLength : 0))
              }
              if (kind === "archives" && request.method === "DELETE") archives.delete(id ?? "")
              if (kind === "jobs" && request.method === "POST" && request.body._tag === "Uint8Array") {
                // An inventory is of no archive.
                const asked = decodeRetrieval(new TextDecoder().decode(request.body.body))
                if (Either.isRight(asked)) jobs.set(answered["x-amz-job-id"] ?? "", asked.right.ArchiveId)
              }
              if (kind !== "multipart-uploads") return
              if (request.method === "POST" && id === undefined) {
                uploads.set(answered["x-amz-multipart-upload-id"] ?? "", { description, parts: new Set() })
              } else if (request.method === "PUT") uploads.get(id ?? "")?.parts.add(asked["content-range"] ?? "")
              else if (request.method === "DELETE") uploads.delete(id ?? "")
              else if (request.method === "POST") {
                const upload = uploads.get(id ?? "")
                if (upload !== undefined) store(upload.description, asked["x-amz-archive-size"])
                uploads.delete(id ?? "")
              }
            })))
      )
  )
  return { http, archives, uploads, jobs }
}

export type Witness = ReturnType<typeof make>
