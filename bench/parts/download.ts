/** Downloads of 1 GiB, over plain TCP and over TLS: to a file, verified, and as a stream to nowhere. */
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { rmSync } from "node:fs"
import { type Contest, hold, rehearse } from "../contest.ts"
import * as Files from "../files.ts"
import { type Transport, transports } from "../server/transports.ts"
import { partSize, type Setting } from "./setting.ts"

const mebibyte = Files.mebibyte

export const jobId = "J".repeat(92)

/** Where clients write what they download. */
export const targetIn = (folder: string) => `${folder}/back`

const sizeOf = (file: Files.File) => `${Math.ceil(file.size / mebibyte)} MiB`

/** Removes the target before each run, and compares it with the file afterwards. */
const intoTarget = (file: Files.File, target: string) => ({
  before: () => rmSync(target, { force: true }),
  problem: () => spawnSync("cmp", [file.path, target]).status === 0 ? undefined : "what was downloaded is not the file"
})

/** The download of a file over a transport to the target, by windows of `window` MiB. */
export const toFile = (
  { isTls, server, what }: Transport,
  file: Files.File,
  folder: string,
  window: number,
  programs: Contest["programs"]
): Contest => ({
  name: isTls ? "downloadTls1g" : "download1g",
  what: `download of ${sizeOf(file)} to a file, verified, windows of ${window} MiB${what}`,
  server,
  programs,
  ...intoTarget(file, targetIn(folder))
})

/** The download of a file over a transport as a stream to a path: nothing is compared when it is not the target. */
export const streamTo = (
  { isTls, server, what }: Transport,
  file: Files.File,
  folder: string,
  path: string,
  programs: Contest["programs"]
): Contest => ({
  name: isTls ? "outputStreamTls1g" : "outputStream",
  what: `download of ${sizeOf(file)} as a stream${what}`,
  server,
  programs,
  ...(path === targetIn(folder) ? intoTarget(file, path) : { problem: () => undefined })
})

const contests = Effect.fnUntraced(
  function*({ folder, tools }: Setting, file: Files.Hashed, window: number, path: string) {
    const all = yield* transports(tools, folder, file)
    const target = targetIn(folder)
    const bytes = window * mebibyte
    return [
      ...all.map((transport) =>
        toFile(transport, file, folder, window, {
          ...tools.ours("download", target, bytes, jobId),
          // The limits speak no TLS.
          ...(!transport.isTls && {
            limit: tools.limit("download", transport.server.port, target, file.size, bytes),
            limitNode: tools.node("limit/download", target, file.size, bytes)
          }),
          boto3: tools.boto3("download", target, bytes, jobId),
          js: tools.bundled("peers/js/download", target, bytes, jobId)
        })
      ),
      ...all.map((transport) =>
        streamTo(transport, file, folder, path, {
          ...tools.ours("outputStream", path, jobId),
          js: tools.bundled("peers/js/outputStream", path, jobId),
          jsVerified: tools.bundled("peers/js/outputStreamVerified", path, jobId)
        })
      ).map((contest) => ({ ...contest, what: `${contest.what}, verified by ours` }))
    ]
  }
)

export const download = Effect.fnUntraced(function*(setting: Setting) {
  const { folder, rehearses, rounds, scaled } = setting
  const rehearsals = Effect.gen(function*() {
    const file = yield* Files.random(`${folder}/small`, 21 * mebibyte + 12_345)
    yield* Effect.forEach(yield* contests(setting, file, 8, targetIn(folder)), rehearse)
  })
  if (rehearses) yield* Effect.scoped(rehearsals)

  const size = scaled(1_024)
  const file = yield* Files.random(`${folder}/file`, size * mebibyte)
  const held = yield* contests(setting, file, partSize(8, size), "/dev/null")
  return yield* Effect.forEach(held, (contest) => hold(contest, rounds))
}, Effect.scoped)
