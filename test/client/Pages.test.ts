import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Pages from "../../src/client/Pages.ts"
import type { GlacierError } from "../../src/protocol/GlacierError.ts"
import { jobId, uploadId, welcomeHash } from "../transport/calls.ts"
import { errorResponseOf, over, respondWith, responseOf, script } from "../transport/support.ts"
import type { Respond } from "../transport/support.ts"

const vaultName = "photos"
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

const lists: ReadonlyArray<List> = [
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
    page: (Marker, ...numbers) => ({
      ...upload,
      ArchiveDescription: null,
      Marker,
      Parts: numbers.map((n) => ({ RangeInBytes: `${n}-${n}`, SHA256TreeHash: welcomeHash }))
    })
  },
  {
    name: "parts with their upload",
    stream: Stream.flatMap(
      Pages.partPages({ vaultName, uploadId }),
      ({ parts }) => Stream.fromIterable(parts.map(({ range }) => range.start))
    ),
    target: `/-/vaults/photos/multipart-uploads/${uploadId}`,
    query: "",
    page: (Marker, ...numbers) => ({
      ...upload,
      ArchiveDescription: null,
      Marker,
      Parts: numbers.map((n) => ({ RangeInBytes: `${n}-${n}`, SHA256TreeHash: welcomeHash }))
    })
  }
]

const json = (page: object) => () => responseOf(200, JSON.stringify(page))

/** Runs an effect over a scripted client. Returns its result, and the paths and queries of its requests. */
const running = <A, E>(effect: Effect.Effect<A, E, GlacierClient>, respond: Respond) =>
  Effect.gen(function*() {
    const { http, sent } = script(respond)
    const result = yield* Effect.provide(Effect.either(effect), over(http))
    const urls = sent.map(({ url }) => new URL(url))
    return { result, targets: urls.map(({ pathname }) => pathname), queries: urls.map(({ search }) => search.slice(1)) }
  })

describe.each(lists)("Pages of $name", ({ page, query, stream, target }) => {
  const numbers = Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)
  const following = (marker: string) => [query, `marker=${marker}`].filter((text) => text !== "").join("&")
  const three = respondWith(json(page("a/1", 1, 2)), json(page("b 2")), json(page(null, 3)))

  it.effect("follow the markers to the last page, also over empty pages", () =>
    Effect.gen(function*() {
      const { queries, result, targets } = yield* running(numbers, three)
      expect(result).toMatchObject({ _tag: "Right", right: [1, 2, 3] })
      expect(queries).toEqual([query, following("a%2F1"), following("b%202")])
      expect(targets).toEqual([target, target, target])
    }))

  it.effect("end after the first page if it has no marker", () =>
    Effect.gen(function*() {
      const { queries, result } = yield* running(numbers, respondWith(json(page(null))))
      expect(result).toMatchObject({ _tag: "Right", right: [] })
      expect(queries).toEqual([query])
    }))

  it.effect.each([[1, 1], [2, 1], [3, 3]] as const)(
    "send only as many requests as needed: for %i entries %i",
    ([wanted, asked]) =>
      Effect.gen(function*() {
        const { queries, result } = yield* running(Stream.runCount(Stream.take(stream, wanted)), three)
        expect(result).toMatchObject({ right: wanted })
        expect(queries).toHaveLength(asked)
      })
  )

  it.effect("end after a page with an empty marker", () =>
    Effect.gen(function*() {
      const { queries, result } = yield* running(numbers, respondWith(json(page("a", 1)), json(page("", 2))))
      expect(result).toMatchObject({ _tag: "Right", right: [1, 2] })
      expect(queries).toEqual([query, following("a")])
    }))

  it.effect.each([[["a", "a"]], [["a", "b", "a"]], [["a", "b", "c", "b"]]] as const)(
    "fail when a marker repeats, because the list would never end: %s",
    ([markers]) =>
      Effect.gen(function*() {
        const seen: Array<number> = []
        const pages = markers.map((marker, index) => json(page(marker, index)))
        const { queries, result } = yield* running(
          Stream.runForEach(stream, (entry) => Effect.sync(() => seen.push(entry))),
          (_, attempt) => Effect.sync(pages[(attempt - 1) % pages.length]!)
        )
        expect(result).toMatchObject({ _tag: "Left", left: { _tag: "MalformedResponse" } })
        expect(queries).toHaveLength(markers.length)
        expect(seen).toEqual(markers.slice(1).map((_, index) => index))
      })
  )

  it.effect("start from the first page each time they are run", () =>
    Effect.gen(function*() {
      const { queries } = yield* running(
        Effect.replicateEffect(Stream.runHead(stream), 2),
        respondWith(json(page("a", 1)))
      )
      expect(queries).toEqual([query, query])
    }))

  it.effect("emit the entries of earlier pages before they fail", () =>
    Effect.gen(function*() {
      const seen: Array<number> = []
      const { queries, result } = yield* running(
        Stream.runForEach(stream, (entry) => Effect.sync(() => seen.push(entry))),
        respondWith(json(page("a", 1, 2)), () => errorResponseOf(404, "ResourceNotFoundException", "gone"))
      )
      expect(result).toMatchObject({ _tag: "Left", left: { _tag: "ResourceNotFound", message: "gone" } })
      expect(seen).toEqual([1, 2])
      expect(queries).toHaveLength(2)
    }))
})

describe("Pages", () => {
  it.effect("fail with InvalidInput for an invalid vault name", () =>
    Effect.gen(function*() {
      const { queries, result } = yield* running(
        Stream.runDrain(Pages.jobs({ vaultName: "a/b" })),
        respondWith(() => responseOf(500))
      )
      expect(result).toMatchObject({ _tag: "Left", left: { _tag: "InvalidInput", field: "vaultName" } })
      expect(queries).toEqual([])
    }))
})
