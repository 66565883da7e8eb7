/** Downloads of 1 GiB: to a file, verified, and as a stream to nowhere. */
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { rmSync } from "node:fs"
import { type Contest, hold, rehearse } from "../contest.ts"
import * as Files from "../files.ts"
import { start } from "../server/start.ts"
import { partSize, type Setting } from "./setting.ts"

const mebibyte = Files.mebibyte
const jobId = "J".repeat(92)

const contests = Effect.fnUntraced(function*({ folder, tools }: Setting, file: Files.Hashed, window: number) {
  const server = yield* start(tools, file)
  const target = `${folder}/back`
  const problem = () =>
    spawnSync("cmp", [file.path, target]).status === 0 ? undefined : "what was downloaded is not the file"
  const before = () => rmSync(target, { force: true })
  const size = `${Math.ceil(file.size / mebibyte)} MiB`
  const toFile: Contest = {
    name: "download1g",
    what: `download of ${size} to a file, verified, windows of ${window} MiB`,
    server,
    before,
    problem,
    programs: {
      ours: tools.bundled("ours/download", target, window * mebibyte, jobId),
      limit: tools.limit("download", server.port, target, file.size, window * mebibyte),
      limitNode: tools.node("limit/download", target, file.size, window * mebibyte),
      boto3: tools.boto3("download", target, window * mebibyte, jobId),
      js: tools.bundled("peers/js/download", target, window * mebibyte, jobId)
    }
  }
  const streamTo = (path: string): Contest => ({
    name: "outputStream",
    what: `download of ${size} as a stream, verified by ours only`,
    server,
    before,
    problem: path === target ? problem : () => undefined,
    programs: {
      ours: tools.bundled("ours/outputStream", path, jobId),
      js: tools.bundled("peers/js/outputStream", path, jobId)
    }
  })
  return { toFile, streamTo, target }
})

export const download = Effect.fnUntraced(function*(setting: Setting) {
  const { folder, rounds, scaled } = setting
  const rehearsals = Effect.gen(function*() {
    const file = yield* Files.random(`${folder}/small`, 21 * mebibyte + 12_345)
    const { streamTo, target, toFile } = yield* contests(setting, file, 8)
    yield* rehearse(toFile)
    yield* rehearse(streamTo(target))
  })
  yield* Effect.scoped(rehearsals)

  const size = scaled(1_024)
  const file = yield* Files.random(`${folder}/file`, size * mebibyte)
  const { streamTo, toFile } = yield* contests(setting, file, partSize(8, size))
  return [yield* hold(toFile, rounds), yield* hold(streamTo("/dev/null"), rounds)]
}, Effect.scoped)
