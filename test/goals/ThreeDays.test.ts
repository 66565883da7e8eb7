/** A program that retrieves a whole vault over several days, during which every kind of failure happens once. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RetrievalBudget from "../../src/policy/RetrievalBudget.ts"
import * as JobWaiting from "../../src/services/JobWaiting.ts"
import * as RetrievalPlan from "../../src/services/RetrievalPlan.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import { day, hour, type Life, makeLife, most, storeOn } from "../policy/support.ts"
import { inVirtualTimeWithFiles } from "../support/virtualClock.ts"
import { mebibyte, pattern, same } from "../transfer/support.ts"
import { errorResponseOf } from "../transport/support.ts"

/** 200 archives of some KiB; a few of them have several windows. */
const archives = Array.from({ length: 200 }, (_, index) => ({
  path: `year ${index % 7}/${index}.bin`,
  bytes: pattern(index % 50 === 0 ? 2.5 * mebibyte : 20_000 + 400 * index)
}))

const all = archives.reduce((sum, { bytes }) => sum + bytes.length, 0)

/** Caps under which two days are not enough. */
const caps = { bytesPerDay: Math.ceil(all / 2.2), bytesPerHour: Math.ceil(all / 4) }

/** A service whose state is in a directory, and which can be stopped and started. */
const restartable = Effect.fnUntraced(function*(directory: string) {
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

/** Wraps an HTTP client so that it throttles requests, loses responses, and makes chosen jobs fail or expire. */
const makeFaultyHttp = (inner: HttpClient.HttpClient) => {
  /** The jobs that were started, and so billed. */
  const started: Array<{ readonly archiveId: string; readonly jobId: string; readonly at: number }> = []
  // The jobs that will fail, those whose output will expire when it is read, and those whose output has expired.
  const failing = new Set<string>()
  const expiring = new Set<string>()
  const gone = new Set<string>()
  let requests = 0
  const respond = (request: HttpClientRequest.HttpClientRequest, response: Response) =>
    HttpClientResponse.fromWeb(request, response)
  const json = (request: HttpClientRequest.HttpClientRequest, value: unknown) =>
    respond(request, new Response(JSON.stringify(value), { headers: { "content-type": "application/json" } }))

  const failed = (job: unknown): unknown =>
    Schema.is(Described)(job) && job.Completed && failing.has(job.JobId)
      ? { ...job, StatusCode: "Failed", StatusMessage: "No reason given" }
      : job

  const http = (onStarted: (count: number) => Effect.Effect<void>) =>
    HttpClient.transform(inner, (send, request) =>
      Effect.gen(function*() {
        requests++
        if (requests % 9 === 0) return respond(request, errorResponseOf(400, "ThrottlingException", "Rate exceeded"))
        const [, jobId = "", output] = new URL(request.url).pathname.match(/\/jobs\/([^/]+)(\/output)?$/) ?? []
        if (output !== undefined && expiring.has(jobId)) gone.add(jobId)
        if (gone.has(jobId)) {
          return respond(
            request,
            errorResponseOf(404, "ResourceNotFoundException", `The job ID was not found: ${jobId}`)
          )
        }
        const response = yield* send
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
        if (request.method === "GET" && output === undefined && request.url.includes("/jobs")) {
          const body = yield* response.json
          if (typeof body !== "object" || body === null || response.status !== 200) return json(request, body)
          return "JobList" in body && Array.isArray(body.JobList)
            ? json(request, { ...body, JobList: body.JobList.map(failed) })
            : json(request, failed(body))
        }
        return response
      }))
  return { http, started, failing, expiring }
}

it.scoped(
  "retrieves 200 archives in three days, despite throttles, an expired and a failed job, and restarts of both sides",
  () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped({ prefix: "three-days-" })
      const service = yield* restartable(`${folder}/glacier`)
      const { expiring, failing, http, started } = makeFaultyHttp(service.http)
      const client = (http: HttpClient.HttpClient) =>
        GlacierClient.layer.pipe(
          Layer.provide(Layer.succeed(HttpClient.HttpClient, http)),
          Layer.provide(Credentials.layer(Emulator.defaultKey)),
          Layer.provide(Endpoint.layer({ region: "us-east-1" }))
        )

      const bytesOf = yield* Effect.gen(function*() {
        const vault = yield* Vault.Vault
        yield* vault.create
        const stored = yield* Effect.forEach(archives, ({ bytes, path }) =>
          Effect.map(
            vault.upload(Source.bytes(bytes), { description: path }),
            ({ archiveId }) => [archiveId, bytes.length] as const
          ))
        return new Map<string, number>(stored)
      }).pipe(Effect.provide(Layer.provideMerge(Vault.layer("photos"), client(service.http))))
      yield* Effect.sleep("2 days")
      const begin = yield* Clock.currentTimeMillis

      // The first job of two archives yields no output.
      const [failsFirst, expiresFirst] = [...bytesOf.keys()].slice(30, 32)
      const onStarted = Effect.suspend(() => {
        const last = started.at(-1)
        const isFirst = started.filter(({ archiveId }) => archiveId === last?.archiveId).length === 1
        if (isFirst && last?.archiveId === failsFirst) failing.add(last?.jobId ?? "")
        if (isFirst && last?.archiveId === expiresFirst) expiring.add(last?.jobId ?? "")
        return Effect.void
      })

      const program = Effect.gen(function*() {
        const vault = yield* Vault.Vault
        const job = yield* vault.retrieveInventory({ reuse: "1 hour" })
        yield* job.wait()
        const { archives } = yield* job.inventory
        const plan = yield* RetrievalPlan.make(archives())
        expect(plan.bytes).toBe(all)
        return yield* Stream.runCollect(
          RetrievalPlan.run("photos", plan, {
            directory: `${folder}/restored`,
            download: { windowSize: mebibyte }
          })
        )
      })

      const pages = new Map<string, string>()
      /** Runs the program until it ends or crashes. Only what it has stored survives. */
      const run = (life: Life, onStarted: (count: number) => Effect.Effect<void>) => {
        const store = Layer.succeed(KeyValueStore.KeyValueStore, storeOn(pages, life).store)
        return life.live(program.pipe(
          Effect.provide(
            Vault.layer("photos").pipe(
              Layer.provideMerge(client(http(onStarted))),
              Layer.provideMerge(JobWaiting.layerShared({ every: "1 hour" })),
              Layer.provideMerge(
                Layer.provide(Layer.merge(RetrievalBudget.layerWith(caps), Checkpoint.layerKeyValueStore), store)
              )
            )
          )
        ))
      }

      // The program crashes after a job has started and before it gets the response.
      const first = yield* makeLife
      expect(
        yield* run(first, (count) =>
          Effect.zipRight(onStarted, count === 40 ? Effect.zipRight(first.die, Effect.never) : Effect.void))
      ).toEqual(Option.none())

      // The service is unavailable for some minutes.
      const second = yield* makeLife
      yield* Effect.forkScoped(Effect.gen(function*() {
        yield* Effect.sleep("7 hours")
        yield* service.stop
        yield* Effect.sleep("8 minutes")
        yield* service.start
      }))
      yield* Effect.forkScoped(Effect.delay(second.die, "27 hours"))
      expect(
        yield* run(second, () =>
          onStarted)
      ).toEqual(Option.none())
      yield* Effect.sleep("5 minutes")

      const third = yield* makeLife
      const outcomes = Option.getOrThrow(yield* run(third, () => onStarted))
      const end = yield* Clock.currentTimeMillis

      const others = Chunk.filterMap(outcomes, (outcome) =>
        outcome._tag === "Retrieved" ? Option.none() : Option.some(`${outcome.archive.description}: ${outcome.error}`))
      expect(Chunk.toReadonlyArray(others)).toEqual([])
      expect(
        new Set(Chunk.map(outcomes, ({ archive }) =>
          archive.archiveId)).size
      ).toBe(200)
      for (const { bytes, path } of archives) {
        expect(same(yield* fs.readFile(`${folder}/restored/${path}`), bytes), path).toBe(true)
      }

      // One job is billed for each archive, and two for those whose first job yielded no output.
      const jobsOf = (id: string) =>
        started.filter(({ archiveId }) =>
          archiveId === id
        ).length
      const twice = [...bytesOf.keys()].filter((archiveId) => jobsOf(archiveId) > 1)
      expect(twice).toEqual([failsFirst, expiresFirst])
      expect(started).toHaveLength(202)

      const spent = started.map(({ archiveId, at }) => ({ at, bytes: bytesOf.get(archiveId) ?? 0 }))
      expect(most(spent, hour)).toBeLessThanOrEqual(caps.bytesPerHour)
      expect(most(spent, day)).toBeLessThanOrEqual(caps.bytesPerDay)
      expect(end - begin).toBeGreaterThan(2 * day)
      expect(end - begin).toBeLessThan(3 * day)
    }).pipe(
      Effect.withRandom(Random.make("three days")),
      Effect.provide(NodeContext.layer),
      Effect.provide(NodeHashing.layer),
      Effect.provide(Logger.remove(Logger.defaultLogger)),
      inVirtualTimeWithFiles
    ),
  120_000
)
