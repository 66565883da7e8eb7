/**
 * Selects the archives of an inventory job and writes its output as JSON or CSV, in chunks. See GetJobOutput (Amazon
 * Glacier API Reference).
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Inventory from "../../protocol/Inventory.ts"
import type { Archive } from "./state.ts"

/** The archives that a job lists: those created at `startDate` or later, and before `endDate`. */
export interface Selection {
  readonly startDate: number | undefined
  readonly endDate: number | undefined
  readonly limit: number | undefined
  /** The list starts after the archive with this write number. */
  readonly after: number
}

/** Returns the archives that a job lists, and the marker for the next job if there are more. */
export const select = (archives: Iterable<Archive>, selection: Selection): {
  readonly archives: ReadonlyArray<Archive>
  readonly next: string | undefined
} => {
  const { after, endDate = Infinity, limit = Infinity, startDate = -Infinity } = selection
  const selected: Array<Archive> = []
  for (const archive of archives) {
    if (archive.writeNumber <= after || archive.createdAt < startDate || archive.createdAt >= endDate) continue
    const last = selected.at(-1)
    if (selected.length === limit && last !== undefined) return { archives: selected, next: marker(last) }
    selected.push(archive)
  }
  return { archives: selected, next: undefined }
}

// A write number remains valid as a marker when its archive is no longer in the inventory.
const marker = (archive: Archive): string => `w${archive.writeNumber.toString(36)}`.padEnd(135, "_")

/** Returns the write number of a marker; none when the text is not a marker. */
export const readMarker = (text: string): Option.Option<number> => {
  const [, writeNumber] = /^w([0-9a-z]{1,10})_*$/.exec(text) ?? []
  return text.length === 135 && writeNumber !== undefined
    ? Option.some(Number.parseInt(writeNumber, 36))
    : Option.none()
}

const utf8 = new TextEncoder()

const chunkLength = 65_536

// The service's dates in inventories have whole seconds.
const date = (millis: number): string => `${new Date(millis).toISOString().slice(0, -5)}Z`

const entry = (archive: Archive): typeof Inventory.Entry.Encoded => ({
  ArchiveId: archive.id,
  ArchiveDescription: archive.description,
  CreationDate: date(archive.createdAt),
  Size: archive.size,
  SHA256TreeHash: archive.treeHash
})

// The service escapes quotes but not backslashes, so its format is ambiguous.
const quoted = (value: unknown): string => {
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll("\"", "\\\"")}"` : text
}

const columns = ["ArchiveId", "ArchiveDescription", "CreationDate", "Size", "SHA256TreeHash"] as const

function* csv(archives: ReadonlyArray<Archive>): Generator<string> {
  yield columns.join(",") + "\n"
  for (const archive of archives) {
    const row = entry(archive)
    yield columns.map((column) => quoted(row[column])).join(",") + "\n"
  }
}

function* json(vaultArn: string, at: number, archives: ReadonlyArray<Archive>): Generator<string> {
  const document: typeof Inventory.Inventory.Encoded = { VaultARN: vaultArn, InventoryDate: date(at), ArchiveList: [] }
  // The document without its entries is split where the entries belong: before the last `]}`.
  const frame = JSON.stringify(document)
  yield frame.slice(0, -2)
  let separator = ""
  for (const archive of archives) {
    yield separator + JSON.stringify(entry(archive))
    separator = ","
  }
  yield frame.slice(-2)
}

function* chunks(texts: Iterable<string>): Generator<Uint8Array> {
  let pending = ""
  for (const text of texts) {
    pending += text
    if (pending.length < chunkLength) continue
    yield utf8.encode(pending)
    pending = ""
  }
  if (pending !== "") yield utf8.encode(pending)
}

/** Calls `onChunk` with the document in chunks of about 64 KiB. */
export const write = <E>(
  options: {
    readonly format: "JSON" | "CSV"
    readonly vaultArn: string
    readonly at: number
    readonly archives: ReadonlyArray<Archive>
  },
  onChunk: (bytes: Uint8Array) => Effect.Effect<void, E>
): Effect.Effect<void, E> =>
  Effect.gen(function*() {
    const { archives, at, format, vaultArn } = options
    for (const bytes of chunks(format === "CSV" ? csv(archives) : json(vaultArn, at, archives))) {
      yield* Effect.zipRight(Effect.yieldNow(), onChunk(bytes))
    }
  })
