/**
 * The necessary work of a download on Node.js and no more: what arrives goes straight to memory that workers share, and
 * they hash and write it.
 *
 *     download FILE SIZE WINDOW_SIZE
 */
import { closeSync, fsyncSync, openSync } from "node:fs"
import { connect } from "node:net"
import { finish } from "../finish.ts"
import * as Pool from "./pool.ts"

const [path = "", ...sizes] = process.argv.slice(2)
const [total = 0, windowSize = 0] = sizes.map(Number)
const file = openSync(path, "w")
const pool = Pool.start({ path, writes: true })

/** A connection that receives one window after the other, each into the memory. */
const connection = (memory: Uint8Array) => {
  const head = Buffer.alloc(65_536)
  let headLength = 0
  let filled: number | undefined
  let length = 0
  let done = (_head: string) => {}
  const socket = connect({
    port: Pool.port,
    noDelay: true,
    onread: {
      buffer: () => filled === undefined ? head.subarray(headLength) : memory.subarray(filled, length),
      callback: (count) => {
        if (filled === undefined) {
          headLength += count
          const end = head.subarray(0, headLength).indexOf("\r\n\r\n")
          if (end === -1) return true
          memory.set(head.subarray(end + 4, headLength))
          filled = headLength - end - 4
          headLength = end
        } else filled += count
        if (filled === length) {
          const text = head.toString("latin1", 0, headLength)
          headLength = 0
          filled = undefined
          done(text)
        }
        return true
      }
    }
  })
  return {
    end: () => socket.end(),
    fetch: (at: number, wanted: number) =>
      new Promise<string>((resolve, reject) => {
        length = wanted
        done = resolve
        socket.once("error", reject)
        socket.write(
          "GET /-/vaults/bench/jobs/limit/output HTTP/1.1\r\nHost: localhost\r\n" +
            `Range: bytes=${at}-${at + wanted - 1}\r\n\r\n`
        )
      }).finally(() => socket.removeAllListeners("error"))
  }
}

const leaves: Array<Array<Uint8Array>> = []
let next = 0

const lane = async () => {
  const memory = new SharedArrayBuffer(windowSize)
  const { end, fetch } = connection(new Uint8Array(memory))
  while (next < total) {
    const at = next
    next += windowSize
    const index = at / windowSize
    const length = Math.min(windowSize, total - at)
    const head = await fetch(at, length)
    const done = await pool.run({ index, memory, length, at })
    if (!head.includes(`x-amz-sha256-tree-hash: ${Pool.root(done.leaves)}`)) throw new Error("Another tree hash")
    leaves[index] = done.leaves
  }
  end()
}
await Promise.all(Array.from({ length: Pool.concurrency }, lane))

await pool.end()
fsyncSync(file)
closeSync(file)
finish({ treeHash: Pool.root(leaves.flat()) })
