/**
 * Uploads many small archives, four in flight.
 *
 *     small COUNT SIZE
 */
import { Source, Vault } from "effect-glacier"
import * as Effect from "effect/Effect"
import { main } from "./main.ts"

const [count, size] = process.argv.slice(2).map(Number)
const bytes = Buffer.alloc(size ?? 0, "glacier")

main(Effect.gen(function*() {
  const vault = yield* Vault.make("bench")
  const upload = vault.upload(Source.bytes(bytes))
  yield* Effect.replicateEffect(upload, count ?? 0, { concurrency: 4, discard: true })
  return {}
}))
