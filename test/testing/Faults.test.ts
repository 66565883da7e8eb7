import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Pages from "../../src/client/Pages.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Job from "../../src/services/Job.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"
import * as Faults from "../../src/testing/Faults.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Upload from "../../src/transfer/Upload.ts"
import { address, mebibyte, treeHash } from "../transfer/support.ts"
import { bytes, changes, failures, right, roundTrip, withFault, withFaults } from "./faultCases.ts"

describe("Faults", () => {
  it.live("injects nothing by default", () =>
    Effect.gen(function*() {
      expect(yield* roundTrip).toMatchObject(right)
      expect(yield* (yield* Faults.Faults).injected).toEqual([])
    }).pipe(withFaults({})))

  it.live.each(failures)(
    "makes %s of %s fail with the error of its kind [I2]",
    ([fault, operation, error]) =>
      Effect.gen(function*() {
        expect(yield* Effect.flip(roundTrip)).toMatchObject(error)
        expect(yield* (yield* Faults.Faults).injected).toEqual([{ fault, operation, at: 1 }])
      }).pipe(withFault(fault, operation))
  )

  it.live.each(changes)(
    "makes %s of %s change the result [I2]",
    ([fault, operation, outcome]) =>
      Effect.gen(function*() {
        expect(yield* roundTrip).toMatchObject(outcome)
        expect(yield* (yield* Faults.Faults).counts).toEqual({ [fault]: 1 })
      }).pipe(withFault(fault, operation))
  )

  it.live("returns the same page again and again after RepeatedMarker [I2]", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      const first = yield* glacier.listVaults({})
      const second = yield* glacier.listVaults({ marker: Option.getOrUndefined(first.marker) })
      expect(first.vaults).toHaveLength(1)
      expect(Option.isSome(first.marker)).toBe(true)
      expect(second).toEqual(first)
      expect(yield* (yield* Faults.Faults).counts).toEqual({ RepeatedMarker: 1 })
      // The next list is not affected.
      expect((yield* glacier.listVaults({})).marker).toEqual(Option.none())
    }).pipe(withFault("RepeatedMarker", "ListVaults")))

  it.live("ends a list without an error after EmptyMarker [I2]", () =>
    Effect.gen(function*() {
      const { marker } = yield* (yield* GlacierClient).listVaults({})
      expect(marker).toEqual(Option.some(""))
      expect(yield* Stream.runCount(Pages.vaults())).toBe(1)
    }).pipe(withFaults({ rates: { EmptyMarker: 1 } })))

  it.live("ends a list with an error after RepeatedMarker [I2]", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Stream.runDrain(Pages.vaults()))
      expect(error).toMatchObject({ _tag: "MalformedResponse", operation: "ListVaults" })
    }).pipe(withFault("RepeatedMarker", "ListVaults")))

  it.live("returns a tree hash other than that of the bytes for WrongTreeHash [I2]", () =>
    Effect.gen(function*() {
      const { responseTreeHash, sum } = yield* roundTrip
      expect(sum).toBe("right")
      expect(responseTreeHash).not.toMatchObject({ value: treeHash(bytes.subarray(0, 2 * mebibyte)) })
    }).pipe(withFault("WrongTreeHash", "GetJobOutput")))

  it.live("damages every body after DamagedBodies, so that no retry helps [I2]", () =>
    Effect.gen(function*() {
      const attempts: Array<number> = []
      const error = yield* Effect.flip(roundTrip).pipe(
        RetryPolicy.onRetry(({ attempt }) => Effect.sync(() => void attempts.push(attempt))),
        Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.standard)
      )
      expect(error).toMatchObject({ _tag: "ChecksumMismatch", status: 403 })
      expect(attempts).toEqual([1, 2])
    }).pipe(withFault("DamagedBodies", "UploadMultipartPart", 2)))

  it.live("never draws DamagedBodies with a single rate for all kinds [I2]", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      const hash = treeHash(bytes.subarray(0, 1))
      const upload = glacier.uploadArchive({
        ...address,
        body: bytes.subarray(0, 1),
        contentSha256: hash,
        treeHash: hash
      })
      for (let round = 0; round < 500; round++) yield* Effect.exit(upload)
      const counts = yield* (yield* Faults.Faults).counts
      expect(counts.FlippedBit).toBeGreaterThan(0)
      expect(counts.DamagedBodies).toBeUndefined()
    }).pipe(withFaults({ seed: 1, rates: 0.2 })))

  it.live(
    "causes every error that faults can cause, with scripts of Arbitraries.faultScript [I2]",
    () =>
      Effect.gen(function*() {
        const operations = new Set([
          "InitiateMultipartUpload",
          "UploadMultipartPart",
          "CompleteMultipartUpload",
          "DescribeJob",
          "GetJobOutput"
        ])
        const scripts = FastCheck.sample(Arbitraries.faultScript, { numRuns: 1_000, seed: 1 })
        const steps = new Map(
          scripts.flat().filter(({ at, operation }) => at === 1 && operations.has(operation)).map((step) => [
            `${step.fault} ${step.operation}`,
            step
          ])
        )
        const tags = new Set<string>()
        for (const step of steps.values()) {
          const exit = yield* Effect.exit(roundTrip).pipe(withFaults({ script: [step] }))
          if (Exit.isFailure(exit)) {
            for (const { _tag } of Cause.failures(exit.cause)) tags.add(_tag)
          }
        }
        expect([...tags].sort()).toEqual([
          "AttemptTimeout",
          "ChecksumMismatch",
          "ConnectionError",
          "JobNotFound",
          "RequestTimeout",
          "ServiceUnavailable",
          "Throttling",
          "UnknownServiceError",
          "UploadNotFound"
        ])
      }),
    120_000
  )

  it.live("executes a request whose response is lost [I2]", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      const names = ["LostResponse", "ResetBeforeHeaders", "Failed"]
      for (const vaultName of names) yield* Effect.flip(glacier.createVault({ vaultName }))
      const { vaults } = yield* glacier.listVaults({})
      expect(vaults.map(({ vaultName }) => vaultName)).toEqual(expect.arrayContaining(names))
    }).pipe(withFaults({
      script: (["LostResponse", "ResetBeforeHeaders", "Failed"] as const).map((fault, index) => ({
        fault,
        operation: "CreateVault",
        at: index + 2
      }))
    })))

  it.live("does not execute a request that is lost or rejected [I2]", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      for (const fault of [0, 1, 2]) yield* Effect.flip(Effect.as(roundTrip, fault))
      expect((yield* glacier.listMultipartUploads(address)).uploads).toEqual([])
    }).pipe(withFaults({
      script: (["LostRequest", "Throttled", "Unavailable"] as const).map((fault, index) => ({
        fault,
        operation: "InitiateMultipartUpload",
        at: index + 1
      }))
    })))

  it.live("removes an expired upload from later requests and lists [I2]", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      yield* Effect.flip(roundTrip)
      expect((yield* glacier.listMultipartUploads(address)).uploads).toEqual([])
      const [uploadId] = yield* (yield* Faults.Faults).expired
      expect(yield* Effect.flip(glacier.listParts({ ...address, uploadId: uploadId ?? "" }))).toMatchObject({
        _tag: "UploadNotFound"
      })
    }).pipe(withFault("ExpiredUpload", "UploadMultipartPart", 2)))

  it.live("leaves it to the client to correct a clock that jumps [I2]", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      const before = yield* Clock.currentTimeMillis
      const page = Effect.provideService(
        glacier.listMultipartUploads(address),
        RetryPolicy.RetryPolicy,
        RetryPolicy.standard
      )
      yield* page
      expect(Math.abs((yield* Clock.currentTimeMillis) - before)).toBeGreaterThan(300_000)
      expect(yield* Effect.flip(glacier.listMultipartUploads(address))).toMatchObject({ because: "clock" })
      expect((yield* page).uploads).toEqual([])
    }).pipe(
      Faults.inJumpingTime,
      withFaults({ seed: 5, script: [{ fault: "ClockJump", operation: "ListMultipartUploads", at: 1 }] })
    ))

  it.live("injects the same faults with the same seed or its own script, and others with another seed", () => {
    const run = (options: Faults.Options) =>
      Effect.gen(function*() {
        for (let round = 0; round < 20; round++) yield* Effect.exit(roundTrip)
        const faults = yield* Faults.Faults
        return { injected: yield* faults.injected, at: yield* Clock.currentTimeMillis }
      }).pipe(withFaults(options))
    return Effect.gen(function*() {
      const one = yield* run({ seed: 1, rates: 0.2 })
      expect(one.injected.length).toBeGreaterThan(10)
      expect(yield* run({ seed: 1, rates: 0.2 })).toEqual(one)
      expect(yield* run({ seed: 1, script: one.injected })).toEqual(one)
      expect((yield* run({ seed: 2, rates: 0.2 })).injected).not.toEqual(one.injected)
    })
  })

  it.live("injects each kind at its own rate", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      for (let round = 0; round < 1_000; round++) yield* Effect.exit(glacier.listVaults({}))
      const { Failed = 0, Throttled = 0, ...others } = yield* (yield* Faults.Faults).counts
      expect(Throttled).toBeGreaterThan(250)
      expect(Throttled).toBeLessThan(350)
      expect(Failed).toBeGreaterThan(30)
      expect(Failed).toBeLessThan(80)
      expect(others).toEqual({})
    }).pipe(withFaults({ rates: { Throttled: 0.3, Failed: 0.05 } })))
})

