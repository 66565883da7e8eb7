import { FileSystem } from "@effect/platform"
import { expect, it } from "@effect/vitest"
import { Duration, Effect, Layer, Schedule, Stream } from "effect"
import type { Socket } from "node:net"
import { connect, createServer } from "node:net"
import { Emulator } from "../../src/emulator/index.ts"
import { Job, RetryPolicy, Source, Timeouts, Vault } from "../../src/index.ts"
import { NodeEmulator, NodeGlacier } from "../../src/node/index.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import { mebibyte, port, ramp } from "./support.ts"

const bytes = ramp(24 * mebibyte + 12_345)

const faults = ["reset", "truncate", "stall", "flip", "throttle"] as const

/**
 * A proxy before a port: what the server sends on each connection comes to harm somewhere in its first 4 MiB, each
 * time in another way; every sixth connection is left alone.
 */
const proxy = (target: number) =>
  Effect.acquireRelease(
    Effect.async<{ readonly port: number; readonly done: Set<string>; readonly close: () => void }>((resume) => {
      const sockets = new Set<Socket>()
      const done = new Set<string>()
      let connections = 0
      const server = createServer({ allowHalfOpen: false }, (client) => {
        const fault = faults[connections % 6]
        const at = 20_000 + (connections++ * 777_777) % (4 * mebibyte)
        const upstream = connect(target, "127.0.0.1")
        for (const socket of [client, upstream]) {
          sockets.add(socket)
          socket.on("error", () => {}).on("close", () => {
            client.destroy()
            upstream.destroy()
          })
        }
        client.pipe(upstream)
        let passed = 0
        upstream.on("data", (chunk) => {
          const here = at - passed
          passed += chunk.length
          if (fault === undefined || here >= chunk.length) return void client.write(chunk)
          if (here >= 0) done.add(fault)
          switch (fault) {
            case "flip":
              if (here >= 0) chunk[here] = (chunk[here] ?? 0) ^ 4
              return void client.write(chunk)
            case "reset":
              client.write(chunk.subarray(0, here))
              return void client.resetAndDestroy()
            case "truncate":
              return void client.end(chunk.subarray(0, here))
            case "stall":
              client.write(chunk.subarray(0, here))
              return void upstream.pause()
            case "throttle":
              client.write(chunk)
              upstream.pause()
              return void setTimeout(() => upstream.resume(), 20)
          }
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed({
          port: typeof address === "object" && address !== null ? address.port : 0,
          done,
          close: () => {
            server.close()
            for (const socket of sockets) socket.destroy()
          }
        }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

it.scopedLive(
  "an output that comes through resets, cuts, stalls, flipped bits and a slow line is right",
  () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const vault = yield* Vault.make("hostile")
      yield* vault.create
      const { archiveId } = yield* vault.upload(Source.bytes(bytes))
      const { id } = yield* vault.retrieveArchive(archiveId)

      const { done, port: proxied } = yield* proxy(yield* port)
      const client = NodeGlacier.layerClient.pipe(
        Layer.provide(Endpoint.layer({ region: NodeEmulator.region, endpoint: `http://127.0.0.1:${proxied}` })),
        Layer.provide(Credentials.layer(Emulator.defaultKey))
      )
      yield* Effect.gen(function*() {
        const job = yield* Job.make({ vaultName: "hostile" }, id)
        // A flipped bit may make an answer one of the service's: then there is a typed error, and the next attempt goes on.
        const again = Schedule.recurs(20)
        const path = `${folder}/back`
        yield* Effect.retry(job.outputToFile(path, { windowSize: mebibyte, onFailure: "keep" }), again)
        expect(Buffer.compare(yield* fs.readFile(path), bytes)).toBe(0)
        expect(yield* fs.readDirectory(folder)).toEqual(["back"])

        const pieces: Array<Uint8Array> = []
        const length = () => pieces.reduce((sum, piece) => sum + piece.length, 0)
        yield* Effect.suspend(() =>
          Stream.runForEach(
            job.output({ windowSize: mebibyte, from: length() }),
            (piece) => Effect.sync(() => void pieces.push(piece))
          )
        ).pipe(Effect.retry(again))
        expect(Buffer.compare(Buffer.concat(pieces), bytes)).toBe(0)
        expect([...done].sort()).toEqual([...faults].sort())
      }).pipe(
        Effect.provide(client),
        Effect.provideService(
          Timeouts.Timeouts,
          Timeouts.make({ idle: Duration.millis(500), answer: Duration.seconds(2) })
        ),
        Effect.provideService(
          RetryPolicy.RetryPolicy,
          RetryPolicy.fromSchedule(
            Schedule.spaced("20 millis").pipe(
              Schedule.intersect(Schedule.recurs(20))
            )
          )
        )
      )
    }).pipe(Effect.provide(NodeEmulator.layer({ jobDelay: 0 }))),
  60_000
)
