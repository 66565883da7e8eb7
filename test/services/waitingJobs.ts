/** A job of a vault, and records of the requests that a program sends while it waits for the job. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Tier } from "../../src/protocol/Jobs.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Support from "../transfer/support.ts"

export const hour = 3_600_000

export const stored = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  const { archiveId } = yield* vault.upload(Source.bytes(Support.pattern(1)))
  return { vault, archiveId }
})

/** A vault, its archive, and a job for that. */
export const retrieval = (tier?: Tier) =>
  Effect.gen(function*() {
    const { archiveId, vault } = yield* stored
    return { archiveId, vault, job: yield* vault.retrieveArchive(archiveId, { tier }) }
  })

export const arn = "arn:aws:sns:us-east-1:123456789012:done"

/** Records the times and kinds of requests about jobs. */
export const asking = () => {
  const asked: Array<{ readonly at: number; readonly what: "list" | "job" }> = []
  const change: Support.Change = (send, { method, url }) =>
    Effect.flatMap(Clock.currentTimeMillis, (at) => {
      const [, what] = /\/jobs(\/[^/]+)?$/.exec(new URL(url).pathname) ?? [undefined, "none"]
      if (method === "GET" && what !== "none") asked.push({ at, what: what === undefined ? "list" : "job" })
      return send
    })
  return { asked, change }
}

/** Runs an effect and returns the time of its end. */
export const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.zipRight(effect, Clock.currentTimeMillis)
