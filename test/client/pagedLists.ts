/** The paged lists of the client, and scripted responses to them. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Pages from "../../src/client/Pages.ts"
import type { GlacierError } from "../../src/protocol/GlacierError.ts"
import { jobId, uploadId, welcomeHash } from "../transport/calls.ts"
import { over, responseOf, script } from "../transport/support.ts"
import type { Respond } from "../transport/support.ts"

export const vaultName = "photos"

const date = { CreationDate: "2012-03-20T17:03:43.221Z", VaultARN: "arn" }

const job = { ...date, Action: "ArchiveRetrieval", Completed: false, StatusCode: "InProgress" }

const upload = { ...date, MultipartUploadId: uploadId, PartSizeInBytes: 1_048_576 }

interface List {
  readonly name: string
  /** The numbers of the entries. */
  readonly stream: Stream.Stream<number, GlacierError, GlacierClient>
  readonly target: string
  readonly query: string
  /** A page with entries of these numbers. */
  readonly page: (marker: string | null, ...numbers: ReadonlyArray<number>) => object
}

const pageOfParts: List["page"] = (Marker, ...numbers) => ({
  ...upload,
  ArchiveDescription: null,
  Marker,
  Parts: numbers.map((n) => ({ RangeInBytes: `${n}-${n}`, SHA256TreeHash: welcomeHash }))
})

export const lists: ReadonlyArray<List> = [
  {
    name: "vaults",
    stream: Stream.map(Pages.vaults(), ({ vaultName }) => Number(vaultName.slice(1))),
    target: "/-/vaults",
    query: "",
    page: (Marker, ...numbers) => ({ Marker, VaultList: numbers.map((n) => ({ ...date, VaultName: `v${n}` })) })
  },
  {
    name: "vaults of another account",
    stream: Stream.map(Pages.vaults({ accountId: "012345678901" }), ({ vaultName }) => Number(vaultName.slice(1))),
    target: "/012345678901/vaults",
    query: "",
    page: (Marker, ...numbers) => ({ Marker, VaultList: numbers.map((n) => ({ ...date, VaultName: `v${n}` })) })
  },
  {
    name: "jobs",
    stream: Stream.map(
      Pages.jobs({ vaultName, completed: true, statusCode: "Succeeded" }),
      (entry) => Number(entry.jobId.slice(jobId.length))
    ),
    target: "/-/vaults/photos/jobs",
    query: "statuscode=Succeeded&completed=true",
    page: (Marker, ...numbers) => ({ Marker, JobList: numbers.map((n) => ({ ...job, JobId: `${jobId}${n}` })) })
  },
  {
    name: "uploads",
    stream: Stream.mapEffect(
      Pages.uploads({ vaultName }),
      ({ archiveDescription }) => Effect.orDie(Effect.map(archiveDescription, Number))
    ),
    target: "/-/vaults/photos/multipart-uploads",
    query: "",
    page: (Marker, ...numbers) => ({
      Marker,
      UploadsList: numbers.map((n) => ({ ...upload, ArchiveDescription: String(n) }))
    })
  },
  {
    name: "parts",
    stream: Stream.map(Pages.parts({ vaultName, uploadId }), ({ range }) => range.start),
    target: `/-/vaults/photos/multipart-uploads/${uploadId}`,
    query: "",
    page: pageOfParts
  },
  {
    name: "parts with their upload",
    stream: Stream.flatMap(
      Pages.partPages({ vaultName, uploadId }),
      ({ parts }) => Stream.fromIterable(parts.map(({ range }) => range.start))
    ),
    target: `/-/vaults/photos/multipart-uploads/${uploadId}`,
    query: "",
    page: pageOfParts
  }
]

export const json = (page: object) => () => responseOf(200, JSON.stringify(page))

/** Runs an effect over a scripted client. Returns its result, and the paths and queries of its requests. */
export const running = <A, E>(effect: Effect.Effect<A, E, GlacierClient>, respond: Respond) =>
  Effect.gen(function*() {
    const { http, sent } = script(respond)
    const result = yield* Effect.provide(Effect.either(effect), over(http))
    const urls = sent.map(({ url }) => new URL(url))
    return { result, targets: urls.map(({ pathname }) => pathname), queries: urls.map(({ search }) => search.slice(1)) }
  })
