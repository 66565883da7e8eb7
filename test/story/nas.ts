/** The vault of a NAS that no longer exists, with archives that five programs have named. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as ArchiveName from "../../src/protocol/ArchiveName.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import { databaseOf, row, table } from "../cli/synologyMappings.ts"

/** A file that the NAS had: its path and its bytes. */
export interface File {
  readonly path: string
  readonly bytes: Uint8Array
}

const modified = DateTime.unsafeMake("2014-08-01T12:00:00Z")

/** Percent-encodes as boto does: control characters, spaces and everything outside ASCII. */
const botoEncode = (path: string): string =>
  path.replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character))

/** The programs, and how each writes the name of a file. */
const programs: ReadonlyArray<{ readonly folder: string; readonly describe: (path: string) => string }> = [
  { folder: "films", describe: (path) => ArchiveName.mt2.encode({ path, modified }) },
  { folder: "documents", describe: (path) => ArchiveName.fastGlacier.encode({ path, modified }) },
  { folder: "photo", describe: () => "" },
  { folder: "music", describe: botoEncode },
  { folder: "backup", describe: (path) => path }
]

const fileOf = (index: number): File & { readonly description: string } => {
  const { describe, folder } = programs[index % programs.length] ?? { folder: "", describe: (path: string) => path }
  // Names in plain descriptions are ASCII, because the service accepts nothing else.
  const month = folder === "backup" ? "August" : "Ágúst"
  const path = `${folder}/${2009 + index % 6}/${month} ${index}.bin`
  // The number comes first, so that all files differ. Sizes from 1 KiB to 40 KiB.
  const bytes = Buffer.alloc(1_024 * (1 + index % 40), `${index} `)
  return { path, bytes, description: describe(path) }
}

/**
 * Fills the vaults `nas` and `nas_mapping`, in which Synology's program keeps the names of the photos. Returns the files of
 * `nas`.
 */
export const fill = (count: number) =>
  Effect.gen(function*() {
    const glacier = yield* GlacierClient
    const vault = yield* Vault.make("nas")
    const mapping = yield* Vault.make("nas_mapping")
    yield* vault.create
    yield* mapping.create
    const files = Array.from({ length: count }, (_, index) => fileOf(index))
    const stored = yield* Effect.forEach(
      files,
      ({ bytes, description, path }) =>
        Effect.map(vault.upload(Source.bytes(bytes), { description }), ({ archiveId }) => ({ archiveId, path })),
      { concurrency: 16 }
    )
    const rows = stored.filter(({ path }) => path.startsWith("photo/")).map(({ archiveId, path }) =>
      row(archiveId, "photo", path.slice("photo/".length))
    )
    const fs = yield* FileSystem.FileSystem
    const database = yield* fs.readFile(yield* databaseOf(table, ...rows))
    yield* mapping.upload(Source.bytes(database), { description: "nas_mapping.db" })
    // An upload that a program has left open.
    yield* glacier.initiateMultipartUpload({ vaultName: "nas", partSize: 2 ** 20, description: "half a film" })
    return files
  })
