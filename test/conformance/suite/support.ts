/** What the areas of the suite share. */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import type { Vitest } from "@effect/vitest"
import { expect } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../../src/client/GlacierClient.ts"
import type * as Emulator from "../../../src/emulator/Emulator.ts"
import type * as NodeEmulator from "../../../src/node/NodeEmulator.ts"
import * as ByteRange from "../../../src/protocol/ByteRange.ts"
import * as Limits from "../../../src/protocol/Limits.ts"
import type * as Operation from "../../../src/protocol/Operation.ts"
import type { operations } from "../../../src/protocol/Operations.ts"
import { Hasher } from "../../../src/transport/Hasher.ts"
import type { Transport } from "../../../src/transport/Transport.ts"

export { ramp, treeHash } from "../../emulator/support.ts"

export type It = Vitest.MethodsNonLive<GlacierClient | Transport | FileSystem.FileSystem, true>

/** How to reach a Glacier of given options: in this process or over a socket, by one HTTP client or another. */
export type Way = (
  options: NodeEmulator.Options,
  client?: {
    readonly key?: Emulator.Key
    /** Changes requests on their way. */
    readonly alter?: (http: HttpClient.HttpClient) => HttpClient.HttpClient
  }
) => Layer.Layer<GlacierClient | Transport, unknown>

export const account = "123456789012"

export const arnOf = (vaultName: string) => `arn:aws:glacier:us-east-1:${account}:vaults/${vaultName}`

export const mebibyte = Limits.mebibyte

export const utf8 = new TextEncoder()

export const slice = (bytes: Uint8Array, range: ByteRange.ByteRange) => bytes.subarray(range.start, range.end + 1)

/** All that a Stream gives. */
export const all = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

export const collect = <E, R>(body: Stream.Stream<Uint8Array, E, R>) =>
  Effect.map(all(body), (pieces) => new Uint8Array(Buffer.concat(pieces)))

/** A vault of its own for a test. */
export const created = Effect.fnUntraced(function*(vaultName: string) {
  const glacier = yield* GlacierClient
  yield* glacier.createVault({ vaultName })
  return { glacier, vaultName }
})

/** Uploads bytes as one archive by the bare operation. */
export const store = Effect.fnUntraced(function*(vaultName: string, body: Uint8Array, description?: string) {
  const glacier = yield* GlacierClient
  const hashes = yield* (yield* Hasher).hashes(body)
  return yield* glacier.uploadArchive({ vaultName, description, body, ...hashes })
})

export const putPart = Effect.fnUntraced(
  function*(vaultName: string, uploadId: string, start: number, body: Uint8Array) {
    const glacier = yield* GlacierClient
    const hashes = yield* (yield* Hasher).hashes(body)
    return yield* glacier.uploadMultipartPart({
      vaultName,
      uploadId,
      range: ByteRange.make(start, body.length),
      body,
      ...hashes
    })
  }
)

type Parameters = Operation.Input<typeof operations.initiateJob>["parameters"]

/** Starts a job. */
export const started = Effect.fnUntraced(
  function*(vaultName: string, parameters: Parameters) {
    const glacier = yield* GlacierClient
    const { jobId } = yield* glacier.initiateJob({ vaultName, parameters })
    return { vaultName, jobId }
  }
)

export const retrieve = (
  vaultName: string,
  archiveId: string,
  more: Partial<Extract<Parameters, { readonly type: "archive-retrieval" }>> = {}
) => started(vaultName, { ...more, type: "archive-retrieval", archiveId })

interface ErrorClass {
  readonly code: string
  new(answer: never): { readonly message: string }
}

/** Expects that an effect fails with one of the package's own errors, and gives it. */
export const refused = <A, E, R>(effect: Effect.Effect<A, E, R>, Class: ErrorClass, message: string | RegExp = /./) =>
  Effect.map(Effect.flip(effect), (error) => {
    expect(error).toBeInstanceOf(Class)
    expect(error).toMatchObject({
      message: typeof message === "string" ? message : expect.stringMatching(message),
      requestId: expect.stringMatching(/^[\w-]{47}$/)
    })
    return error
  })
