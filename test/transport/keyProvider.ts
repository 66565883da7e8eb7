/** A provider of keys that records its runs. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { CredentialsError } from "../../src/protocol/GlacierError.ts"
import type * as Credentials from "../../src/transport/Credentials.ts"

/** The behaviour of one run of a provider. */
interface Run {
  /** The time from the issue of the keys to their expiration. The default is no expiration. */
  readonly life?: Duration.DurationInput
  readonly latency?: Duration.DurationInput
  readonly fails?: boolean
}

export const down = new CredentialsError({ message: "the provider is down" })

/** Makes a provider whose n-th run, which starts at a time, does what `runOf` returns. `seen` records its runs. */
export const issuer = (runOf: (n: number, at: number) => Run) => {
  const seen = {
    asked: [] as ReadonlyArray<number>,
    issued: [] as ReadonlyArray<Credentials.Keys & { readonly at: number }>,
    running: 0,
    most: 0,
    interrupted: 0
  }
  const provider = Effect.gen(function*() {
    const start = yield* Clock.currentTimeMillis
    seen.asked = [...seen.asked, start]
    seen.most = Math.max(seen.most, ++seen.running)
    const { fails = false, latency = 0, life } = runOf(seen.asked.length, start)
    yield* Effect.sleep(latency)
    if (fails) return yield* down
    const at = yield* Clock.currentTimeMillis
    const keys: Credentials.Keys = {
      accessKeyId: `ASIA${seen.asked.length}`,
      secretAccessKey: Redacted.make("secret"),
      sessionToken: Redacted.make(`token ${seen.asked.length}`),
      expiration: life === undefined ? undefined : DateTime.unsafeMake(at + Duration.toMillis(life))
    }
    seen.issued = [...seen.issued, { ...keys, at }]
    return keys
  }).pipe(
    Effect.onInterrupt(() => Effect.sync(() => seen.interrupted++)),
    Effect.ensuring(Effect.sync(() => seen.running--))
  )
  return { seen, provider }
}

/** Gets the id of the current keys. */
export const id = (credentials: Credentials.Service) => Effect.map(credentials.keys, ({ accessKeyId }) => accessKeyId)
