/** Transfers of files through a proxy that injects faults, and their expected results. */
import { FileSystem } from "@effect/platform"
import { expect } from "@effect/vitest"
import { Array as Arr, Chunk, Effect, Layer, Schedule, Stream } from "effect"
import { createHash } from "node:crypto"
import { GlacierError, Job, Pages, RetryPolicy, Source, Timeouts, Vault } from "../../src/index.ts"
import { isFull } from "../support/full.ts"
import { runEmulator } from "../support/processes.ts"
import { ca } from "../support/tlsServer.ts"
import * as Proxy from "./faultyProxy.ts"
import { client, mebibyte, until } from "./support.ts"

const sha256 = (...pieces: ReadonlyArray<Uint8Array>) => {
  const hash = createHash("sha256")
  for (const piece of pieces) hash.update(piece)
  return hash.digest()
}

/**
 * The tree hash of bytes that come piece by piece, and their number. It is written from the definition and shares no code
 * with the package.
 */
const makeTreeHash = () => {
  const leaves: Array<Uint8Array> = []
  let leaf = createHash("sha256")
  let size = 0
  return {
    size: () => size,
    update: (bytes: Uint8Array) => {
      for (let start = 0; start < bytes.length;) {
        const piece = bytes.subarray(start, start + mebibyte - size % mebibyte)
        leaf.update(piece)
        start += piece.length
        size += piece.length
        if (size % mebibyte > 0) continue
        leaves.push(leaf.digest())
        leaf = createHash("sha256")
      }
    },
    digest: () => {
      let level = size % mebibyte > 0 ? [...leaves, leaf.digest()] : leaves
      while (level.length > 1) {
        level = Arr.chunksOf(level, 2).map(([left, right]) => right === undefined ? left : sha256(left, right))
      }
      return Buffer.from(level[0] ?? []).toString("hex")
    }
  }
}

const treeHashOf = (path: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const { digest, update } = makeTreeHash()
    yield* Stream.runForEach(fs.stream(path, { chunkSize: mebibyte }), (bytes) => Effect.sync(() => update(bytes)))
    return digest()
  })

/** Writes a file in which each MiB starts with another text, so that missing and misplaced MiBs are detected. */
const write = (path: string, size: number) =>
  Effect.scoped(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const file = yield* fs.open(path, { flag: "w" })
    yield* file.truncate(size)
    for (let start = 0; start < size; start += mebibyte) {
      yield* file.seek(start, "start")
      yield* file.writeAll(Buffer.from(`From byte ${start} of ${size} on`).subarray(0, size - start))
    }
  }))

/** Starts an emulator program with a folder. Returns its URL and the sizes of its files with archives and parts. */
export const startEmulator = Effect.fnUntraced(function*(...options: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const data = yield* fs.makeTempDirectoryScoped()
  const { url } = yield* runEmulator(
    ...["--data", data, "--job-delay", "0 millis", "--inventory-delay", "0 millis"],
    ...options
  )
  const sizes = Effect.flatMap(
    fs.readDirectory(`${data}/blobs`),
    Effect.forEach((name) => Effect.map(fs.stat(`${data}/blobs/${name}`), ({ size }) => Number(size)))
  )
  return { url, sizes }
})

/** All faults of bytes. */
export const allFaults = ["reset", "truncate", "stall", "slow", "flip", "extra", "lost"] as const

/** The faults that delay or cut off a message. Changed bytes are left out where no checksum detects them, as in ids. */
const interruptions = ["reset", "truncate", "stall", "slow"] as const

/** The responses that the proxy sends itself. */
export const proxyResponses = ["page 503", "throttle 400", "timeout 408"] as const

/** Few attempts, so that many calls fail and transfers have to be resumed. */
export const fewAttempts = RetryPolicy.make({
  attempts: 3,
  base: "10 millis",
  throttleBase: "10 millis",
  cap: "100 millis",
  maxExtraWait: "1 second",
  metered: false
})

interface Scenario {
  readonly seed: number
  readonly size: number
  readonly partSize: number
  /** The average number of bytes between two faults: in the direction with bodies, and in the other one. */
  readonly every: { readonly body: number; readonly head: number }
  readonly timeouts: Partial<Timeouts.Limits>
  readonly policy: RetryPolicy.Policy
}

/** Retries up to 100 times, and passes each error to `onError`. */
const untilDone = <A, E, R>(attempt: Effect.Effect<A, E, R>, onError: (error: E) => Effect.Effect<unknown>) =>
  Effect.retry(Effect.tapError(attempt, onError), Schedule.recurs(100))

/**
 * Uploads a file, downloads it to a file and as a Stream, and resumes each transfer until it succeeds. Expects that all errors
 * are those of this package, that the bytes are right, and that the vault has one archive and no other bytes. Returns the
 * numbers of injected faults.
 */
