/** 10,000 archives of 4 KiB, four in flight. */
import { Effect } from "effect"
import { hold } from "../contest.ts"
import { sha256 } from "../files.ts"
import { type Received, start } from "../server/start.ts"
import type { Setting } from "./setting.ts"

export const size = 4_096

/** Of the bytes that all programs send. */
export const digest = Buffer.from(sha256(Buffer.alloc(size, "glacier"))).toString("hex")

/** Whether so many archives came, all of them right. */
export const problemOf = (received: ReadonlyArray<Received>, count: number) => {
  const right = received.filter(({ bytes, request, sha256, treeHash }) =>
    request === "POST archives" && bytes === size && sha256 === digest && treeHash === digest
  )
  return right.length === count && received.length === count
    ? undefined
    : `${right.length} right archives came in ${received.length} requests, not ${count}`
}

export const small = Effect.fnUntraced(function*({ rounds, scaled, tools }: Setting) {
  const server = yield* start(tools)
  const count = scaled(10_000)
  const result = yield* hold({
    name: "small10k",
    what: `${count.toLocaleString("en")} archives of 4 KiB, four in flight`,
    server,
    programs: {
      ours: tools.bundled("ours/small", count, size),
      js: tools.bundled("peers/js/small", count, size),
      boto3: tools.boto3("small", count, size)
    },
    problem: (_run, received) => problemOf(received, count)
  }, rounds)
  return [result]
}, Effect.scoped)
