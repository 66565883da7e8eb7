/** A vault with archives and inventories, and changes to the output of their jobs. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Job from "../../src/services/Job.ts"
import type { JobInventory } from "../../src/services/JobInventory.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Support from "../transfer/support.ts"
import { layer } from "./support.ts"

const { address } = Support

export const bytes = Support.pattern(5)

export const hour = 3_600_000

export const day = 24 * hour

/** A vault with archives of these descriptions, uploaded one an hour, and with an inventory a day later. */
export const filled = Effect.fnUntraced(function*(...descriptions: ReadonlyArray<string>) {
  const vault = yield* Vault.Vault
  for (const description of descriptions) {
    yield* vault.upload(Source.bytes(bytes), { description })
    yield* TestClock.adjust("1 hour")
  }
  yield* TestClock.setTime(day * 2)
  return vault
})

export const listed = ({ archives }: JobInventory) =>
  Effect.map(Stream.runCollect(archives()), (all) => Chunk.toReadonlyArray(all).map(({ description }) => description))

/** The emulator completes jobs at once. */
export const prompt = layer(undefined, { jobDelay: 0 })

/** The job, with a change to the bytes of its output. */
export const changed = (
  job: Job.Service,
  change: (body: Stream.Stream<Uint8Array, unknown>, start: number) => Stream.Stream<Uint8Array, never>
) =>
  Job.attach(address, job.id).pipe(Support.replacing((glacier) => ({
    getJobOutput: (input) =>
      Effect.map(glacier.getJobOutput(input), (response) => ({
        ...response,
        body: change(response.body, input.range?.start ?? 0)
      }))
  })))
