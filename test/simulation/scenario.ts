/**
 * The events of a simulation, as plain data that a seed generates: the work of each program, the crashes and the
 * faults. A scenario that fails is made smaller by removing parts of it.
 */
import { PCGRandom } from "effect/Utils"
import { mebibyte } from "../../src/protocol/Limits.ts"
import type * as Faults from "../../src/testing/Faults.ts"

/** An archive that is uploaded, and then downloaded unless `download` is "none". */
export interface Work {
  /** The name of its checkpoint and of its files. */
  readonly name: string
  /** Several archives may have the same description, or none (""). */
  readonly description: string
  /** Bytes. */
  readonly size: number
  /** A `plain` upload has no checkpoint: after a crash its outcome is unknown. */
  readonly upload: "plain" | "resumable"
  readonly source: "bytes" | "file" | "stream"
  readonly concurrency: number
  readonly download: "none" | "stream" | "file" | "kept file"
}

/**
 * Archives that are in the vault from the beginning. Some are selected from an inventory and retrieved, deleted, or
 * moved: retrieved and then deleted.
 */
export interface Batch {
  readonly name: string
  readonly act: "retrieve" | "delete" | "move"
  /** Bytes of each archive. */
  readonly sizes: ReadonlyArray<number>
  /** The number of archives that are selected: the first ones. */
  readonly selected: number
  readonly concurrency: number
}

/** The end of a process before it is done. */
export interface Crash {
  /** The time since its start (ms). */
  readonly after: number
  /** An interrupted process can clean up. A power cut may lose bytes that were not fsynced. */
  readonly how: "interrupted" | "killed" | "power cut"
}

/** A program that does its works concurrently and is restarted after each crash. */
export interface Client {
  readonly works: ReadonlyArray<Work>
  readonly batches: ReadonlyArray<Batch>
  readonly crashes: ReadonlyArray<Crash>
  /** A second process on the same host, which downloads the same archives to the same files. */
  readonly rival?: { readonly crashes: ReadonlyArray<Crash> } | undefined
}

export interface Scenario {
  readonly seed: number
  /** The time that a retrieval takes (ms). */
  readonly jobDelay: number
  /** The longest time that a piece of a job's output takes (ms). */
  readonly outputDelay: number
  readonly clients: ReadonlyArray<Client>
  /** The share of requests that a fault strikes, 0 to 0.3; or the faults. */
  readonly faults: number | ReadonlyArray<Faults.Step>
}

/** Generates the scenario of a seed. */
export const make = (seed: number): Scenario => {
  const random = new PCGRandom(seed, 1)
  const chance = (probability: number) => random.number() < probability
  const among = <A>(first: A, ...others: ReadonlyArray<A>): A => others[random.integer(others.length + 1) - 1] ?? first
  const times = <A>(length: number, one: (index: number) => A) => Array.from({ length }, (_, index) => one(index))

  /**
   * In a `crowd` several hosts open multipart uploads at about the same time that differ in their bytes only. In a `race`
   * two processes download to one file.
   */
  const kind = among("mixed", "mixed", "mixed", "mixed", "mixed", "mixed", "mixed", "mixed", "crowd", "race")
  const [isCrowd, isRace] = [kind === "crowd", kind === "race"]
  const descriptions = isCrowd ? among("equal", "none") : among("own", "own", "equal", "none")
  const describe = { own: (name: string) => name, equal: () => "backup", none: () => "" }[descriptions]

  /** The whole MiBs of an archive. */
  const wholes = () => isCrowd ? 1 : isRace ? 3 : random.integer(3)
  const work = (name: string): Work => ({
    name,
    description: describe(name),
    size: kind === "mixed" && chance(0.1)
      ? 1 + random.integer(100_000)
      : wholes() * mebibyte + 1 + random.integer(mebibyte),
    upload: chance(0.4) ? "plain" : "resumable",
    source: among("bytes", "file", "stream"),
    concurrency: isRace ? 1 : 1 + random.integer(3),
    download: isCrowd
      ? "none"
      : isRace
      ? among("file", "file", "kept file")
      : among("none", "none", "none", "none", "stream", "file", "kept file")
  })
  const batch = (name: string): Batch => ({
    name,
    act: among("retrieve", "delete", "move"),
    sizes: times(1 + random.integer(4), () => 1 + random.integer(chance(0.8) ? 100_000 : mebibyte)),
    selected: 1 + random.integer(3),
    concurrency: 1 + random.integer(3)
  })
  /** Most crashes fall into the time that a run without faults takes, the others up to minutes later. */
  const crash = (...how: readonly [Crash["how"], ...ReadonlyArray<Crash["how"]>]): Crash => ({
    after: 1 +
      (chance(0.7)
        ? random.integer({ mixed: 3_000, crowd: 600, race: 8_000 }[kind])
        : Math.floor(10 ** (5 * random.number()))),
    how: among(...how)
  })
  const client = (index: number): Client => {
    const selects = kind === "mixed" && chance(0.1)
    const count = selects ? among(0, 1) : kind === "mixed" ? among(1, 1, 1, 2) : 1
    const works = times(count, (number) => work(`archive-${index}-${number}`))
    // A power cut would end both processes of the host.
    const end = () =>
      isRace ? crash("interrupted", "killed") : crash("interrupted", "killed", "killed", "power cut", "power cut")
    return {
      works,
      batches: selects ? [batch(`batch-2-${index}`)] : [],
      crashes: times(among(0, 0, 0, 1, 1, 2), end),
      rival: isRace ? { crashes: times(among(1, 2), end) } : undefined
    }
  }

  return {
    seed,
    jobDelay: among(0, 0, 0, 3_000),
    // A process can end and start again while another waits for its next piece.
    outputDelay: isRace ? 3_000 : 0,
    clients: times(isCrowd ? among(2, 3) : isRace ? 1 : among(1, 1, 1, 1, 1, 2), client),
    faults: !isCrowd && chance(0.3) ? 0 : 0.3 * random.number()
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

/** Yields scenarios with a little less of everything, the largest steps first. `script` lists its faults. */
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
    if (client.rival !== undefined) {
      yield replaced({ rival: undefined })
      const { crashes } = client.rival
      for (const crash of crashes.keys()) yield replaced({ rival: { crashes: without(crashes, crash) } })
    }
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
 * Finds the smallest scenario near a failing one that still fails. `fails` returns the faults that struck a scenario if it
 * fails.
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