export const roundTrip = ({ every, partSize, policy, seed, size, timeouts }: Scenario, url: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    yield* write(`${folder}/file`, size)
    const treeHash = yield* treeHashOf(`${folder}/file`)
    const name = `vault-${seed}`
    const direct = yield* Layer.build(client(url, ca))
    const vault = yield* Effect.provide(Vault.make(name), direct)
    yield* vault.create
    const faultCounts = new Map<string, number>()
    /** Aborts the uploads whose ids were lost with the responses to opening them. Expects that they have no parts. */
    const abortUnknown = Effect.orDie(Stream.runForEach(vault.uploads, ({ uploadId }) =>
      Effect.gen(function*() {
        const parts = Pages.parts({ vaultName: name, uploadId }).pipe(Stream.runCollect, Effect.provide(direct))
        expect(yield* parts).toEqual(Chunk.empty())
        yield* vault.abortUpload(uploadId)
      })))
    /** Over TLS the proxy cannot respond, because it has no keys. */
    const responses = url.startsWith("https:") ? [] : proxyResponses

    /** Runs a transfer through the proxy, and expects that no connection stays open. */
    const throughProxy = <A, E, R>(
      faults: Pick<Proxy.Options, "up" | "down">,
      use: (vault: Vault.Service) => Effect.Effect<A, E, R>
    ) =>
      Effect.gen(function*() {
        const proxy = yield* Proxy.make(Number(new URL(url).port), { seed, ...faults })
        const value = yield* Effect.flatMap(Vault.make(name), use).pipe(
          Effect.provide(client(url.replace(/\d+$/, String(proxy.port)), ca)),
          Effect.provideService(Timeouts.Timeouts, Timeouts.make(timeouts)),
          Effect.provideService(RetryPolicy.RetryPolicy, policy)
        )
        yield* Effect.timeout(until(proxy.open, (open) => open === 0), "10 seconds")
        for (const [fault, count] of proxy.counts) faultCounts.set(fault, (faultCounts.get(fault) ?? 0) + count)
        return value
      }).pipe(Effect.scoped)

    const uploaded = yield* throughProxy(
      {
        up: { every: every.body, kinds: [...allFaults, ...responses] },
        down: { every: every.head, kinds: interruptions }
      },
      (proxied) => {
        let kept: string | undefined
        return untilDone(
          Effect.suspend(() =>
            kept === undefined
              ? proxied.upload(Source.file(`${folder}/file`), { partSize, onFailure: "keep" })
              : proxied.resumeUpload(kept, Source.file(`${folder}/file`))
          ),
          Effect.fnUntraced(function*(error) {
            const isKept = error._tag === "UploadKept"
            const cause = isKept ? error.cause : error
            expect(GlacierError.isGlacierError(cause)).toBe(true)
            if (isKept) kept = error.uploadId
            if (kept === undefined) yield* abortUnknown
          })
        )
      }
    )
    expect(uploaded).toMatchObject({ size, treeHash, parts: Math.ceil(size / partSize) })
    yield* abortUnknown

    const { id } = yield* vault.retrieveArchive(uploaded.archiveId)
    const options = { windowSize: partSize }
    yield* throughProxy(
      {
        up: { every: every.head, kinds: [...interruptions, ...responses] },
        down: { every: every.body, kinds: allFaults }
      },
      () =>
        Effect.gen(function*() {
          const job = yield* Job.attach({ vaultName: name }, id)
          const onError = (error: unknown) => Effect.sync(() => expect(GlacierError.isGlacierError(error)).toBe(true))
          yield* untilDone(job.outputToFile(`${folder}/back`, { ...options, onFailure: "keep" }), onError)
          expect(yield* treeHashOf(`${folder}/back`)).toBe(treeHash)
          expect((yield* fs.readDirectory(folder)).sort()).toEqual(["back", "file"])

          const { digest, size: received, update } = makeTreeHash()
          yield* untilDone(
            Effect.suspend(() =>
              Stream.runForEach(
                job.output({ ...options, from: received() }),
                (bytes) => Effect.sync(() => update(bytes))
              )
            ),
            onError
          )
          expect(received()).toBe(size)
          expect(digest()).toBe(treeHash)
        })
    )

    const inventory = yield* Effect.flatMap(vault.retrieveInventory(), ({ inventory }) => inventory)
    const archives = Array.from(yield* Stream.runCollect(inventory.archives()))
    expect(archives).toMatchObject([{ archiveId: uploaded.archiveId, size, treeHash }])
    return faultCounts
  }).pipe(Effect.scoped)

/**
 * The MiB of the large archive and between the faults in its bodies, the faults that it meets at least in each direction, and
 * the seeds of small archives.
 */
export const { every, faults, large, seeds } = isFull
  ? { large: 1024, every: 64, faults: 5, seeds: 12 }
  : { large: 64, every: 8, faults: 1, seeds: 3 }
