/** The memory that an upload needs, of 1 GiB and of 16 GiB. */
import { Effect } from "effect"
import { hold } from "../contest.ts"
import * as Files from "../files.ts"
import { start } from "../server/start.ts"
import { partSize, type Setting } from "./setting.ts"

export const memory = Effect.fnUntraced(function*({ folder, rounds, scaled, tools }: Setting) {
  const server = yield* start(tools)
  const measure = (name: string, size: number) => {
    const file = Files.sparse(`${folder}/sparse`, size * Files.mebibyte)
    const part = partSize(16, size)
    return hold({
      name,
      what: `upload of ${size} MiB of zeros, parts of ${part} MiB`,
      server,
      programs: tools.ours("upload", file.path, part * Files.mebibyte),
      problem: (_run, received) => {
        const bytes = received.reduce((sum, { bytes }) => sum + bytes, 0)
        return bytes === file.size ? undefined : `${bytes} bytes came, not ${file.size}`
      }
    }, rounds)
  }
  return [yield* measure("rssMB1g", scaled(1_024)), yield* measure("rssMB16g", scaled(16_384))]
}, Effect.scoped)
