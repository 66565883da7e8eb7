/** A thread that reads or writes a file and hashes what it reads or writes, 1 MiB at a time, while it is in the cache. */
import { createHash } from "node:crypto"
import { openSync, readSync, writeSync } from "node:fs"
import { parentPort, workerData } from "node:worker_threads"

export interface Work {
  readonly index: number
  readonly memory: SharedArrayBuffer
  readonly length: number
  /** Where in the file. */
  readonly at: number
}

export interface Done {
  readonly index: number
  readonly leaves: Array<Uint8Array>
  /** The hash of all bytes, for uploads only. */
  readonly linear: Uint8Array | undefined
}

export interface Data {
  readonly path: string
  readonly writes: boolean
}

const mebibyte = 1_048_576
const { path, writes }: Data = workerData
const file = openSync(path, writes ? "r+" : "r")

parentPort?.on("message", ({ at, index, length, memory }: Work) => {
  const leaves: Array<Uint8Array> = []
  const all = createHash("sha256")
  for (let start = 0; start < length; start += mebibyte) {
    const bytes = new Uint8Array(memory, start, Math.min(mebibyte, length - start))
    if (!writes) readSync(file, bytes, 0, bytes.length, at + start)
    leaves.push(createHash("sha256").update(bytes).digest())
    if (writes) writeSync(file, bytes, 0, bytes.length, at + start)
    else all.update(bytes)
  }
  parentPort?.postMessage({ index, leaves, linear: writes ? undefined : all.digest() } satisfies Done)
})
