import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { createHash } from "node:crypto"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import type * as Emulator from "../../src/emulator/Emulator.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import { ArchiveId } from "../../src/protocol/Names.ts"
import * as TreeHash from "../../src/protocol/TreeHash.ts"
import type { Part } from "../../src/protocol/Uploads.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import { Hasher } from "../../src/transport/Hasher.ts"
import * as Support from "./support.ts"

const { address, mebibyte, openUploads, pattern, replacing, same, stored } = Support

const once = (bytes: Uint8Array) =>
  Source.stream(Stream.fromIterable([bytes.subarray(0, 700_000), bytes.subarray(700_000)]))

/** Bytes with a version, and where they were read from, in MiB. */
const versioned = (bytes: Uint8Array) => {
  const read: Array<number> = []
  const state = { bytes, version: "1" }
  const source: Source.Source = {
    size: Effect.sync(() => state.bytes.length),
    version: Effect.sync(() => state.version),
    read: (range) =>
      Effect.sync(() => {
        read.push(range.start / mebibyte)
        return state.bytes.subarray(range.start, range.end + 1)
      })
  }
  return { source, state, read, taken: () => read.splice(0) }
}

/** When a process dies or its line does: with which request, which does not arrive or whose answer does not. */
interface Cut {
  readonly at: number
  readonly ends: "process" | "line"
  readonly loses: "request" | "answer"
}

/**
 * The traffic of a process. `sent` are its requests, as `PUT 2` for the part that begins at the third MiB; `twice` the
 * parts that were sent though the service had them, and this process could know.
 */
const makeTraffic = () => {
  const sent: Array<string> = []
  const twice: Array<string> = []
  const arrived = new Set<string>()
  const acknowledged = new Set<string>()
  let cut: Cut | undefined
  let count = 0
  let died = Deferred.unsafeMake<void>(FiberId.none)
  const change: Support.Change = (send, request) =>
    Effect.suspend(() => {
      count++
      const range = request.headers["content-range"]
      const part = request.method === "PUT" && range !== undefined ? `${request.url} ${range}` : undefined
      const place = range === undefined ? "" : ` ${Number.parseInt(range.slice("bytes ".length)) / mebibyte}`
      sent.push(`${request.method}${place}`)
      if (part !== undefined && acknowledged.has(part)) twice.push(part)
      const arriving = Effect.tap(send, () => Effect.sync(() => part !== undefined && arrived.add(part)))
      const answered = Effect.tap(arriving, () => Effect.sync(() => part !== undefined && acknowledged.add(part)))
      if (cut === undefined || count < cut.at) return answered
      const ends = cut.ends === "line"
        ? Support.lost(request)
        : Effect.zipRight(Deferred.succeed(died, undefined), Effect.never)
      return count === cut.at && cut.loses === "answer" ? Effect.zipRight(arriving, ends) : ends
    })
  return {
    change,
    twice,
    taken: () => sent.splice(0),
    /** Runs an effect until it ends, or the process does. */
    living: <A, E, R>(effect: Effect.Effect<A, E, R>, next?: Cut) =>
      Effect.suspend(() => {
        cut = next
        count = 0
        // The service tells of those whose answers were lost, too.
        for (const part of arrived) acknowledged.add(part)
        died = Deferred.unsafeMake(FiberId.none)
        return Effect.raceFirst(Effect.asSome(effect), Effect.as(Deferred.await(died), Option.none()))
      }).pipe(Effect.ensuring(Effect.sync(() => {
        cut = undefined
      })))
  }
}

/** Runs with that traffic, and a checkpoint in memory. */
const inTraffic =
  (traffic: { readonly change: Support.Change }, options?: Emulator.Options) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      Effect.provideService(RetryPolicy.RetryPolicy, Support.promptly(1)),
      Effect.provide(Layer.merge(Support.layer(traffic.change, options), Checkpoint.layerMemory))
    )

const name = "holiday"

const upload = <E, R>(source: Source.Source<E, R> | Source.Once<E, R>, options: Upload.ResumableOptions = {}) =>
  Upload.resumable(address, name, source, { partSize: mebibyte, concurrency: 1, ...options })

/** What the checkpoint says, an entry a line. */
const recorded = Effect.scoped(Effect.gen(function*() {
  const { entries } = yield* (yield* Checkpoint.Checkpoint).open(name)
  return Chunk.toReadonlyArray(yield* Stream.runCollect(entries))
}))

