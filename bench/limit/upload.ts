/**
 * The necessary work of an upload on Node.js and no more: workers read and hash, the main thread sends.
 *
 *     upload FILE PART_SIZE
 */
import { statSync } from "node:fs"
import { Agent, type OutgoingHttpHeaders, request } from "node:http"
import { finish } from "../finish.ts"
import * as Pool from "./pool.ts"

const [path = "", size] = process.argv.slice(2)
const partSize = Number(size)
const total = statSync(path).size
const pool = Pool.start({ path, writes: false })
const agent = new Agent({ keepAlive: true, maxSockets: Pool.concurrency })

const send = (method: string, to: string, headers: OutgoingHttpHeaders, body: Uint8Array) =>
  new Promise<void>((resolve, reject) => {
    const options = { agent, method, port: Pool.port, path: `/-/vaults/bench/multipart-uploads${to}` }
    request({ ...options, headers: { ...headers, "content-length": body.length } }, (response) => {
      response.resume().once("end", resolve)
    }).once("error", reject).end(body)
  })

const none = new Uint8Array(0)
await send("POST", "", { "x-amz-part-size": partSize }, none)
const leaves: Array<Array<Uint8Array>> = []
let next = 0

const lane = async () => {
  const memory = new SharedArrayBuffer(partSize)
  while (next < total) {
    const at = next
    next += partSize
    const index = at / partSize
    const length = Math.min(partSize, total - at)
    const done = await pool.run({ index, memory, length, at })
    leaves[index] = done.leaves
    await send("PUT", "/limit", {
      "content-range": `bytes ${at}-${at + length - 1}/*`,
      "x-amz-content-sha256": Buffer.from(done.linear ?? none).toString("hex"),
      "x-amz-sha256-tree-hash": Pool.root(done.leaves)
    }, new Uint8Array(memory, 0, length))
  }
}
await Promise.all(Array.from({ length: Pool.concurrency + Pool.cores }, lane))

const treeHash = Pool.root(leaves.flat())
await send("POST", "/limit", { "x-amz-sha256-tree-hash": treeHash, "x-amz-archive-size": total }, none)
agent.destroy()
await pool.end()
finish({ treeHash })
