/** Calls that create resources over a connection that loses responses, and the guarantees that they violate. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { PCGRandom } from "effect/Utils"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import type { GlacierError } from "../../src/protocol/GlacierError.ts"
import { mebibyte } from "../../src/protocol/Limits.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { welcome, welcomeHash } from "../transport/calls.ts"

const vault = { vaultName: "photos" }

const body = { body: welcome, contentSha256: welcomeHash, treeHash: welcomeHash }

type Create = (glacier: GlacierClient.Service, archiveId: string) => Effect.Effect<string, GlacierError>

const job: Create = (glacier, archiveId) =>
  glacier.initiateJob({ ...vault, parameters: { type: "archive-retrieval", archiveId } }).pipe(
    Effect.map(({ jobId }) => jobId)
  )

const upload = (description?: string): Create => (glacier) =>
  glacier.initiateMultipartUpload({ ...vault, description, partSize: mebibyte }).pipe(
    Effect.map(({ uploadId }) => uploadId)
  )

type Creations = ReadonlyArray<readonly [name: string, make: Create]>

/** The first two have the same description. */
const uploads: Creations = [["upload", upload()], ["upload", upload()], ["upload", upload("holiday.tar")]]

const others: Creations = [
  ["job", job],
  ["archive", (glacier) => Effect.map(glacier.uploadArchive({ ...vault, ...body }), ({ archiveId }) => archiveId)],
  ["capacity", (glacier) => Effect.map(glacier.purchaseProvisionedCapacity({}), ({ capacityId }) => capacityId)]
]

/** The calls that a seed runs at once. */
export const creationsOf = (seed: number): Creations => seed % 2 === 0 ? uploads : others

/** The headers with the id of a new resource. */
const ids = ["x-amz-job-id", "x-amz-multipart-upload-id", "x-amz-archive-id", "x-amz-capacity-id"]

/** The call that a request belongs to: its index among the calls of its seed. */
class Call extends Context.Reference<Call>()("test/Call", { defaultValue: () => -1 }) {}

/** Loses 30 % of the responses, half of them by losing the request, and records the resources that each call creates. */
const losing = (http: HttpClient.HttpClient, seed: number) => {
  const random = new PCGRandom(seed)
  const made = creationsOf(seed).map((): Array<string> => [])
  const client = HttpClient.transform(http, (send, request) =>
    Effect.gen(function*() {
      const lost = new HttpClientError.RequestError({ request, reason: "Transport" })
      const fate = random.number()
      yield* Effect.sleep(random.integer(200))
      if (fate < 0.15) return yield* lost
      const response = yield* send
      const created = response.status < 300 ? ids.flatMap((name) => response.headers[name] ?? []) : []
      made[yield* Call]?.push(...created)
      yield* Effect.sleep(random.integer(200))
      return fate < 0.3 ? yield* lost : response
    }))
  return { client, made }
}

const clientOver = (http: HttpClient.HttpClient) =>
  GlacierClient.layer.pipe(
    Layer.provide(Layer.succeed(HttpClient.HttpClient, http)),
    Layer.provide(Credentials.layer(Emulator.defaultKey)),
    Layer.provide(Layer.orDie(Endpoint.layer({ region: "us-east-1" })))
  )

/** Runs the calls of a seed. Returns their results, and the resources that each created at the service. */
export const run = (seed: number, policy: (http: HttpClient.HttpClient) => HttpClient.HttpClient = (http) => http) =>
  Effect.gen(function*() {
    const http = yield* HttpClient.HttpClient
    const archiveId = yield* Effect.flatMap(
      GlacierClient.GlacierClient,
      (glacier) => Effect.zipRight(glacier.createVault(vault), glacier.uploadArchive({ ...vault, ...body }))
    ).pipe(
      Effect.map(({ archiveId }) => archiveId),
      Effect.provide(clientOver(http))
    )
    const { client, made } = losing(http, seed)
    const results = yield* Effect.flatMap(GlacierClient.GlacierClient, (glacier) =>
      Effect.forEach(
        creationsOf(seed),
        ([, make], number) =>
          Effect.either(make(glacier, archiveId)).pipe(
            Effect.provideService(Call, number)
          ),
        { concurrency: "unbounded" }
      )).pipe(Effect.provide(clientOver(policy(client))))
    return { made, results }
  }).pipe(
    Effect.provide(Emulator.layerHttpClient.pipe(Layer.provide(Emulator.layerMemory()))),
    Effect.withRandom(Random.make(seed)),
    inVirtualTime
  )

/** Returns the violated guarantees. */
export const violations = (seed: number, { made, results }: Effect.Effect.Success<ReturnType<typeof run>>) => {
  const returned = results.flatMap(Either.match({ onLeft: () => [], onRight: (id) => [id] }))
  return [
    new Set(returned).size < returned.length ? "two calls returned the same id" : "",
    ...creationsOf(seed).flatMap(([name], index) => {
      const own = made[index] ?? []
      const { length } = own
      const result = results[index]
      return [
        result?._tag === "Right" && !own.includes(result.right) ? `a ${name} belongs to another call` : "",
        // A lost upload is empty, costs nothing and expires.
        length > 1 && name !== "upload" ? `a ${name} was made twice` : "",
        name !== "upload" && length > 0 && result?._tag === "Left" && result.left._tag !== "OutcomeUnknown"
          ? `a ${name} was made, but the call failed with ${result.left._tag}`
          : ""
      ]
    })
  ].filter((violation) => violation !== "")
}
