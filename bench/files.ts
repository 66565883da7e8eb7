/** The files that are sent about, and their hash trees. */
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statfsSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"

export const mebibyte = 1_048_576

export interface File {
  readonly path: string
  readonly size: number
}

/** A file whose hash tree is known: a level of digests after the other, the leaves first and the root last. */
export interface Hashed extends File {
  readonly levels: ReadonlyArray<ReadonlyArray<Uint8Array>>
  readonly treeHash: string
}

export const sha256 = (...parts: ReadonlyArray<Uint8Array>): Uint8Array =>
  parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest()

const hex = (bytes: Uint8Array = new Uint8Array(0)) => Buffer.from(bytes).toString("hex")

/** The bytes of a file a MiB at a time; the memory is used again. */
function* slices(path: string, start: number, end: number) {
  const file = openSync(path, "r")
  const bytes = new Uint8Array(mebibyte)
  for (let at = start; at <= end; at += mebibyte) {
    const read = readSync(file, bytes, 0, Math.min(mebibyte, end + 1 - at), at)
    yield bytes.subarray(0, read)
  }
  closeSync(file)
}

const above = (level: ReadonlyArray<Uint8Array>) =>
  Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => {
    const pair = level.slice(2 * i, 2 * i + 2)
    return pair.length === 2 ? sha256(...pair) : pair[0] ?? new Uint8Array(0)
  })

/** A folder in memory where there is one, as it is the client that is to be measured and not the disk. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => {
    const room = (() => {
      try {
        const { bavail, bsize } = statfsSync("/dev/shm")
        return bavail * bsize
      } catch {
        return 0
      }
    })()
    // The largest part needs files of 4 GiB and 1 GiB, and the memory of the clients besides.
    return mkdtempSync(`${room > 8 * 1024 ** 3 ? "/dev/shm" : tmpdir()}/bench-`)
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** Makes a file of random bytes, which is removed when the Scope closes. */
export const random = (path: string, size: number) =>
  Effect.acquireRelease(
    Effect.sync((): Hashed => {
      const count = ["iflag=fullblock,count_bytes", `count=${size}`]
      execFileSync("dd", ["if=/dev/urandom", `of=${path}`, "bs=1M", "status=none", ...count])
      let level = Array.from(slices(path, 0, size - 1), (bytes) => sha256(bytes))
      const levels = [level]
      while (level.length > 1) levels.push(level = above(level))
      return { path, size, levels, treeHash: hex(level[0]) }
    }),
    ({ path }) => Effect.sync(() => rmSync(path))
  )

/** A file that takes no room: all zeros. */
export const sparse = (path: string, size: number): File => {
  writeFileSync(path, "")
  truncateSync(path, size)
  return { path, size }
}

/** The tree hash of a range that a node of the tree spans. */
export const nodeOf = ({ levels }: Hashed, start: number, end: number): string => {
  const level = Math.ceil(Math.log2(Math.ceil((end + 1 - start) / mebibyte)))
  return hex(levels[level]?.[start / mebibyte / 2 ** level])
}

/** SHA-256 of a range. */
export const linear = ({ path }: File, start: number, end: number): string =>
  hex(sha256(...function*() {
    // The memory is used again, so each slice is copied: only for small files.
    for (const slice of slices(path, start, end)) yield slice.slice()
  }()))