const parts = (entries: ReadonlyArray<string>) =>
  entries.flatMap((entry) =>
    Array.from(entry.matchAll(/"Part","start":(\d+)/g), ([, start]) => Number(start) / mebibyte)
  )

const archives = Effect.flatMap(
  GlacierClient,
  (glacier) =>
    Effect.map(glacier.describeVault(address), ({ numberOfArchives }) => Option.getOrUndefined(numberOfArchives))
)

const bytes = pattern(4.5 * mebibyte)

/** The parts after the third are not acknowledged. */
const afterThree: Cut = { at: 5, ends: "process", loses: "request" }

describe("Upload.resumable", () => {
  it.effect.prop(
    "cut off at any points and run again makes one archive, and sends no acknowledged part twice",
    [
      FastCheck.integer({ min: 1, max: 4 * mebibyte }),
      FastCheck.array(
        FastCheck.record<Cut>({
          at: FastCheck.integer({ min: 1, max: 8 }),
          ends: FastCheck.constantFrom("process", "line"),
          loses: FastCheck.constantFrom("request", "answer")
        }),
        { maxLength: 4 }
      ),
      FastCheck.integer({ min: 1, max: 3 }),
      FastCheck.constantFrom("versioned", "bytes", "stream")
    ],
    ([size, cuts, concurrency, kind]) => {
      const traffic = makeTraffic()
      return Effect.gen(function*() {
        const all = pattern(size)
        const { source, taken } = versioned(all)
        const run = upload(kind === "versioned" ? source : kind === "bytes" ? Source.bytes(all) : once(all), {
          concurrency,
          description: "cut"
        })
        let archive = Option.none<Upload.UploadedArchive>()
        for (const cut of [...cuts, undefined]) {
          const before = parts(yield* recorded)
          archive = yield* Effect.catchAll(
            traffic.living(run, cut),
            (error) => cut === undefined ? Effect.die(error) : Effect.succeedNone
          )
          expect(taken().filter((part) => before.includes(part))).toEqual([])
          if (Option.isSome(archive)) break
        }
        const { archiveId, ...rest } = Option.getOrThrow(archive)
        expect(rest).toMatchObject({ size, parts: Math.ceil(size / mebibyte), treeHash: Support.treeHash(all) })
        const back = yield* stored(archiveId)
        expect(back.description).toEqual(Option.some("cut"))
        expect(same(back.bytes, all)).toBe(true)
        expect(yield* archives).toBe(1)
        expect(yield* openUploads).toEqual([])
        expect(yield* recorded).toEqual([])
        expect(traffic.twice).toEqual([])
      }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
    },
    { fastCheck: { numRuns: 15 }, timeout: 120_000 }
  )

  it.effect("reads, hashes and sends only what is missing, where the source has not changed", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const { source, taken } = versioned(bytes)
      expect(yield* traffic.living(upload(source), afterThree)).toEqual(Option.none())
      expect(taken()).toEqual([0, 1, 2, 3])
      expect(traffic.taken()).toEqual(["POST", "PUT 0", "PUT 1", "PUT 2", "PUT 3"])
      const told: Array<number> = []
      const archive = yield* upload(source, {
        onProgress: ({ bytes }) => Effect.sync(() => void told.push(bytes / mebibyte))
      })
      expect(taken()).toEqual([3, 4])
      expect(traffic.taken()).toEqual(["GET", "PUT 3", "PUT 4", "POST"])
      expect(told).toEqual([1, 2, 3, 4, 4.5])
      expect(same((yield* stored(archive.archiveId)).bytes, bytes)).toBe(true)
    }).pipe(inTraffic(traffic))
  })

  it.effect.each(
    [
      ["bytes without a version", Source.bytes(bytes)],
      ["a stream", once(bytes)]
    ] as const
  )("sends only what is missing of %s", ([, source]) => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      yield* traffic.living(upload(source), afterThree)
      traffic.taken()
      const archive = yield* upload(source)
      expect(traffic.taken()).toEqual(["GET", "PUT 3", "PUT 4", "POST"])
      expect(same((yield* stored(archive.archiveId)).bytes, bytes)).toBe(true)
    }).pipe(inTraffic(traffic))
  })

  it.effect("sends what is different of a source whose changes cannot be seen", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      yield* traffic.living(upload(Source.bytes(bytes)), afterThree)
      traffic.taken()
      const changed = pattern(bytes.length).fill(9, mebibyte, 2 * mebibyte)
      const archive = yield* upload(Source.bytes(changed))
      expect(traffic.taken()).toEqual(["GET", "PUT 1", "PUT 3", "PUT 4", "POST"])
      expect(same((yield* stored(archive.archiveId)).bytes, changed)).toBe(true)
    }).pipe(inTraffic(traffic))
  })

  it.effect("does not take the parts of a stream for those of the file that it was before", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const { source, taken } = versioned(bytes)
      yield* traffic.living(upload(source), afterThree)
      const other = pattern(bytes.length).fill(9, 0, 2 * mebibyte)
      yield* traffic.living(upload(once(other)), afterThree)
      taken()
      const archive = yield* upload(source)
      expect(taken()).toEqual([0, 1, 2, 3, 4])
      expect(same((yield* stored(archive.archiveId)).bytes, bytes)).toBe(true)
    }).pipe(inTraffic(traffic))
  })

  it.effect("gives the archive even if the checkpoint cannot be cleared", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const { open } = yield* Checkpoint.Checkpoint
      const stuck = new Checkpoint.CheckpointError({ name, problem: "cannot be removed" })
      const { archiveId } = yield* Effect.provideService(upload(Source.bytes(bytes)), Checkpoint.Checkpoint, {
        open: (name) => Effect.map(open(name), (log) => ({ ...log, clear: Effect.fail(stuck) }))
      })
      expect(yield* upload(Source.bytes(bytes))).toMatchObject({ archiveId })
      expect(yield* archives).toBe(1)
      expect(yield* recorded).toEqual([])
    }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
  })

  it.effect("sends again what the service has lost or has differently", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const { source, taken } = versioned(bytes)
      yield* traffic.living(upload(source), afterThree)
      taken()
      traffic.taken()
      const archive = yield* upload(source).pipe(replacing((glacier) => ({
        listParts: (input) =>
          Effect.map(glacier.listParts(input), (page) => ({
            ...page,
            parts: page.parts.filter((_, index) => index !== 0).map(({ range, treeHash }) => ({
              range,
              treeHash: range.start === 2 * mebibyte ? Support.treeHash(pattern(1)) : treeHash
            }))
          }))
      })))
      expect(taken()).toEqual([0, 2, 3, 4])
      expect(traffic.taken()).toEqual(["GET", "PUT 0", "PUT 2", "PUT 3", "PUT 4", "POST"])
      expect(same((yield* stored(archive.archiveId)).bytes, bytes)).toBe(true)
    }).pipe(inTraffic(traffic))
  })

  it.effect("I4: of 10,000 parts that are there asks for the list, and neither reads nor sends one", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const part = pattern(mebibyte)
      const treeHash = Support.treeHash(part)
      let read = 0
      const source: Source.Source = {
        size: Effect.succeed(10_000 * mebibyte),
        version: Effect.succeed("1"),
        read: () => Effect.sync(() => (read++, part))
      }
      /** A service that has what it is sent, or does not do it. */
      const parts = new Map<number, Part>()
      const calls = { listParts: 0, uploadMultipartPart: 0, completeMultipartUpload: 0 }
      const service = (isOpen: boolean) =>
        replacing((glacier) => ({
          uploadMultipartPart: ({ range }) =>
            Effect.sync(() => {
              calls.uploadMultipartPart++
              parts.set(range.start, { range, treeHash })
              return { treeHash: Option.none() }
            }),
          listParts: (input) =>
            Effect.map(glacier.listParts({ ...input, marker: undefined }), (page) => {
              calls.listParts++
              const first = Number(input.marker ?? 0)
              return {
                ...page,
                marker: first + 50 < parts.size ? Option.some(String(first + 50)) : Option.none(),
                parts: Array.from(parts.values()).slice(first, first + 50)
              }
            }),
          completeMultipartUpload: () => {
            calls.completeMultipartUpload++
            return isOpen
              ? Effect.succeed({ archiveId: ArchiveId.make("a"), location: Option.none(), treeHash: Option.none() })
              : Effect.never
          }
        }))
      // Bytes that are all the same are hashed once.
      const hashes = yield* (yield* Hasher).hashes(part)
      const first = yield* upload(source).pipe(
        service(false),
        Effect.provideService(Hasher, { ...(yield* Hasher), hashes: () => Effect.succeed(hashes) }),
        Effect.fork
      )
      while (calls.completeMultipartUpload === 0) yield* TestClock.adjust(0)
      yield* Fiber.interrupt(first)
      expect([read, calls.uploadMultipartPart]).toEqual([10_000, 10_000])

      const archive = yield* upload(source).pipe(service(true))
      expect(archive.treeHash).toBe(
        TreeHash.combine(() => createHash("sha256"), Array.from(parts.values(), () => treeHash))
      )
      expect(read).toBe(10_000)
      expect(calls).toEqual({ listParts: 200, uploadMultipartPart: 10_000, completeMultipartUpload: 2 })
    }).pipe(inTraffic(traffic))
  }, 120_000)

  describe("with a source that has changed", () => {
    it.effect.each(
      [
        ["another version", { version: "2", bytes }],
        ["another size", { version: "1", bytes: bytes.subarray(1) }]
      ] as const
    )("fails before anything is sent, and goes on when it is what it was: %s", ([, change]) => {
      const traffic = makeTraffic()
      return Effect.gen(function*() {
        const { source, state, taken } = versioned(bytes)
        yield* traffic.living(upload(source), afterThree)
        taken()
        traffic.taken()
        const [{ uploadId } = { uploadId: "" }] = yield* openUploads
        traffic.taken()
        const was = { ...state }
        Object.assign(state, change)
        const error = yield* Effect.flip(upload(source))
        expect(error).toMatchObject({ _tag: "SourceChanged" })
        expect(error.message).toContain(uploadId)
        expect(error.message).toContain("clear checkpoint \"holiday\"")
        expect([taken(), traffic.taken()]).toEqual([[], []])
        Object.assign(state, was)
        yield* upload(source)
        expect(taken()).toEqual([3, 4])
      }).pipe(inTraffic(traffic))
    })

    it.effect("makes no archive of it when that happens on the way", () => {
      const traffic = makeTraffic()
      return Effect.gen(function*() {
        const { source, state } = versioned(bytes)
        yield* traffic.living(upload(source), afterThree)
        const changing = replacing((glacier) => ({
          listParts: (input) =>
            Effect.tap(glacier.listParts(input), () =>
              Effect.sync(() => {
                state.version = "2"
                state.bytes = pattern(bytes.length).fill(9)
              }))
        }))
        const error = yield* Effect.flip(changing(upload(source)))
        expect(error).toMatchObject({ _tag: "UploadKept", cause: { _tag: "SourceChanged" } })
        expect(yield* archives).toBe(0)
        expect(yield* Effect.flip(upload(source))).toMatchObject({ _tag: "SourceChanged" })
        yield* Checkpoint.clear(name)
        const { archiveId } = yield* upload(source)
        expect(same((yield* stored(archiveId)).bytes, state.bytes)).toBe(true)
      }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
    })
  })

  it.effect("refuses to go on with another vault, description or part size, and sends nothing", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const source = Source.bytes(bytes)
      yield* traffic.living(upload(source, { description: "one" }), afterThree)
      traffic.taken()
      const refusals = [
        ["vaultName", Upload.resumable({ vaultName: "music" }, name, source, { description: "one" })],
        [
          "accountId",
          Upload.resumable({ ...address, accountId: "123456789012" }, name, source, { description: "one" })
        ],
        ["description", upload(source)],
        ["partSize", upload(source, { description: "one", partSize: 2 * mebibyte })]
      ] as const
      for (const [field, refused] of refusals) {
        const error = yield* Effect.flip(refused)
        expect(error).toMatchObject({ _tag: "InvalidInput", field })
        expect(error.message).toContain("checkpoint \"holiday\"")
      }
      expect(traffic.taken()).toEqual([])
      // The part size that is left out is that of the upload.
      yield* Upload.resumable(address, name, source, { description: "one", partSize: undefined })
      expect(traffic.taken()).toContain("PUT 4")
    }).pipe(inTraffic(traffic))
  })

  describe("when its upload is not open any more", () => {
    const gone = {
      "was aborted": Effect.gen(function*() {
        const [upload] = yield* openUploads
        const glacier = yield* GlacierClient
        yield* glacier.abortMultipartUpload({ ...address, uploadId: upload?.uploadId ?? "" })
      }),
      "has expired": TestClock.adjust("2 days")
    }
    it.effect.each(Object.entries(gone))("begins anew: it %s", ([, ends]) => {
      const traffic = makeTraffic()
      return Effect.gen(function*() {
        const { source, taken } = versioned(bytes)
        yield* traffic.living(upload(source), afterThree)
        yield* ends
        taken()
        const { archiveId } = yield* upload(source)
        expect(taken()).toEqual([0, 1, 2, 3, 4])
        expect(same((yield* stored(archiveId)).bytes, bytes)).toBe(true)
        expect(yield* openUploads).toEqual([])
      }).pipe(inTraffic(traffic))
    })

    /** All parts are there, and the service completes the upload; nobody hears of it. */
    const completed: Cut = { at: 7, ends: "process", loses: "answer" }

    it.effect("gives the archive that was completed a short while ago, and neither reads nor sends", () => {
      const traffic = makeTraffic()
      return Effect.gen(function*() {
        const { source, taken } = versioned(bytes)
        yield* traffic.living(upload(source), completed)
        taken()
        traffic.taken()
        const { archiveId } = yield* upload(source)
        expect(taken()).toEqual([])
        expect(traffic.taken()).toEqual(["GET", "POST"])
        expect(same((yield* stored(archiveId)).bytes, bytes)).toBe(true)
        expect(yield* archives).toBe(1)
      }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
    })

    it.effect("does not make a second archive when nobody knows whether there is one", () => {
      const traffic = makeTraffic()
      return Effect.gen(function*() {
        yield* traffic.living(upload(Source.bytes(bytes)), completed)
        yield* TestClock.adjust("2 days")
        for (let n = 0; n < 2; n++) {
          const error = yield* Effect.flip(upload(Source.bytes(bytes)))
          expect(error).toMatchObject({ _tag: "OutcomeUnknown", operation: "CompleteMultipartUpload" })
          expect(error.message).toContain("clear checkpoint \"holiday\"")
        }
        expect(yield* archives).toBe(1)
        yield* Checkpoint.clear(name)
        yield* upload(Source.bytes(bytes))
        expect(yield* archives).toBe(2)
      }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
    })
  })

  describe("when it does not know what it opened", () => {
    const opening: Cut = { at: 1, ends: "process", loses: "answer" }

    it.effect("goes on with the upload that was opened", () => {
      const traffic = makeTraffic()
      return Effect.gen(function*() {
        yield* traffic.living(upload(Source.bytes(bytes), { description: " mine " }), opening)
        traffic.taken()
        yield* upload(Source.bytes(bytes), { description: " mine " })
        expect(traffic.taken()).toEqual(["GET", "GET", "PUT 0", "PUT 1", "PUT 2", "PUT 3", "PUT 4", "POST"])
        expect(yield* openUploads).toEqual([])
      }).pipe(inTraffic(traffic))
    })

    it.effect("touches none that may be another's", () => {
      const traffic = makeTraffic()
      return Effect.gen(function*() {
        const glacier = yield* GlacierClient
        const open = (description: string, partSize = mebibyte) =>
          Effect.map(
            glacier.initiateMultipartUpload({ ...address, description, partSize }),
            ({ uploadId }) => uploadId
          )
        const older = yield* open("mine")
        yield* TestClock.adjust("2 minutes")
        yield* traffic.living(upload(Source.bytes(bytes), { description: "mine" }), { ...opening, loses: "request" })
        const others = [older, yield* open("other"), yield* open("mine", 2 * mebibyte)]
        const busy = yield* open("mine")
        yield* (yield* Support.sendingParts(busy))(bytes, 0)
        yield* TestClock.adjust("16 minutes")
        const later = yield* open("mine")
        yield* upload(Source.bytes(bytes), { description: "mine" })
        const left = (yield* openUploads).map(({ uploadId }) => uploadId)
        expect(new Set(left)).toEqual(new Set([...others, busy, later]))
      }).pipe(inTraffic(traffic))
    })

    it.effect("opens another when it could be one of several", () => {
      const traffic = makeTraffic()
      return Effect.gen(function*() {
        yield* traffic.living(upload(Source.bytes(bytes)), opening)
        yield* (yield* GlacierClient).initiateMultipartUpload({ ...address, partSize: mebibyte })
        yield* upload(Source.bytes(bytes))
        expect(yield* openUploads).toHaveLength(2)
      }).pipe(inTraffic(traffic))
    })

    it.effect("has nothing to lose: another description, or a source that has changed, is taken", () => {
      const traffic = makeTraffic()
      return Effect.gen(function*() {
        const { source, state } = versioned(bytes)
        yield* traffic.living(upload(source), { ...opening, loses: "request" })
        state.version = "2"
        const { archiveId } = yield* upload(source, { description: "another" })
        expect((yield* stored(archiveId)).description).toEqual(Option.some("another"))
      }).pipe(inTraffic(traffic))
    })
  })

  it.effect("is kept when it fails, and says by which id", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const error = yield* Effect.flip(traffic.living(upload(Source.bytes(bytes)), { ...afterThree, ends: "line" }))
      const [opened] = yield* openUploads
      expect(error).toMatchObject({
        _tag: "UploadKept",
        uploadId: opened?.uploadId,
        cause: { _tag: "ConnectionError" }
      })
      const failing = upload(Source.stream(Stream.fail("broken off" as const)))
      expect(yield* Effect.flip(failing)).toMatchObject({ _tag: "UploadKept", cause: "broken off" })
      expect(parts(yield* recorded)).toEqual([0, 1, 2])
    }).pipe(inTraffic(traffic))
  })

  it.effect("ends when what it has done cannot be recorded, and goes on when it can", () => {
    const traffic = makeTraffic()
    let left = 3
    return Effect.gen(function*() {
      const { open } = yield* Checkpoint.Checkpoint
      const full = new Checkpoint.CheckpointError({ name, problem: "no space left" })
      const filling: Checkpoint.Service = {
        open: (name) =>
          Effect.map(open(name), (log) => ({
            ...log,
            append: (entry) => Effect.suspend(() => left-- > 0 ? log.append(entry) : Effect.fail(full))
          }))
      }
      const error = yield* upload(Source.bytes(bytes)).pipe(
        Effect.provideService(Checkpoint.Checkpoint, filling),
        Effect.flip
      )
      expect(error).toMatchObject({ _tag: "UploadKept", cause: full })
      expect(parts(yield* recorded)).toEqual([0])
      yield* upload(Source.bytes(bytes))
      expect(traffic.twice).toEqual([])
      expect(yield* openUploads).toEqual([])
    }).pipe(inTraffic(traffic))
  })

  it.effect("is the only one at work with its checkpoint", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      const both = yield* Effect.all([Effect.exit(upload(once(bytes))), Effect.exit(upload(once(bytes)))], {
        concurrency: 2
      })
      expect(both.map(({ _tag }) => _tag)).toEqual(["Success", "Failure"])
      expect(both[1]).toEqual(Exit.fail(new Checkpoint.CheckpointInUse({ name, owner: "this process" })))
      expect(yield* archives).toBe(1)
    }).pipe(inTraffic(traffic, { inventoryDelay: 0 }))
  })

  it.effect("leaves the checkpoint of other work alone", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const log = yield* (yield* Checkpoint.Checkpoint).open(name)
        yield* log.append("other work")
      }))
      const error = yield* Effect.flip(upload(Source.bytes(bytes)))
      expect(error).toMatchObject({ _tag: "CheckpointError", name, problem: "is not of an upload" })
      expect(yield* recorded).toEqual(["other work"])
      expect(traffic.taken()).toEqual([])
    }).pipe(inTraffic(traffic))
  })

  it.effect("records nothing of what is refused before anything is opened", () => {
    const traffic = makeTraffic()
    return Effect.gen(function*() {
      for (
        const [source, options] of [[new Uint8Array(0), {}], [bytes, { partSize: 7 }], [bytes, {
          description: "\n"
        }]] as const
      ) {
        expect(yield* Effect.flip(upload(Source.bytes(source), options))).toMatchObject({ _tag: "InvalidInput" })
      }
      expect(yield* Effect.flip(upload(once(new Uint8Array(0))))).toMatchObject({ _tag: "InvalidInput" })
      expect([yield* recorded, traffic.taken()]).toEqual([[], []])
    }).pipe(inTraffic(traffic))
  })
})
