/**
 * Uploads many small archives, four in flight.
 *
 *     small COUNT SIZE
 */
import { Source, Vault } from "effect-glacier"
import * as Effect from "effect/Effect"
import { main } from "./main.ts"

const [count = 0, size = 0] = process.argv.slice(2).map(Number)
const bytes = Buffer.alloc(size, "glacier")

main(Effect.gen(function*() {
  const vault = yield* Vault.make("bench")
  const upload = vault.upload(Source.bytes(bytes))
  let left = count
  const one = Effect.whileLoop({ while: () => left-- > 0, body: () => upload, step: () => {} })
  yield* Effect.replicateEffect(one, 4, { concurrency: 4, discard: true })
  return {}
}))
