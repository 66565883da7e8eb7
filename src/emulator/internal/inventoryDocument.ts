/**
 * The inventory of a vault as a document (spec section 14), made piece by piece.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Inventory from "../../protocol/Inventory.ts"
import type { Archive } from "./state.ts"

/** Which archives of an inventory a job lists: those created from `startDate` on and before `endDate`. */
export interface Selection {
  readonly startDate: number | undefined
  readonly endDate: number | undefined
  readonly limit: number | undefined
  /** The write behind which the list goes on. */
  readonly after: number
}

/** The archives a job lists, and the marker of the job that goes on, if more are left. */
export const select = (archives: Iterable<Archive>, selection: Selection): {
  readonly archives: ReadonlyArray<Archive>
  readonly next: string | undefined
} => {
  const { after, endDate = Infinity, limit = Infinity, startDate = -Infinity } = selection
  const selected: Array<Archive> = []
  for (const archive of archives) {
    if (archive.written <= after || archive.createdAt < startDate || archive.createdAt >= endDate) continue
    const last = selected.at(-1)
    if (selected.length === limit && last !== undefined) return { archives: selected, next: marker(last) }
    selected.push(archive)
  }
  return { archives: selected, next: undefined }
}

// Writes are numbered, so a marker holds also when its archive has gone from the inventory.
const marker = (archive: Archive): string => `w${archive.written.toString(36)}`.padEnd(135, "_")

/** The write that a marker names. */
export const readMarker = (text: string): Option.Option<number> => {
  const [, written] = /^w([0-9a-z]{1,10})_*$/.exec(text) ?? []
  return text.length === 135 && written !== undefined ? Option.some(Number.parseInt(written, 36)) : Option.none()
}

const utf8 = new TextEncoder()

const chunkLength = 65_536

// Dates are to the second.
const date = (millis: number): string => `${new Date(millis).toISOString().slice(0, -5)}Z`

const entry = (archive: Archive): typeof Inventory.Entry.Encoded => ({
  ArchiveId: archive.id,
  ArchiveDescription: archive.description,
  CreationDate: date(archive.createdAt),
  Size: archive.size,
  SHA256TreeHash: archive.treeHash
})

// Backslashes are not escaped: the format is ambiguous.
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
  // The document without its entries, cut open where they belong.
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

/** Makes the document and hands it over in chunks of some 64 KiB. */
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
