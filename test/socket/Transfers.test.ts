/** Archives over a line that is not to be relied on, to an emulator in a process of its own and back. */
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Array as Arr, Chunk, Duration, Effect, Layer, Schedule, Stream } from "effect"
import { createHash } from "node:crypto"
import { GlacierError, Job, RetryPolicy, Source, Timeouts, Vault } from "../../src/index.ts"
import { isFull } from "../support/full.ts"
import { ca, cert, key } from "../support/tlsServer.ts"
import * as Proxy from "./proxy.ts"
import { client, mebibyte, runEmulator, until } from "./support.ts"

const sha256 = (...pieces: ReadonlyArray<Uint8Array>) => {
  const hash = createHash("sha256")
  for (const piece of pieces) hash.update(piece)
  return hash.digest()
}

/** The tree hash of bytes that come piece by piece, written down from its definition, and their number. */
const witness = () => {
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
    const { digest, update } = witness()
    yield* Stream.runForEach(fs.stream(path, { chunkSize: mebibyte }), (bytes) => Effect.sync(() => update(bytes)))
    return digest()
  })

/** A file of which every MiB begins otherwise: what is missing or in the wrong place is seen. */
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

/** An emulator that keeps its data in a folder: its URL, and the sizes of the files it has for archives and parts. */
const emulator = Effect.fnUntraced(function*(...options: ReadonlyArray<string>) {
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

/** The harm that bytes may come to. */
const anyHarm = ["reset", "truncate", "stall", "slow", "flip", "extra", "lost"] as const

/** The harm that ends a message or keeps it back, but does not change it: an id that is changed has no checksum. */
const breaks = ["reset", "truncate", "stall", "slow"] as const

const answers = ["page 503", "throttle 400", "timeout 408"] as const

/** Gives up soon, so that much has to be resumed. */
const impatient = RetryPolicy.make({
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
  /** Bytes between two faults, on average: where there are bodies, and where there are only heads. */
  readonly every: { readonly body: number; readonly head: number }
  readonly timeouts: Partial<Timeouts.Limits>
  readonly policy: RetryPolicy.Policy
}

/** Tries again and again, as one who has all the time in the world; what it failed with before. */
const untilDone = <A, E, R>(attempt: Effect.Effect<A, E, R>, seen: (error: E) => Effect.Effect<unknown>) =>
  Effect.retry(Effect.tapError(attempt, seen), Schedule.recurs(100))

/**
 * Uploads a file, and downloads it to a file and as a Stream, resumed as often as it takes. All errors on the way are of
 * this package; in the end the bytes are right, and the vault holds that archive and nothing else.
 */
const thereAndBack = ({ every, partSize, policy, seed, size, timeouts }: Scenario, url: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    yield* write(`${folder}/file`, size)
    const treeHash = yield* treeHashOf(`${folder}/file`)
    const name = `vault-${seed}`
    const vault = yield* Effect.provide(Vault.make(name), yield* Layer.build(client(url, ca)))
    yield* vault.create
    const happened = new Map<string, number>()
    /** The line does not know the keys of TLS: it cannot answer in the place of the service. */
    const inPlace = url.startsWith("https:") ? [] : answers

    /** Runs what goes over the harmful line; afterwards no connection is left. */
    const harmed = <A, E, R>(
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
        for (const [what, count] of proxy.happened) happened.set(what, (happened.get(what) ?? 0) + count)
        return value
      }).pipe(Effect.scoped)

    const uploaded = yield* harmed(
      {
        up: { every: every.body, kinds: [...anyHarm, ...inPlace] },
        down: { every: every.head, kinds: breaks }
      },
      (harmed) => {
        let kept: string | undefined
        return untilDone(
          Effect.suspend(() =>
            kept === undefined
              ? harmed.upload(Source.file(`${folder}/file`), { partSize, onFailure: "keep" })
              : harmed.resumeUpload(kept, Source.file(`${folder}/file`))
          ),
          Effect.fnUntraced(function*(error) {
            const isKept = error._tag === "UploadKept"
            const cause = isKept ? error.cause : error
            expect(GlacierError.isGlacierError(cause)).toBe(true)
            if (isKept) kept = error.uploadId
            if (kept !== undefined) return
            const open = yield* Effect.orDie(Stream.runCollect(vault.uploads))
            // Only where it says so may there be one that nobody knows of.
            if (cause._tag !== "OutcomeUnknown") expect(Chunk.size(open)).toBe(0)
            yield* Effect.orDie(Effect.forEach(open, ({ uploadId }) => vault.abortUpload(uploadId)))
          })
        )
      }
    )
    expect(uploaded).toMatchObject({ size, treeHash, parts: Math.ceil(size / partSize) })
    expect(yield* Stream.runCollect(vault.uploads)).toEqual(Chunk.empty())

    const { id } = yield* vault.retrieveArchive(uploaded.archiveId)
    const options = { windowSize: partSize }
    yield* harmed(
      {
        up: { every: every.head, kinds: [...breaks, ...inPlace] },
        down: { every: every.body, kinds: anyHarm }
      },
      () =>
        Effect.gen(function*() {
          const job = yield* Job.attach({ vaultName: name }, id)
          const seen = (error: unknown) => Effect.sync(() => expect(GlacierError.isGlacierError(error)).toBe(true))
          yield* untilDone(job.outputToFile(`${folder}/back`, { ...options, onFailure: "keep" }), seen)
          expect(yield* treeHashOf(`${folder}/back`)).toBe(treeHash)
          expect((yield* fs.readDirectory(folder)).sort()).toEqual(["back", "file"])

          const { digest, size: passed, update } = witness()
          yield* untilDone(
            Effect.suspend(() =>
              Stream.runForEach(job.output({ ...options, from: passed() }), (bytes) => Effect.sync(() => update(bytes)))
            ),
            seen
          )
          expect(passed()).toBe(size)
          expect(digest()).toBe(treeHash)
        })
    )

    const inventory = yield* Effect.flatMap(vault.retrieveInventory(), ({ inventory }) => inventory)
    const archives = Array.from(yield* Stream.runCollect(inventory.archives()))
    expect(archives).toMatchObject([{ archiveId: uploaded.archiveId, size, treeHash }])
    return happened
  }).pipe(Effect.scoped)

/** The MiB of the large archive, the faults that it meets at least in each direction, and the seeds of small archives. */
const { faults, large, seeds } = isFull ? { large: 1024, faults: 5, seeds: 12 } : { large: 128, faults: 1, seeds: 3 }

describe("over a line that resets, truncates, stalls, slows down, and changes bytes both ways [I2]", () => {
  it.scopedLive(
    `${large} MiB arrive unchanged there and back, and nothing is left behind [I2]`,
    () =>
      Effect.gen(function*() {
        const { sizes, url } = yield* emulator()
        const happened = yield* thereAndBack({
          seed: 1,
          size: large * mebibyte,
          partSize: 4 * mebibyte,
          every: { body: 64 * mebibyte, head: 32_768 },
          timeouts: { response: Duration.seconds(4), upload: Duration.seconds(8), idle: Duration.seconds(2) },
          policy: RetryPolicy.patient
        }, url)
        for (const way of ["up", "down"]) {
          const counts = [...happened].filter(([what]) => what.startsWith(way)).map(([, count]) => count)
          expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(faults)
        }
        // Of parts that came twice one is kept; and the inventory is a file too.
        expect((yield* sizes).filter((size) => size >= mebibyte)).toEqual(Arr.replicate(4 * mebibyte, large / 4))
        expect(yield* sizes).toHaveLength(large / 4 + 1)
      }).pipe(Effect.provide(NodeContext.layer)),
    600_000
  )

  it.scopedLive(
    "small archives are right there and back, though hardly a part comes through [I2]",
    () =>
      Effect.gen(function*() {
        const { url } = yield* emulator()
        const happened = new Set<string>()
        for (const seed of Arr.range(1, seeds)) {
          const faults = yield* thereAndBack({
            seed,
            size: 6 * mebibyte + 12_345,
            partSize: mebibyte,
            every: { body: 2 * mebibyte, head: 3000 },
            timeouts: { response: Duration.millis(500), upload: Duration.seconds(1), idle: Duration.millis(300) },
            policy: impatient
          }, url).pipe(Effect.tapErrorCause(() => Effect.logError(`Seed ${seed}`)))
          for (const what of faults.keys()) happened.add(what.replace(/^(up|down) /, ""))
        }
        if (isFull) expect([...happened].sort()).toEqual([...anyHarm, ...answers].sort())
        else expect(happened.size).toBeGreaterThanOrEqual(5)
      }).pipe(Effect.provide(NodeContext.layer)),
    300_000
  )

  it.scopedLive(
    "over TLS harm costs connections, and never a byte [I2]",
    () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        yield* fs.writeFileString(`${folder}/cert.pem`, cert)
        yield* fs.writeFileString(`${folder}/key.pem`, key)
        const { url } = yield* emulator("--tls-cert", `${folder}/cert.pem`, "--tls-key", `${folder}/key.pem`)
        const happened = new Set<string>()
        for (const seed of isFull ? [1, 2] : [1]) {
          const faults = yield* thereAndBack({
            seed,
            size: 6 * mebibyte + 12_345,
            partSize: mebibyte,
            every: { body: 2 * mebibyte, head: 6000 },
            timeouts: { response: Duration.seconds(1), upload: Duration.seconds(2), idle: Duration.millis(500) },
            policy: impatient
          }, url).pipe(Effect.tapErrorCause(() => Effect.logError(`Seed ${seed}`)))
          for (const what of faults.keys()) happened.add(what.replace(/^(up|down) /, ""))
        }
        if (isFull) expect([...happened].sort()).toEqual([...anyHarm].sort())
        else expect(happened.size).toBeGreaterThanOrEqual(3)
      }).pipe(Effect.provide(NodeContext.layer)),
    300_000
  )
})