/** Runs an effect in a new folder, with faults in its file system. */
const onDisk =
  (options: Faults.Options) =>
  <A, E>(effect: (folder: string) => Effect.Effect<A, E, FileSystem.FileSystem | Faults.Faults | GlacierClient>) =>
    Effect.gen(function*() {
      const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      return yield* effect(folder).pipe(
        Effect.provide(Faults.layerFileSystem),
        Effect.provide(Faults.layer(options)),
        Effect.provide(TestGlacier.layer({ jobDelay: 0 }))
      )
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(NodeFileSystem.layer, NodeHashing.layer)))

/** Uploads an archive and downloads it to a file. */
const roundTripToFile = (path: string) =>
  Effect.gen(function*() {
    const glacier = yield* GlacierClient
    yield* glacier.createVault(address)
    const { archiveId } = yield* Upload.upload(address, Source.bytes(bytes), { partSize: mebibyte })
    const { jobId } = yield* glacier.initiateJob({ ...address, parameters: { type: "archive-retrieval", archiveId } })
    const job = yield* Job.attach(address, jobId)
    return yield* job.outputToFile(path, { windowSize: mebibyte, concurrency: 1, onFailure: "keep" })
  })

describe("Faults on disk", () => {
  it.live.each<readonly [fault: Faults.Kind, operation: string, code: string]>([
    ["NoSpace", "write", "ENOSPC"],
    ["ShortWrite", "write", "EIO"],
    ["FailedSync", "sync", "EIO"],
    ["NoPermission", "open", "EACCES"],
    ["NoPermission", "rename", "EACCES"],
    ["CrossDevice", "rename", "EXDEV"]
  ])(
    "makes %s of %s fail a download, and the next run completes it [I2]",
    ([fault, operation, code]) =>
      onDisk({ script: [{ fault, operation, at: 1 }] })((folder) =>
        Effect.gen(function*() {
          const fs = yield* FileSystem.FileSystem
          const path = `${folder}/file`
          expect(yield* Effect.flip(roundTripToFile(path))).toMatchObject({ _tag: "SystemError", cause: { code } })
          expect(yield* fs.exists(path)).toBe(false)
          yield* roundTripToFile(path)
          expect(treeHash(yield* fs.readFile(path))).toBe(treeHash(bytes))
          expect(yield* (yield* Faults.Faults).counts).toEqual({ [fault]: 1 })
        })
      )
  )

  it.live("keeps the older file and the downloaded bytes when a download cannot be renamed [I2]", () =>
    onDisk({ script: [{ fault: "CrossDevice", operation: "rename", at: 1 }] })((folder) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const path = `${folder}/file`
        yield* fs.writeFileString(path, "older")
        expect(yield* Effect.flip(roundTripToFile(path))).toMatchObject({
          _tag: "SystemError",
          cause: { code: "EXDEV" }
        })
        expect(yield* fs.readFileString(path)).toBe("older")
        expect(yield* fs.readDirectory(folder)).toHaveLength(3)
        yield* roundTripToFile(path)
        expect(treeHash(yield* fs.readFile(path))).toBe(treeHash(bytes))
        expect(yield* fs.readDirectory(folder)).toEqual(["file"])
      })
    ))

  it.live("fails an upload and a checkpoint whose file may not be opened [I2]", () =>
    onDisk({ rates: { NoPermission: 1 } })((folder) =>
      Effect.gen(function*() {
        const glacier = yield* GlacierClient
        const fs = yield* FileSystem.FileSystem
        yield* glacier.createVault(address)
        yield* fs.writeFile(`${folder}/file`, bytes)
        expect(yield* Effect.flip(Upload.upload(address, Source.file(`${folder}/file`), { partSize: mebibyte })))
          .toMatchObject({ _tag: "SystemError", reason: "PermissionDenied" })
        const upload = Upload.uploadWithCheckpoint(address, "file", Source.bytes(bytes), { partSize: mebibyte })
        expect(yield* Effect.flip(Effect.provide(upload, Checkpoint.layerFileSystem(folder)))).toMatchObject({
          _tag: "CheckpointError",
          problem: expect.stringContaining("EACCES")
        })
        expect((yield* glacier.listMultipartUploads(address)).uploads).toEqual([])
      })
    ))

  it.live("writes half of the bytes of a short write [I2]", () =>
    onDisk({ rates: { ShortWrite: 1 } })((folder) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const exit = yield* Effect.exit(fs.writeFile(`${folder}/file`, Uint8Array.of(1, 2, 3, 4)))
        expect(Exit.isFailure(exit)).toBe(true)
        expect(Array.from(yield* fs.readFile(`${folder}/file`))).toEqual([1, 2])
      })
    ))

  it.live("fails an upload whose file changes, and stores no archive [I2]", () =>
    onDisk({ script: [{ fault: "FileChanged", operation: "read", at: 2 }] })((folder) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const glacier = yield* GlacierClient
        yield* glacier.createVault(address)
        yield* fs.writeFile(`${folder}/file`, bytes)
        const upload = Upload.upload(address, Source.file(`${folder}/file`), { partSize: mebibyte, concurrency: 1 })
        expect(yield* Effect.flip(upload)).toMatchObject({ _tag: "SourceChanged" })
        expect((yield* glacier.listMultipartUploads(address)).uploads).toEqual([])
        expect((yield* fs.readFile(`${folder}/file`)).length).toBe(bytes.length + 1)
        expect(yield* Stream.runCount(Stream.fromIterable(yield* (yield* Faults.Faults).injected))).toBe(1)
      })
    ))
})
