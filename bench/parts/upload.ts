/** Uploads of files: 4 GiB, 1 GiB, 1 GiB over TLS, and 1 GiB as a Stream of unknown length. */
import { Effect } from "effect"
import { type Contest, hold, rehearse } from "../contest.ts"
import * as Files from "../files.ts"
import * as Nginx from "../server/nginx.ts"
import { type Received, type Server, start } from "../server/start.ts"
import type { Tools } from "../tools.ts"
import { partSize, type Setting } from "./setting.ts"

const mebibyte = Files.mebibyte

/** Whether what was received is the file, in parts: their ranges, tree hashes, and the root; `hashes` also SHA-256. */
const problemOf = (file: Files.Hashed, received: ReadonlyArray<Received>, hashes: boolean) => {
  const parts = received.filter(({ request }) => request === "PUT upload").map((part) => {
    const [, start, end] = /^bytes (\d+)-(\d+)\/\*$/.exec(part.range) ?? []
    return { ...part, start: Number(start), end: Number(end) }
  }).sort((a, b) => a.start - b.start)
  let next = 0
  for (const part of parts) {
    if (part.start !== next) return `a part begins at ${part.start}, not at ${next}`
    if (part.bytes !== part.end - part.start + 1) return `a part of ${part.range} has ${part.bytes} bytes`
    if (part.treeHash !== Files.nodeOf(file, part.start, part.end)) return `${part.range} has a wrong tree hash`
    if (hashes && part.sha256 !== Files.linear(file, part.start, part.end)) return `${part.range} has a wrong SHA-256`
    next = part.end + 1
  }
  if (next !== file.size) return `parts of ${next} bytes came, not of ${file.size}`
  const complete = received.filter(({ request }) => request === "POST upload")
  if (complete.length !== 1) return `it was completed ${complete.length} times`
  if (complete[0]?.treeHash !== file.treeHash) return `it was completed with tree hash ${complete[0]?.treeHash}`
  if (complete[0]?.archiveSize !== String(file.size)) return `it was completed with size ${complete[0]?.archiveSize}`
  return undefined
}

const contest = (
  name: string,
  what: string,
  file: Files.Hashed,
  server: Server,
  programs: Contest["programs"],
  hashes = false
): Contest => ({
  name,
  what,
  server,
  programs,
  problem: (_run, received) => problemOf(file, received, hashes)
})

const overHttp = (tools: Tools, { path }: Files.File, { port }: Server, partSize: number) => ({
  ours: tools.bundled("ours/upload", path, partSize),
  limit: tools.limit("upload", port, path, partSize),
  limitNode: tools.node("limit/upload", path, partSize),
  boto3: tools.boto3("upload", path, partSize),
  js: tools.bundled("peers/js/upload", path, partSize)
})

const overTls = (tools: Tools, file: Files.File, server: Server, partSize: number) => {
  const { boto3, js, ours } = overHttp(tools, file, server, partSize)
  return { ours, boto3, js }
}

const ofStream = (tools: Tools, { path }: Files.File, partSize: number) => ({
  ours: tools.bundled("ours/uploadStream", path, partSize),
  file: tools.bundled("ours/upload", path, partSize)
})

export const upload = Effect.fnUntraced(function*({ folder, rounds, scaled, tools }: Setting) {
  const server = yield* start(tools)
  const tls = tools.tls ? yield* Nginx.inFront(server, folder) : undefined

  const rehearsals = Effect.gen(function*() {
    // Two parts, and one that ends within a MiB.
    const file = yield* Files.random(`${folder}/small`, 21 * mebibyte + 12_345)
    const part = 8 * mebibyte
    const check = (name: string, server: Server, programs: Contest["programs"]) =>
      rehearse(contest(name, name, file, server, programs, true))
    yield* check("upload", server, overHttp(tools, file, server, part))
    yield* check("uploadStream", server, ofStream(tools, file, part))
    if (tls !== undefined) yield* check("uploadTls", tls, overTls(tools, file, tls, part))
  })
  yield* Effect.scoped(rehearsals)

  const large = Effect.gen(function*() {
    const size = scaled(4_096)
    const part = partSize(16, size)
    const file = yield* Files.random(`${folder}/large`, size * mebibyte)
    const what = `upload of ${size} MiB, parts of ${part} MiB`
    const programs = overHttp(tools, file, server, part * mebibyte)
    return yield* hold(contest("upload4g", what, file, server, programs), rounds)
  })
  const upload4g = yield* Effect.scoped(large)

  const size = scaled(1_024)
  const part = partSize(8, size)
  const file = yield* Files.random(`${folder}/file`, size * mebibyte)
  const held = (name: string, what: string, server: Server, programs: Contest["programs"]) =>
    hold(contest(name, `upload of ${size} MiB, parts of ${part} MiB${what}`, file, server, programs), rounds)
  const upload1g = yield* held("upload1g", "", server, overHttp(tools, file, server, part * mebibyte))
  const uploadTls1g = tls === undefined
    ? []
    : [yield* held("uploadTls1g", ", over TLS", tls, overTls(tools, file, tls, part * mebibyte))]
  const stream = ofStream(tools, file, part * mebibyte)
  const uploadStream1g = yield* held("uploadStream1g", ", from a Stream of unknown length", server, stream)
  return [upload4g, upload1g, ...uploadTls1g, uploadStream1g]
}, Effect.scoped)
