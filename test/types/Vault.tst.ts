import type * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import { describe, expect, it } from "tstyche"
import type * as GlacierClient from "../../src/client/GlacierClient.ts"
import type * as Vault from "../../src/services/Vault.ts"
import type { Checkpoint } from "../../src/transfer/Checkpoint.ts"
import * as Source from "../../src/transfer/Source.ts"
import type {
  Options,
  ResumeError,
  UploadedArchive,
  UploadError,
  UploadWithCheckpointError
} from "../../src/transfer/Upload.ts"
import type { UploadKept } from "../../src/transfer/UploadKept.ts"

class Broken {
  readonly _tag = "Broken"
}

class Tape {
  readonly _tag = "Tape"
}

class Full {
  readonly _tag = "Full"
}

class Ledger {
  readonly _tag = "Ledger"
}

declare const onStored: () => Effect.Effect<void, Full, Ledger>

declare const vault: Vault.Service
declare const tape: Source.Source<Broken, Tape>
declare const stream: Stream.Stream<Uint8Array, Broken, Tape>
declare const options: Options
declare const client: Source.Source<Broken, Tape | GlacierClient.GlacierClient>

describe("Vault.upload", () => {
  it("fails as the source does, and needs what the source needs", () => {
    expect(vault.upload(tape)).type.toBe<Effect.Effect<UploadedArchive, UploadError | Broken, Tape>>()
    expect(vault.upload(Source.file("a"))).type.toBe<
      Effect.Effect<
        UploadedArchive,
        UploadError | PlatformError.PlatformError,
        FileSystem.FileSystem
      >
    >()
  })

  it("adds nothing for bytes", () => {
    expect(vault.upload(Source.bytes(new Uint8Array(1)))).type.toBe<Effect.Effect<UploadedArchive, UploadError>>()
  })

  it("of a Stream fails as the Stream does, and needs what it needs", () => {
    expect(vault.upload(Source.stream(stream))).type.toBe<
      Effect.Effect<UploadedArchive, UploadError | Broken, Tape>
    >()
  })

  it("fails with an upload that is kept only where it may be kept", () => {
    type Kept = UploadKept<UploadError | Broken>
    type Keeping = Effect.Effect<UploadedArchive, UploadError | Broken | Kept, Tape>
    expect(vault.upload(tape, { onFailure: "keep" })).type.toBe<Keeping>()
    expect(vault.upload(tape, options)).type.toBe<Keeping>()
    expect(vault.upload(tape, { onFailure: "discard" })).type.toBe<
      Effect.Effect<UploadedArchive, UploadError | Broken, Tape>
    >()
    expect(vault.resumeUpload("id", tape, { onFailure: "discard" })).type.toBe<
      Effect.Effect<UploadedArchive, ResumeError | Broken, Tape>
    >()
    expect(vault.resumeUpload("id", tape)).type.toBe<
      Effect.Effect<UploadedArchive, ResumeError | Broken | UploadKept<ResumeError | Broken>, Tape>
    >()
  })

  it("with a checkpoint always keeps, and needs the store of it", () => {
    type Failure = UploadWithCheckpointError | Broken
    expect(vault.uploadWithCheckpoint("name", tape)).type.toBe<
      Effect.Effect<UploadedArchive, Failure | UploadKept<Failure>, Tape | Checkpoint>
    >()
    expect(vault.uploadWithCheckpoint("name", client)).type.toBe<
      Effect.Effect<UploadedArchive, Failure | UploadKept<Failure>, Tape | Checkpoint>
    >()
    expect(vault.uploadWithCheckpoint("name", tape, { onStored })).type.toBe<
      Effect.Effect<UploadedArchive, Failure | Full | UploadKept<Failure>, Tape | Ledger | Checkpoint>
    >()
    type Uploaded = Parameters<Vault.Service["uploadWithCheckpoint"]>
    expect<Uploaded>().type.not.toBeAssignableFrom<[string, Source.Source, { onFailure: "discard" }]>()
  })

  it("needs no client: the vault has one", () => {
    expect(vault.upload(client)).type.toBe<Effect.Effect<UploadedArchive, UploadError | Broken, Tape>>()
  })

  it("takes no bare bytes and no path", () => {
    type Uploaded = Parameters<Vault.Service["upload"]>
    expect<Uploaded>().type.toBeAssignableFrom<[Source.Source, { description: string }]>()
    expect<Uploaded>().type.not.toBeAssignableFrom<[Uint8Array]>()
    expect<Uploaded>().type.not.toBeAssignableFrom<[string]>()
    expect<Uploaded>().type.not.toBeAssignableFrom<[Source.Source, { description: number }]>()
  })
})

describe("Source", () => {
  it("of bytes cannot fail and needs nothing", () => {
    expect(Source.bytes(new Uint8Array(1))).type.toBe<Source.Source>()
  })
})

describe("Vault", () => {
  it("fails with exactly the errors of its operations", () => {
    type Tags<A> = A extends Effect.Effect<unknown, infer E extends { readonly _tag: string }> ? E["_tag"] : never
    type Method<Name extends keyof GlacierClient.Service & string> = Tags<ReturnType<GlacierClient.Service[Name]>>
    expect<Tags<Vault.Service["create"]>>().type.toBe<Method<"createVault">>()
    expect<Tags<Vault.Service["delete"]>>().type.toBe<Method<"deleteVault">>()
    expect<Tags<ReturnType<Vault.Service["retrieveArchive"]>>>().type.toBe<
      Method<"initiateJob"> | "BudgetExceeded" | "LedgerError"
    >()
    expect<Tags<ReturnType<Vault.Service["job"]>>>().type.toBe<"InvalidInput">()
  })

  it("needs a client to be made, and nothing to be used", () => {
    expect<Effect.Effect.Context<ReturnType<typeof Vault.make>>>().type.toBe<GlacierClient.GlacierClient>()
    expect<Effect.Effect.Context<Vault.Service["describe"]>>().type.toBe<never>()
  })
})
