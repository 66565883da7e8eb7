/** 10,000 archives of 4 KiB, four in flight, over plain TCP and over TLS. */
import { Effect } from "effect"
import { type Contest, hold } from "../contest.ts"
import { sha256 } from "../files.ts"
import type { Received } from "../server/start.ts"
import { type Transport, transports } from "../server/transports.ts"
import type { Setting } from "./setting.ts"

export const size = 4_096

/** The tree hash of the bytes that all programs send. */
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

/** The upload of `count` archives over a transport. */
export const contest = (
  { isTls, server, what }: Transport,
  count: number,
  programs: Contest["programs"]
): Contest => ({
  name: isTls ? "smallTls10k" : "small10k",
  what: `${count.toLocaleString("en")} archives of 4 KiB, four in flight${what}`,
  server,
  programs,
  problem: (_run, received) => problemOf(received, count)
})

export const small = Effect.fnUntraced(function*({ folder, rounds, scaled, tools }: Setting) {
  const count = scaled(10_000)
  const programs = {
    ...tools.ours("small", count, size),
    js: tools.bundled("peers/js/small", count, size),
    boto3: tools.boto3("small", count, size)
  }
  return yield* Effect.forEach(
    yield* transports(tools, folder),
    (transport) => hold(contest(transport, count, programs), rounds)
  )
}, Effect.scoped)
