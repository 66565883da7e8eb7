/** The tree hash of a file of 4 GiB. */
import { Effect } from "effect"
import { hold } from "../contest.ts"
import * as Files from "../files.ts"
import type { Setting } from "./setting.ts"

export const hash = Effect.fnUntraced(function*({ folder, rounds, scaled, tools }: Setting) {
  const size = scaled(4_096)
  const { path, treeHash } = yield* Files.random(`${folder}/large`, size * Files.mebibyte)
  const result = yield* hold({
    name: "treeHash4g",
    what: `tree hash of ${size} MiB`,
    programs: {
      ...tools.ours("hash", path),
      limit: tools.limit("hash", path),
      botocore: tools.boto3("hash", path)
    },
    problem: (run) => run.treeHash === treeHash ? undefined : `its tree hash is ${run.treeHash}, not ${treeHash}`
  }, rounds)
  return [result]
}, Effect.scoped)
