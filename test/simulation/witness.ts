/**
 * An observer next to the service. It records which requests arrived and were carried out, even if the response was lost
 * on its way back.
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Header from "./header.ts"

/** An archive that the service has stored. */
export interface Stored {
  readonly treeHash: string
  readonly size: number
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
  /** The multipart uploads that are open, each with the tree hashes of its parts by their ranges. */
  const uploads = new Map<string, Map<string, string>>()
  /** The jobs that retrieve archives, which are paid for, each with its archive. */
  const jobs = new Map<string, string>()

  const record = ({ body, headers, method, url }: HttpClientRequest.HttpClientRequest, received: Header.Headers) => {
    const [, kind, id = ""] = /\/(archives|multipart-uploads|jobs)(?:\/([^/?]+))?(?:\?|$)/.exec(url) ?? []
    const store = (size: unknown) =>
      archives.set(received[Header.archiveId] ?? "", {
        treeHash: received[Header.treeHash] ?? "",
        size: Number(size)
      })
    switch (`${method} ${kind}`) {
      case "POST archives":
        store("contentLength" in body ? body.contentLength : 0)
        break
      case "DELETE archives":
        archives.delete(id)
        break
      case "POST jobs": {
        // A job without an archive lists the inventory.
        const asked = body._tag === "Uint8Array" ? decodeRetrieval(new TextDecoder().decode(body.body)) : undefined
        if (asked?._tag === "Right") jobs.set(received[Header.jobId] ?? "", asked.right.ArchiveId)
        break
      }
      case "PUT multipart-uploads":
        uploads.get(id)?.set(headers["content-range"] ?? "", headers[Header.treeHash] ?? "")
        break
      case "DELETE multipart-uploads":
        uploads.delete(id)
        break
      case "POST multipart-uploads":
        if (id === "") uploads.set(received[Header.uploadId] ?? "", new Map())
        // A repeated completion stores nothing.
        else if (uploads.delete(id)) store(headers["x-amz-archive-size"])
    }
  }

  const http = HttpClient.transform(
    service,
    (_, request) =>
      Effect.flatMap(
        received(request),
        (whole) =>
          detached(Effect.tap(service.execute(whole), (response) =>
            Effect.sync(() => {
              if (response.status < 300) {
                record(whole, response.headers)
              }
            })))
      )
  )
  return { http, archives, uploads, jobs }
}

export type Witness = ReturnType<typeof make>
