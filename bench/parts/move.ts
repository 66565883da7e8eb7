/** A move of 1 GiB to an object store that drops all bytes, beside a download of the same archive to a file. */
import { Effect } from "effect"
import { rmSync } from "node:fs"
import { type Contest, hold, rehearse } from "../contest.ts"
import * as Files from "../files.ts"
import { start } from "../server/start.ts"
import { jobId, targetIn } from "./download.ts"
import { partSize, type Setting } from "./setting.ts"

const contest = Effect.fnUntraced(function*({ folder, tools }: Setting, file: Files.Hashed, part: number) {
  const server = yield* start(tools, file)
  const target = targetIn(folder)
  const bytes = part * Files.mebibyte
  return {
    name: "move1g",
    what: `move of ${Math.ceil(file.size / Files.mebibyte)} MiB to an object store, parts of ${part} MiB, 4 in flight`,
    server,
    programs: {
      ...tools.ours("move", bytes, jobId),
      download: tools.bundled("ours/download", target, Math.min(bytes, 16 * Files.mebibyte), jobId)
    },
    before: () => rmSync(target, { force: true }),
    problem: (_run, received) => {
      const moved = received.filter(({ request }) => request === "PUT object")
      const sum = moved.reduce((sum, { bytes }) => sum + bytes, 0)
      return moved.length === 0 || sum === file.size ? undefined : `${sum} bytes were moved, not ${file.size}`
    }
  } satisfies Contest
})

export const move = Effect.fnUntraced(function*(setting: Setting) {
  const { folder, rehearses, rounds, scaled } = setting
  const small = Effect.gen(function*() {
    const file = yield* Files.random(`${folder}/small`, 21 * Files.mebibyte + 12_345)
    yield* rehearse(yield* contest(setting, file, 8))
  })
  if (rehearses) yield* Effect.scoped(small)
  const size = scaled(1_024)
  const file = yield* Files.random(`${folder}/file`, size * Files.mebibyte)
  return [yield* hold(yield* contest(setting, file, Math.max(8, partSize(64, size))), rounds)]
}, Effect.scoped)
