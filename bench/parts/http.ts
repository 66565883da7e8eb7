/**
 * The same client over other HTTP layers, over plain TCP and over TLS: ours against the platform's own, and against that
 * of another checkout.
 */
import { Effect, String } from "effect"
import { type Contest, hold, rehearse } from "../contest.ts"
import * as Files from "../files.ts"
import { transports } from "../server/transports.ts"
import type { Tools } from "../tools.ts"
import * as Download from "./download.ts"
import { partSize, type Setting } from "./setting.ts"
import * as Small from "./small.ts"
import * as Upload from "./upload.ts"

const mebibyte = Files.mebibyte

const layers = (tools: Tools, ...program: Parameters<Tools["ours"]>): Contest["programs"] => ({
  ...tools.ours(...program),
  platform: tools.platform(...program)
})

/** The four tasks over each transport, as the other parts have them. */
const contests = Effect.fnUntraced(
  function*({ folder, tools }: Setting, file: Files.Hashed, part: number, count: number, path: string) {
    const bytes = part * mebibyte
    const { jobId } = Download
    const uploaded = layers(tools, "upload", file.path, bytes)
    const downloaded = layers(tools, "download", Download.targetIn(folder), bytes, jobId)
    return (yield* transports(tools, folder, file)).flatMap((transport) => [
      Small.contest(transport, count, layers(tools, "small", count, Small.size)),
      Download.toFile(transport, file, folder, part, downloaded),
      Upload.contest(Upload.nameOf(transport), transport, file, part, uploaded),
      Download.streamTo(transport, file, folder, path, layers(tools, "outputStream", path, jobId))
    ]).map((contest) => ({
      ...contest,
      name: `http${String.capitalize(contest.name)}`,
      what: `${contest.what}, by HTTP layer`
    }))
  }
)

export const http = Effect.fnUntraced(function*(setting: Setting) {
  const { folder, rehearses, rounds, scaled } = setting
  const rehearsals = Effect.gen(function*() {
    const file = yield* Files.random(`${folder}/small`, 21 * mebibyte + 12_345)
    yield* Effect.forEach(yield* contests(setting, file, 8, 100, Download.targetIn(folder)), rehearse)
  })
  if (rehearses) yield* Effect.scoped(rehearsals)

  const size = scaled(1_024)
  const file = yield* Files.random(`${folder}/file`, size * mebibyte)
  const held = yield* contests(setting, file, partSize(8, size), scaled(10_000), "/dev/null")
  return yield* Effect.forEach(held, (contest) => hold(contest, rounds))
}, Effect.scoped)
