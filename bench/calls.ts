/**
 * The cost of one call of an operation without a network: microseconds and fibers. "Client" is the client alone, over an
 * HTTP client that responds from memory. "With the emulator" is the client with `TestGlacier`, as in tests.
 *
 *     npm run bench:calls -- [CALLS]
 *
 * The times depend on the machine. The fibers do not: a change that adds one shows here.
 */
import { GlacierClient, Source, Vault } from "effect-glacier"
import { NodeHashing } from "effect-glacier/node"
import { TestGlacier } from "effect-glacier/testing"
import * as Effect from "effect/Effect"
import * as Supervisor from "effect/Supervisor"
import { archiveId } from "./archiveId.ts"
import * as MemoryHttp from "./memoryHttp.ts"

const calls = Number(process.argv[2] ?? 5_000)
const vaultName = "bench"
const digest = "0".repeat(64)

class Counter extends Supervisor.AbstractSupervisor<number> {
  started = 0
  readonly value = Effect.sync(() => this.started)
  override onStart() {
    this.started++
  }
}

const described: MemoryHttp.Response = {
  status: 200,
  body: JSON.stringify({
    CreationDate: "2012-03-20T17:03:43.221Z",
    LastInventoryDate: null,
    NumberOfArchives: 0,
    SizeInBytes: 0,
    VaultARN: `arn:aws:glacier:us-east-1:012345678901:vaults/${vaultName}`,
    VaultName: vaultName
  })
}

const client = MemoryHttp.client(({ method }) =>
  method === "GET" ? described : method === "DELETE" ? { status: 204 } : MemoryHttp.stored
)

const body = Buffer.alloc(4_096, "glacier")

const operations = (glacier: GlacierClient.Service): Readonly<Record<string, Effect.Effect<unknown, unknown>>> => ({
  DescribeVault: glacier.describeVault({ vaultName }),
  DeleteArchive: glacier.deleteArchive({ vaultName, archiveId: archiveId(0) }),
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

const ofClient = Effect.gen(function*() {
  const glacier = yield* GlacierClient.GlacierClient
  for (const [name, call] of Object.entries(operations(glacier))) yield* measure(`${name}, client`, call)
  const vault = yield* Vault.make(vaultName)
  yield* measure("upload of Vault, client", vault.upload(Source.bytes(body)))
})

const withEmulator = Effect.gen(function*() {
  const glacier = yield* GlacierClient.GlacierClient
  yield* glacier.createVault({ vaultName })
  yield* measure("DescribeVault, with the emulator", glacier.describeVault({ vaultName }))
})

await Effect.runPromise(Effect.provide(ofClient, [client, NodeHashing.layer]))
await Effect.runPromise(Effect.provide(withEmulator, TestGlacier.layer()))
