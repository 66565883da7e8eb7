/** Archives that are uploaded and downloaded through a proxy that injects faults, with an emulator in another process. */
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Array as Arr, Duration, Effect } from "effect"
import { RetryPolicy } from "../../src/index.ts"
import { isFull } from "../support/full.ts"
import { cert, key } from "../support/tlsServer.ts"
import {
  allFaults,
  every,
  faults,
  fewAttempts,
  large,
  proxyResponses,
  roundTrip,
  seeds,
  startEmulator
} from "./roundTrips.ts"
import { mebibyte } from "./support.ts"

describe("over connections that reset, truncate, stall, slow down and change bytes in both directions", () => {
  it.scopedLive(
    `uploads and downloads ${large} MiB correctly, and leaves no part and no surplus file behind [I2]`,
    () =>
      Effect.gen(function*() {
        const { sizes, url } = yield* startEmulator()
        const faultCounts = yield* roundTrip({
          seed: 1,
          size: large * mebibyte,
          partSize: 4 * mebibyte,
          every: { body: every * mebibyte, head: 32_768 },
          timeouts: { response: Duration.seconds(4), upload: Duration.seconds(8), idle: Duration.seconds(2) },
          policy: RetryPolicy.patient
        }, url)
        for (const direction of ["up", "down"]) {
          const counts = [...faultCounts].filter(([fault]) => fault.startsWith(direction)).map(([, count]) => count)
          expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(faults)
        }
        // A part that arrived twice is stored once. One more file is the inventory.
        expect((yield* sizes).filter((size) => size >= mebibyte)).toEqual(Arr.replicate(4 * mebibyte, large / 4))
        expect(yield* sizes).toHaveLength(large / 4 + 1)
      }).pipe(Effect.provide(NodeContext.layer)),
    600_000
  )

  it.scopedLive(
    "uploads and downloads small archives correctly although most parts meet a fault [I2]",
    () =>
      Effect.gen(function*() {
        const { url } = yield* startEmulator()
        const kinds = new Set<string>()
        for (const seed of Arr.range(1, seeds)) {
          const faults = yield* roundTrip({
            seed,
            size: 6 * mebibyte + 12_345,
            partSize: mebibyte,
            every: { body: 2 * mebibyte, head: 3000 },
            timeouts: { response: Duration.millis(500), upload: Duration.seconds(1), idle: Duration.millis(300) },
            policy: fewAttempts
          }, url).pipe(Effect.tapErrorCause(() => Effect.logError(`Seed ${seed}`)))
          for (const fault of faults.keys()) kinds.add(fault.replace(/^(up|down) /, ""))
        }
        if (isFull) expect([...kinds].sort()).toEqual([...allFaults, ...proxyResponses].sort())
        else expect(kinds.size).toBeGreaterThanOrEqual(5)
      }).pipe(Effect.provide(NodeContext.layer)),
    300_000
  )

  it.scopedLive(
    "uploads and downloads small archives correctly over TLS, where faults break connections [I2]",
    () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        yield* fs.writeFileString(`${folder}/cert.pem`, cert)
        yield* fs.writeFileString(`${folder}/key.pem`, key)
        const { url } = yield* startEmulator("--tls-cert", `${folder}/cert.pem`, "--tls-key", `${folder}/key.pem`)
        const kinds = new Set<string>()
        // The kinds of faults that a seed injects depend on the number of connections, so on the speed of the machine.
        for (let seed = 1; seed <= (isFull ? 10 : 1) && kinds.size < allFaults.length; seed++) {
          const faults = yield* roundTrip({
            seed,
            size: 6 * mebibyte + 12_345,
            partSize: mebibyte,
            every: { body: 2 * mebibyte, head: 6000 },
            timeouts: { response: Duration.seconds(1), upload: Duration.seconds(2), idle: Duration.millis(500) },
            policy: fewAttempts
          }, url).pipe(Effect.tapErrorCause(() => Effect.logError(`Seed ${seed}`)))
          for (const fault of faults.keys()) kinds.add(fault.replace(/^(up|down) /, ""))
        }
        if (isFull) expect([...kinds].sort()).toEqual([...allFaults].sort())
        else expect(kinds.size).toBeGreaterThanOrEqual(3)
      }).pipe(Effect.provide(NodeContext.layer)),
    300_000
  )
})
