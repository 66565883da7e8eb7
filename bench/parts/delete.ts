/** 10,000 archives deleted, 16 in flight, over plain TCP and over TLS. */
import { Effect } from "effect"
import { type Contest, hold } from "../contest.ts"
import type { Received } from "../server/start.ts"
import { type Transport, transports } from "../server/transports.ts"
import type { Setting } from "./setting.ts"

/** The sentence about what is wrong, if not exactly `count` deletions came. */
const problemOf = (received: ReadonlyArray<Received>, count: number) => {
  const right = received.filter(({ request }) => request === "DELETE archives").length
  return right === count && received.length === count
    ? undefined
    : `${right} deletions came in ${received.length} requests, not ${count}`
}

const contest = ({ isTls, server, what }: Transport, count: number, programs: Contest["programs"]): Contest => ({
  name: isTls ? "deleteTls10k" : "delete10k",
  what: `${count.toLocaleString("en")} archives deleted, 16 in flight${what}`,
  server,
  programs,
  problem: (_run, received) => problemOf(received, count)
})

export const deletion = Effect.fnUntraced(function*({ folder, rounds, scaled, tools }: Setting) {
  const count = scaled(10_000)
  const programs = {
    ...tools.ours("delete", count),
    js: tools.bundled("peers/js/delete", count),
    boto3: tools.boto3("delete", count)
  }
  return yield* Effect.forEach(
    yield* transports(tools, folder),
    (transport) => hold(contest(transport, count, programs), rounds)
  )
}, Effect.scoped)
