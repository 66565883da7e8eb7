/**
 * Deletes many archives, 16 in flight.
 *
 *     delete COUNT
 */
import { Vault } from "effect-glacier"
import * as Effect from "effect/Effect"
import { archiveId } from "../archiveId.ts"
import { main } from "./main.ts"

const [count = 0] = process.argv.slice(2).map(Number)

main(Effect.gen(function*() {
  const vault = yield* Vault.make("bench")
  const ids = Array.from({ length: count }, (_, index) => archiveId(index))
  yield* Effect.forEach(ids, vault.deleteArchive, { concurrency: 16, discard: true })
  return {}
}))
