import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import { describe, expect, it } from "tstyche"
import type { MalformedEntry } from "../../src/protocol/GlacierError.ts"
import type { Entry } from "../../src/protocol/Inventory.ts"
import type * as JobInventory from "../../src/services/JobInventory.ts"

class Broken {
  readonly _tag = "Broken"
}

class Log {
  readonly _tag = "Log"
}

declare const inventory: JobInventory.JobInventory
declare const log: (entry: MalformedEntry) => Effect.Effect<void, Broken, Log>

describe("JobInventory.archives", () => {
  it("fails with a malformed entry unless `onMalformed` handles it", () => {
    type Failing = Stream.Stream<Entry, JobInventory.ReadError | MalformedEntry>
    expect(inventory.archives()).type.toBe<Failing>()
    expect(inventory.archives({ windowSize: 1_048_576 })).type.toBe<Failing>()
  })

  it("fails as what deals with malformed entries, and needs what that needs", () => {
    expect(inventory.archives({ onMalformed: log, concurrency: 2 })).type.toBe<
      Stream.Stream<Entry, JobInventory.ReadError | Broken, Log>
    >()
  })
})

describe("JobInventory", () => {
  it("distinguishes a full inventory from a partial one", () => {
    expect<JobInventory.Full>().type.not.toBeAssignableFrom<JobInventory.Partial>()
    expect<JobInventory.Partial>().type.not.toBeAssignableFrom<JobInventory.Full>()
  })
})
