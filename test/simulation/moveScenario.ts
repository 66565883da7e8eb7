/** Scenarios of a move to an object store: the archives, what other programs have there, the options, faults and crashes. */
import { PCGRandom } from "effect/Utils"
import { mebibyte } from "../../src/protocol/Limits.ts"
import type * as S3Destination from "../../src/s3/S3Destination.ts"
import { mt2 } from "../protocol/archiveNames.ts"
import type { Crash } from "./scenario.ts"

export interface Archive {
  readonly description: string
  /** The path that the description names, if it is safe. */
  readonly path: string | undefined
  readonly size: number
  /** An object that another program has put at the key of the archive: with bytes of its own, or with those of the archive. */
  readonly object: "none" | "smaller" | "of the same size" | "equal"
  /** Whether another program has an open upload at the key. */
  readonly hasUpload: boolean
}

export interface Scenario {
  readonly seed: number
  readonly archives: ReadonlyArray<Archive>
  readonly options: S3Destination.Options & { readonly prefix: string }
  /** The number of archives that are retrieved or deleted at once. */
  readonly concurrency: number
  /** Whether the store has a SHA-256 of each object. */
  readonly sha256: boolean
  /** The time that a retrieval takes (ms). */
  readonly jobDelay: number
  /** The numbers of the jobs that fail, in the order of their starts. */
  readonly failedJobs: ReadonlyArray<number>
  /** The numbers of the objects that the store damages when it creates them. */
  readonly damagedObjects: ReadonlyArray<number>
  /** Whether the user deletes an object that is reported as wrong. */
  readonly repairs: boolean
  /** The share of requests to Glacier that a fault strikes, and that of calls of the store. */
  readonly faults: number
  readonly storeFaults: number
  readonly crashes: ReadonlyArray<Crash>
  /** Whether the plan is given up after the last crash. */
  readonly isAbandoned: boolean
}

const names: ReadonlyArray<(index: number) => string> = [
  (index) => `photos/${index}.jpg`,
  (index) => `a b+c&d=e#f%2e%2e/${index}`,
  (index) => `-rf '$(x)' {${index}}`,
  (index) => `${"long ".repeat(40)}${index}/.hidden`
]

const unsafeNames: ReadonlyArray<(index: number) => string> = [
  (index) => `../${index}`,
  (index) => `/etc/${index}`,
  (index) => `a/../../${index}`,
  (index) => `c:\\${index}`,
  (index) => `con/${index}`
]

/** Generates the scenario of a seed. */
export const make = (seed: number): Scenario => {
  const random = new PCGRandom(seed, 4)
  const chance = (probability: number) => random.number() < probability
  const among = <A>(first: A, ...others: ReadonlyArray<A>): A => others[random.integer(others.length + 1) - 1] ?? first
  const times = <A>(length: number, one: (index: number) => A) => Array.from({ length }, (_, index) => one(index))
  const rarely = (most: number) => times(chance(0.8) ? 0 : 1 + random.integer(2), () => 1 + random.integer(most))
  const partSize = among(1, 1, 1, 2) * mebibyte

  const size = () =>
    among(
      () => 1 + random.integer(5_000),
      () => 1 + random.integer(5_000),
      // At the ends of parts.
      () => among(1, 2, 3) * mebibyte + among(-1, 0, 1),
      () => 1 + random.integer(3.5 * mebibyte)
    )()
  const pick = (names: ReadonlyArray<(index: number) => string>, index: number) =>
    (names[random.integer(names.length)] ?? String)(index)
  const nameOf = (index: number): Pick<Archive, "description" | "path"> => {
    if (chance(0.1)) return { description: pick(unsafeNames, index), path: undefined }
    if (chance(0.1)) {
      const path = `директория/ß ${index}`
      return { description: mt2(JSON.stringify({ filename: path, mtime: "20121105T140258Z" })), path }
    }
    const path = pick(names, index)
    return { description: path, path }
  }
  const readBack = among("none", "none", "sample", "all")
  const sha256 = chance(0.7)
  return {
    seed,
    archives: times(1 + random.integer(4), (index) => ({
      ...nameOf(index),
      size: size(),
      object: chance(0.85) ? "none" : among("smaller", "of the same size", "equal"),
      hasUpload: chance(0.1)
    })),
    options: {
      prefix: among("", "moved/"),
      partSize,
      concurrency: 1 + random.integer(3),
      overwrite: chance(0.3),
      readBack
    },
    concurrency: 1 + random.integer(3),
    sha256,
    jobDelay: among(0, 0, 3_000),
    failedJobs: rarely(4),
    // Otherwise nothing shows the damage.
    damagedObjects: sha256 || readBack === "all" ? rarely(3) : [],
    repairs: chance(0.5),
    faults: chance(0.4) ? 0 : 0.2 * random.number(),
    storeFaults: chance(0.4) ? 0 : 0.3 * random.number(),
    crashes: times(random.integer(5), () => ({
      after: 1 + random.integer(chance(0.8) ? 6_000 : 100_000),
      how: among<Crash["how"]>("interrupted", "killed", "killed", "power cut")
    })),
    isAbandoned: chance(0.1)
  }
}
