/**
 * Uploads a file in parts, and reports how late the event loop was meanwhile.
 *
 *     upload FILE PART_SIZE
 */
import { Source, Vault } from "effect-glacier"
import * as Effect from "effect/Effect"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { main } from "./main.ts"

const [file = "", partSize] = process.argv.slice(2)

main(Effect.gen(function*() {
  const vault = yield* Vault.make("bench")
  const delay = monitorEventLoopDelay()
  delay.enable()
  const { treeHash } = yield* vault.upload(Source.file(file), { partSize: Number(partSize), concurrency: 4 })
  delay.disable()
  return { treeHash, loopDelayP99Ms: delay.percentile(99) / 1e6 }
}))
