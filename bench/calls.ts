/**
 * What one call of an operation costs: microseconds, fibers and allocated memory, without a network. "Client" is the client
 * alone, over an HTTP client that responds from memory; "with the emulator" is what tests with `TestGlacier` pay.
 *
 *     npm run bench:calls -- [CALLS]
 *
 * The times depend on the machine. The fibers do not: a change that adds one shows here.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { Credentials, Endpoint, GlacierClient, HttpHooks } from "effect-glacier"
import { TestGlacier } from "effect-glacier/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Supervisor from "effect/Supervisor"

const calls = Number(process.argv[2] ?? 5_000)

class Counter extends Supervisor.AbstractSupervisor<number> {
  started = 0
  readonly value = Effect.sync(() => this.started)
  override onStart() {
    this.started++
  }
}

const digest = "0".repeat(64)
const vaultName = "bench"

/** The headers and body of a successful response, by the operation's method. */
const responses: Readonly<
  Record<string, { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }>
> = {
  GET: {
    status: 200,
    body: JSON.stringify({
      CreationDate: "2012-03-20T17:03:43.221Z",
      LastInventoryDate: null,
      NumberOfArchives: 0,
      SizeInBytes: 0,
      VaultARN: `arn:aws:glacier:us-east-1:012345678901:vaults/${vaultName}`,
      VaultName: vaultName
    })
  },
  DELETE: { status: 204 },
  POST: {
    status: 201,
    headers: {
      "x-amz-archive-id": "A".repeat(138),
      "x-amz-sha256-tree-hash": digest,
      location: `/012345678901/vaults/${vaultName}/archives/${"A".repeat(138)}`
    }
  }
}

const respond = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.sync(() => {
    const { body = "", headers, status } = responses[request.method] ?? { status: 500 }
    const all = { ...headers, "content-length": String(body.length) }
    const response = HttpClientResponse.fromWeb(request, new Response(null, { status, headers: all }))
    // Reading a web response would take longer than the rest of the call.
    return Object.defineProperty(response, "text", { value: Effect.succeed(body) })
  })

/** An HTTP client that keeps the time limits of attempts itself, as that of Node.js does. */
const fromMemory = Object.assign(HttpClient.make(respond), { [HttpHooks.ExecuteWithin]: respond })

const client = GlacierClient.layer.pipe(Layer.provide([
  Layer.succeed(HttpClient.HttpClient, fromMemory),
  Credentials.layer({ accessKeyId: "bench", secretAccessKey: Redacted.make("bench") }),
  Endpoint.layer({ region: "us-east-1" })
]))

const body = Buffer.alloc(4_096, "glacier")
const archiveId = "A".repeat(138)

const operations = (glacier: GlacierClient.Service): Readonly<Record<string, Effect.Effect<unknown, unknown>>> => ({
  DescribeVault: glacier.describeVault({ vaultName }),
  DeleteArchive: glacier.deleteArchive({ vaultName, archiveId }),
  UploadArchive: glacier.uploadArchive({ vaultName, body, treeHash: digest, contentSha256: digest })
})

/** Measures a call: many in a row, after as many that let the compiler of Node.js do its work. */
const measure = Effect.fnUntraced(function*(name: string, call: Effect.Effect<unknown, unknown>) {
  yield* Effect.repeatN(call, calls)
  const counter = new Counter()
  yield* Effect.supervised(call, counter)
  const [start, processor] = [performance.now(), process.cpuUsage()]
  yield* Effect.repeatN(call, calls - 1)
  const { system, user } = process.cpuUsage(processor)
  const micros = (performance.now() - start) * 1000 / calls
  console.log(
    name.padEnd(34),
    `${micros.toFixed(0).padStart(5)} µs`,
    `${((system + user) / calls).toFixed(0).padStart(5)} µs of processor`,
    `${counter.started} fibers`
  )
})

const all = (who: string) =>
  Effect.flatMap(
    GlacierClient.GlacierClient,
    (glacier) => Effect.forEach(Object.entries(operations(glacier)), ([name, call]) => measure(`${name}, ${who}`, call))
  )

await Effect.runPromise(Effect.provide(all("client"), client))
await Effect.runPromise(
  Effect.flatMap(GlacierClient.GlacierClient, (glacier) =>
    Effect.zipRight(
      glacier.createVault({ vaultName }),
      measure("DescribeVault, with the emulator", glacier.describeVault({ vaultName }))
    )).pipe(Effect.provide(TestGlacier.layer()))
)
