/** Helpers of the conformance suite. */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import type { Vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { GlacierClient } from "../../../src/client/GlacierClient.ts"
import type * as Emulator from "../../../src/emulator/Emulator.ts"
import type * as NodeEmulator from "../../../src/node/NodeEmulator.ts"
import * as Support from "../../../src/testing/internal/conformance/support.ts"
import type { Transport } from "../../../src/transport/Transport.ts"

export {
  all,
  collect,
  mebibyte,
  putPart,
  ramp,
  rejected,
  started,
  store
} from "../../../src/testing/internal/conformance/support.ts"

/** Adds tests to the suite. */
export type It = Vitest.MethodsNonLive<GlacierClient | Transport | FileSystem.FileSystem, true>

/** Provides a client of an emulator with given options: in-process, or with an HTTP client over a socket. */
export type Connection = (
  options: NodeEmulator.Options,
  client?: {
    readonly key?: Emulator.Key
    /** Changes the requests of the client. */
    readonly alter?: (http: HttpClient.HttpClient) => HttpClient.HttpClient
  }
) => Layer.Layer<GlacierClient | Transport, unknown>

export const account = "123456789012"

export const arnOf = (vaultName: string) => `arn:aws:glacier:us-east-1:${account}:vaults/${vaultName}`

/** Creates a vault. */
export const created = Effect.fnUntraced(function*(vaultName: string) {
  const glacier = yield* GlacierClient
  yield* glacier.createVault({ vaultName })
  return { glacier, vaultName }
})

/** Starts the retrieval of an archive. */
export const retrieve = (
  vaultName: string,
  archiveId: string,
  more: Partial<Extract<Support.Parameters, { readonly type: "archive-retrieval" }>> = {}
) => Support.started(vaultName, { ...more, type: "archive-retrieval", archiveId })
