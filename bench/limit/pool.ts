/** As many workers as there are cores, and what the programs on bare Node share besides. */
import { createHash } from "node:crypto"
import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import type { Data, Done, Work } from "./worker.ts"

export const concurrency = 4
export const cores = availableParallelism()
export const port = Number(new URL(process.env["AWS_ENDPOINT_URL"] ?? "").port)

const sha256 = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const hash = createHash("sha256")
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export const root = (leaves: ReadonlyArray<Uint8Array>): string => {
  let nodes = leaves
  while (nodes.length > 1) {
    const above: Array<Uint8Array> = []
    for (let i = 0; i < nodes.length; i += 2) {
      above.push(i + 1 < nodes.length ? sha256(nodes[i]!, nodes[i + 1]!) : nodes[i]!)
    }
    nodes = above
  }
  return Buffer.from(nodes[0]!).toString("hex")
}

export const start = (data: Data) => {
  const waiting = new Map<number, (done: Done) => void>()
  const workers = Array.from({ length: cores }, () => {
    const worker = new Worker(new URL("worker.js", import.meta.url), { workerData: data })
    worker.on("message", (done: Done) => waiting.get(done.index)?.(done))
    worker.on("error", (error) => {
      throw error
    })
    return worker
  })
  return {
    run: (work: Work) =>
      new Promise<Done>((resolve) => {
        waiting.set(work.index, resolve)
        workers[work.index % cores]?.postMessage(work)
      }),
    end: () => Promise.all(workers.map((worker) => worker.terminate()))
  }
}
