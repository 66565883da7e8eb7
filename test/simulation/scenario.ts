/**
 * What happens in a simulation, as plain data that a seed gives: who does what, who dies when, and what goes wrong. A
 * scenario that fails is made smaller by leaving some of it out.
 */
import { PCGRandom } from "effect/Utils"
import { mebibyte } from "../../src/protocol/Limits.ts"
import type * as Faults from "../../src/testing/Faults.ts"

/** An archive that is uploaded, and retrieved if it says so. Its name is its description. */
export interface Work {
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** `plain` uploads have no checkpoint: after a crash nobody knows what has become of them. */
  readonly upload: "plain" | "resumable"
  readonly source: "bytes" | "file" | "stream"
  readonly concurrency: number
  readonly download: "none" | "stream" | "file" | "kept file"
}

/**
 * Archives that are in the vault from the beginning, of which some are selected from an inventory and retrieved, deleted,
 * or moved: what was retrieved is deleted.
 */
export interface Batch {
  readonly name: string
  readonly act: "retrieve" | "delete" | "move"
  /** Bytes of each archive. */
  readonly sizes: ReadonlyArray<number>
  /** How many of them are selected: the first ones. */
  readonly selected: number
  readonly concurrency: number
}

/** The death of a process, so long after it was started (ms). With the power what was not fsynced may be lost. */
export interface Crash {
  readonly after: number
  readonly power: boolean
}

/** A program that does its work side by side, and is started again whenever it died. */
export interface Client {
  readonly works: ReadonlyArray<Work>
  readonly batches: ReadonlyArray<Batch>
  readonly crashes: ReadonlyArray<Crash>
}

export interface Scenario {
  readonly seed: number
  /** How long a retrieval takes (ms). */
  readonly jobDelay: number
  readonly clients: ReadonlyArray<Client>
  /** How many of the requests something goes wrong with, 0 to 0.3; or what goes wrong. */
  readonly faults: number | ReadonlyArray<Faults.Step>
}

/** The scenario of a seed. */
export const make = (seed: number): Scenario => {
  const random = new PCGRandom(seed, 1)
  const chance = (probability: number) => random.number() < probability
  const among = <A>(first: A, ...others: ReadonlyArray<A>): A => others[random.integer(others.length + 1) - 1] ?? first
  const times = <A>(length: number, one: (index: number) => A) => Array.from({ length }, (_, index) => one(index))

  const work = (name: string): Work => ({
    name,
    size: chance(0.1) ? 1 + random.integer(100_000) : random.integer(3) * mebibyte + 1 + random.integer(mebibyte),
    upload: chance(0.4) ? "plain" : "resumable",
    source: among("bytes", "file", "stream"),
    concurrency: 1 + random.integer(3),
    download: among("none", "none", "none", "none", "stream", "file", "kept file")
  })
  const batch = (name: string): Batch => ({
    name,
    act: among("retrieve", "retrieve", "delete", "move"),
    sizes: times(1 + random.integer(4), () => 1 + random.integer(chance(0.8) ? 100_000 : mebibyte)),
    selected: 1 + random.integer(3),
    concurrency: 1 + random.integer(3)
  })
  /** Most in the seconds in which all is done if nothing goes wrong, the others up to minutes later. */
  const crash = (): Crash => ({
    after: 1 + (chance(0.7) ? random.integer(3_000) : Math.floor(10 ** (5 * random.number()))),
    power: chance(0.5)
  })

  return {
    seed,
    jobDelay: among(0, 0, 0, 3_000),
    clients: times(among(1, 1, 1, 1, 1, 2), (client) => {
      const selects = chance(0.1)
      return {
        works: times(selects ? among(0, 1) : among(1, 1, 1, 2), (index) => work(`archive-${client}-${index}`)),
        batches: selects ? [batch(`batch-2-${client}`)] : [],
        crashes: times(among(0, 0, 0, 1, 1, 2), crash)
      }
    }),
    faults: chance(0.3) ? 0 : 0.3 * random.number()
  }
}

const without = <A>(items: ReadonlyArray<A>, index: number, count = 1): ReadonlyArray<A> => [
  ...items.slice(0, index),
  ...items.slice(index + count)
]

const replacing = <A>(items: ReadonlyArray<A>, index: number, item: A): ReadonlyArray<A> => [
  ...items.slice(0, index),
  item,
  ...items.slice(index + 1)
]

/** The same with a little less of everything, most first. `script` is what goes wrong in it. */
function* smaller(scenario: Scenario, script: ReadonlyArray<Faults.Step>): Generator<Scenario> {
  const { clients } = scenario
  for (let count = script.length; count > 0; count >>= 1) {
    for (let index = 0; index < script.length; index += count) {
      yield { ...scenario, faults: without(script, index, count) }
    }
  }
  for (const [index, client] of clients.entries()) {
    const replaced = (change: Partial<Client>) => ({
      ...scenario,
      clients: replacing(clients, index, { ...client, ...change }),
      faults: script
    })
    if (clients.length > 1) yield { ...scenario, clients: without(clients, index), faults: script }
    for (const crash of client.crashes.keys()) yield replaced({ crashes: without(client.crashes, crash) })
    for (const [number, work] of client.works.entries()) {
      if (client.works.length + client.batches.length > 1) yield replaced({ works: without(client.works, number) })
      const simpler = (change: Partial<Work>) =>
        replaced({ works: replacing(client.works, number, { ...work, ...change }) })
      if (work.download !== "none") yield simpler({ download: "none" })
      if (work.concurrency > 1) yield simpler({ concurrency: 1 })
    }
    for (const [number, batch] of client.batches.entries()) {
      if (client.works.length > 0) yield replaced({ batches: without(client.batches, number) })
      const simpler = (change: Partial<Batch>) =>
        replaced({ batches: replacing(client.batches, number, { ...batch, ...change }) })
      if (batch.sizes.length > 1) yield simpler({ sizes: batch.sizes.slice(0, -1) })
      if (batch.concurrency > 1) yield simpler({ concurrency: 1 })
    }
  }
}

/**
 * The smallest scenario near a failing one that still fails. `fails` tells what went wrong in one, if it fails.
 */
export const shrink = async (
  scenario: Scenario,
  fails: (scenario: Scenario) => Promise<ReadonlyArray<Faults.Step> | undefined>,
  runs = 400
): Promise<Scenario> => {
  let smallest = scenario
  let script = await fails(scenario)
  for (let isSmaller = true; isSmaller && script !== undefined;) {
    isSmaller = false
    for (const candidate of smaller(smallest, script)) {
      if (--runs < 0) return smallest
      const injected = await fails(candidate)
      if (injected === undefined) continue
      smallest = candidate
      script = injected
      isSmaller = true
      break
    }
  }
  return smallest
}
