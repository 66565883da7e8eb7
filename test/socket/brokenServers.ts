/** Calls to servers that do not accept connections, or whose connections break. */
import { Cause, Duration, Effect, Exit, Layer } from "effect"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { Worker } from "node:worker_threads"
import { Emulator } from "../../src/emulator/index.ts"
import { Credentials, Endpoint, GlacierClient, Hasher, RetryPolicy, Timeouts } from "../../src/index.ts"
import { NodeHashing, NodeHttp } from "../../src/node/index.ts"
import { generate } from "../../src/node/internal/certificate.ts"
import { promptly } from "../support/retryPolicies.ts"
import { ca, createServer } from "../support/tlsServer.ts"
import { message } from "./scriptedServer.ts"

const client = (endpoint: string, authority = ca) =>
  GlacierClient.layer.pipe(
    Layer.provide([
      NodeHttp.layerWith({ ca: authority }),
      Endpoint.layer({ region: "us-east-1", endpoint }),
      Credentials.layer(Emulator.defaultKey)
    ]),
    Layer.provideMerge(NodeHashing.layer)
  )

export const vaultName = "photos"

export const describeVault = Effect.flatMap(
  GlacierClient.GlacierClient,
  (glacier) => glacier.describeVault({ vaultName })
)

/** A call that must not be sent twice. */
export const uploadArchive = Effect.gen(function*() {
  const glacier = yield* GlacierClient.GlacierClient
  const hasher = yield* Hasher.Hasher
  const body = new Uint8Array(100).fill(7)
  return yield* glacier.uploadArchive({ vaultName, body, ...(yield* hasher.hashes(body)) })
})

/** Runs a call with up to two retries without a delay. Returns the number of retries. */
export const run = <A, E extends { readonly _tag: string }>(
  effect: Effect.Effect<A, E, GlacierClient.GlacierClient>,
  endpoint: string,
  { authority = ca, connect = Duration.seconds(10) } = {}
) =>
  Effect.suspend(() => {
    let retries = 0
    return effect.pipe(
      RetryPolicy.onRetry(() => Effect.sync(() => void retries++)),
      Effect.provide(client(endpoint, authority)),
      Effect.provideService(RetryPolicy.RetryPolicy, promptly(2)),
      Effect.provideService(Timeouts.Timeouts, Timeouts.make({ connect })),
      Effect.exit,
      Effect.map((exit) => ({
        retries,
        value: Exit.isSuccess(exit) ? exit.value : undefined,
        error: Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      }))
    )
  })

export const stored = message(201, { "x-amz-archive-id": "a".repeat(138) })

export const vault = JSON.stringify({
  CreationDate: "2012-02-20T17:01:45.198Z",
  NumberOfArchives: 0,
  SizeInBytes: 0,
  VaultARN: "arn:aws:glacier:us-east-1:123456789012:vaults/photos",
  VaultName: vaultName
})

export const described = message(200, { "content-type": "application/json" }, vault)

/** A server without TLS. Returns its host and port. */
export const plain = (onSocket: (socket: Socket) => void) =>
  Effect.map(createServer(false, onSocket), ({ port }) => `127.0.0.1:${port}`)

export const generated = (hosts: ReadonlyArray<string>, now = Date.now()) => Effect.promise(() => generate(hosts, now))

/** A port whose server accepts no more connections: the system drops new packets. */
export const blackHole = Effect.acquireRelease(
  Effect.promise(async () => {
    const blocked = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(
      `const { parentPort, workerData } = require("node:worker_threads")
      const server = require("node:net").createServer().listen(0, "127.0.0.1", 1, () => {
        parentPort.postMessage(server.address().port)
        setTimeout(() => {
          Atomics.store(workerData, 0, 1)
          Atomics.wait(workerData, 0, 1)
        }, 50)
      })`,
      { eval: true, workerData: blocked }
    )
    const [port] = (await once(worker, "message")) as [number]
    while (Atomics.load(blocked, 0) === 0) await sleep(5)
    // Fills the queue of pending connections, until two in a row are not accepted.
    const fillers: Array<Socket> = []
    for (let pending = 0; pending < 2 && fillers.length < 50;) {
      const filler = connect(port, "127.0.0.1").on("error", () => {})
      fillers.push(filler)
      const isOpen = await Promise.race([once(filler, "connect").then(() => true), sleep(300).then(() => false)])
      pending = isOpen ? 0 : pending + 1
    }
    return { port, close: () => [worker.terminate(), fillers.forEach((filler) => filler.destroy())] }
  }),
  ({ close }) => Effect.sync(close)
).pipe(Effect.map(({ port }) => port))
