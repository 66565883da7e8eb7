/** Uploads of files: 4 GiB, 1 GiB, 1 GiB over TLS, and 1 GiB as a Stream of unknown length. */
import { Effect } from "effect"
import { type Contest, hold, rehearse } from "../contest.ts"
import * as Files from "../files.ts"
import type { Received } from "../server/start.ts"
import { type Transport, transports } from "../server/transports.ts"
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

/** The upload of a file over a transport, in parts of `part` MiB; `hashes` compares their SHA-256 too. */
export const contest = (
  name: string,
  { server, what }: Transport,
  file: Files.Hashed,
  part: number,
  programs: Contest["programs"],
  hashes = false
): Contest => ({
  name,
  what: `upload of ${Math.ceil(file.size / mebibyte)} MiB, parts of ${part} MiB${what}`,
  server,
  programs,
  problem: (_run, received) => problemOf(file, received, hashes)
})

const ofFile = (tools: Tools, { isTls, server }: Transport, { path }: Files.File, part: number) => {
  const bytes = part * mebibyte
  return {
    ...tools.ours("upload", path, bytes),
    // The limits speak no TLS.
    ...(!isTls && {
      limit: tools.limit("upload", server.port, path, bytes),
      limitNode: tools.node("limit/upload", path, bytes)
    }),
    boto3: tools.boto3("upload", path, bytes),
    js: tools.bundled("peers/js/upload", path, bytes)
  }
}

const ofStream = (tools: Tools, { path }: Files.File, part: number) => ({
  ...tools.ours("uploadStream", path, part * mebibyte),
  file: tools.bundled("ours/upload", path, part * mebibyte)
})

/** The upload of 1 GiB over a transport. */
export const nameOf = ({ isTls }: Transport) => isTls ? "uploadTls1g" : "upload1g"

export const upload = Effect.fnUntraced(function*({ folder, rehearses, rounds, scaled, tools }: Setting) {
  const all = yield* transports(tools, folder)
  const [plain] = all

  const contests = (file: Files.Hashed, part: number, hashes = false) => {
    const stream = contest("uploadStream1g", plain, file, part, ofStream(tools, file, part), hashes)
    return [
      ...all.map((transport) =>
        contest(nameOf(transport), transport, file, part, ofFile(tools, transport, file, part), hashes)
      ),
      { ...stream, what: `${stream.what}, from a Stream of unknown length` }
    ]
  }

  const rehearsals = Effect.gen(function*() {
    // Two parts, and one that ends within a MiB.
    const file = yield* Files.random(`${folder}/small`, 21 * mebibyte + 12_345)
    yield* Effect.forEach(contests(file, 8, true), rehearse)
  })
  if (rehearses) yield* Effect.scoped(rehearsals)

  const large = Effect.gen(function*() {
    const size = scaled(4_096)
    const part = partSize(16, size)
    const file = yield* Files.random(`${folder}/large`, size * mebibyte)
    return yield* hold(contest("upload4g", plain, file, part, ofFile(tools, plain, file, part)), rounds)
  })
  const upload4g = yield* Effect.scoped(large)

  const size = scaled(1_024)
  const file = yield* Files.random(`${folder}/file`, size * mebibyte)
  const held = yield* Effect.forEach(contests(file, partSize(8, size)), (contest) => hold(contest, rounds))
  return [upload4g, ...held]
}, Effect.scoped)
