/**
 * A move of archives to an object store, with random faults and crashes, in virtual time. A program moves the archives and then
 * deletes those with a proof. An oracle watches each deletion and each object, and looks at both services at the end.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Entry } from "../../src/protocol/Inventory.ts"
import * as ArchiveMetadata from "../../src/s3/ArchiveMetadata.ts"
import * as ObjectStore from "../../src/s3/ObjectStore.ts"
import * as S3Destination from "../../src/s3/S3Destination.ts"
import * as DeletionPlan from "../../src/services/DeletionPlan.ts"
import type { Destination } from "../../src/services/Destination.ts"
import * as RetrievalPlan from "../../src/services/RetrievalPlan.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as TestObjectStore from "../../src/testing/TestObjectStore.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Hasher from "../../src/transport/Hasher.ts"
import { withFailedJobs } from "../goals/faultyService.ts"
import { same } from "../transfer/support.ts"
import * as Batch from "./batch.ts"
import * as Content from "./content.ts"
import { insisting } from "./insisting.ts"
import type { Archive, Scenario } from "./moveScenario.ts"
import * as Simulation from "./simulation.ts"
import * as Store from "./store.ts"
import * as World from "./world.ts"

type Destined = Destination<S3Destination.Failure, ObjectStore.ObjectStore | Checkpoint.Checkpoint>

type Prove<E, R> = (archive: Entry) => Effect.Effect<boolean, E, R>

/** Replaces pieces of the program by pieces with a bug. */
export interface Bug {
  readonly options?: Partial<S3Destination.Options>
  readonly store?: (store: ObjectStore.Service) => ObjectStore.Service
  readonly checkpoint?: (checkpoint: Checkpoint.Service) => Checkpoint.Service
  readonly destination?: (destination: Destined) => Destined
  readonly proof?: <E, R>(isProven: Prove<E, R>) => Prove<E, R | Vault.Vault>
}

/** An archive in the vault, and what else the oracle knows. */
interface Known extends Archive {
  readonly archiveId: string
  readonly bytes: Uint8Array
  readonly key: string | undefined
}

const [moving, deleting] = ["move", "deletion"]

const select = Stream.unwrap(Effect.gen(function*() {
  const vault = yield* Vault.Vault
  const job = yield* vault.retrieveInventory({ reuse: "1 hour" })
  yield* job.wait()
  return (yield* job.inventory).archives()
}))

/** Whether a plan ends although an archive failed: an object has its key, or the store has damaged the object. */
const isFinal = (outcome: RetrievalPlan.Outcome<S3Destination.Failure>): boolean =>
  outcome._tag === "Failed" && (outcome.error._tag === "ObjectRejected" || outcome.error._tag === "ObjectWrong")

/** Moves the archives, and deletes those with a proof. `onWrong` is called with the locations of damaged objects. */
const move = ({ concurrency, options }: Scenario, onWrong: (location: string) => void, bug: Bug) =>
  Effect.gen(function*() {
    const made = yield* S3Destination.make({ ...options, ...bug.options })
    const destination = bug.destination?.(made) ?? made
    const plan = yield* RetrievalPlan.make(moving, select)
    const moved = RetrievalPlan.run(plan, destination, { concurrency }).pipe(
      Stream.tap((outcome) =>
        Effect.sync(() => {
          if (outcome._tag === "Failed" && outcome.error._tag === "ObjectWrong") onWrong(outcome.error.location)
        })
      ),
      Stream.filter((outcome) => !isFinal(outcome))
    )
    // The second run finds the damaged objects again, or stores what the user has removed.
    yield* Effect.repeatN(Batch.finished(moved), 1)
    const isProven = yield* RetrievalPlan.prover(plan, destination)
    const deletion = yield* DeletionPlan.make(deleting, select)
    yield* Batch.finished(DeletionPlan.run(deletion, { concurrency, proof: bug.proof?.(isProven) ?? isProven }))
    yield* clear
  })

const clear = Effect.zipRight(RetrievalPlan.clear(moving), DeletionPlan.clear(deleting))

/** Stores the archives in the vault. */
const storeAll = (vault: Vault.Service, { archives, options }: Scenario) =>
  Effect.forEach(archives, (archive, index) => {
    const { description, path, size } = archive
    const bytes = Content.make(`${index}`, size)
    return Effect.map(vault.upload(Source.bytes(bytes), { description }), ({ archiveId }): Known => ({
      ...archive,
      archiveId,
      bytes,
      key: path === undefined ? undefined : `${options.prefix}${path}`
    }))
  })

/** Puts the objects and uploads of other programs into the bucket. Returns the ids of the uploads. */
const others = (bucket: TestObjectStore.Bucket, archives: ReadonlyArray<Known>) =>
  Effect.gen(function*() {
    const { hashes } = yield* Hasher.Hasher
    const ids = new Set<string>()
    for (const { bytes, hasUpload, key, object } of archives) {
      if (key === undefined) continue
      if (object !== "none") {
        const content = object === "equal"
          ? bytes
          : new Uint8Array(object === "smaller" ? bytes.length - 1 : bytes.length)
        const { contentSha256 } = yield* hashes(content)
        yield* bucket.attempts.put({ key, metadata: {} }, { bytes: content, contentSha256 }, { replace: false })
      }
      if (hasUpload) ids.add((yield* bucket.attempts.begin({ key, metadata: {} })).uploadId)
    }
    return ids
  })

/** The events and the remains until the end. */
interface Seen {
  readonly scenario: Scenario
  readonly world: World.World
  readonly bucket: TestObjectStore.Bucket
  readonly known: ReadonlyArray<Known>
  readonly foreign: ReadonlySet<string>
  /** The keys under which the store has damaged an object. */
  readonly damaged: ReadonlySet<string>
  readonly failures: ReadonlyArray<string>
}

/** Whether the program can move an archive at all. */
const isMovable = ({ options: { overwrite, readBack } }: Scenario, { key, object }: Known): boolean =>
  key !== undefined && (object === "none" || overwrite === true || (object === "equal" && readBack === "all"))

/** Judges an archive and its object. */
const judgeArchive = ({ bucket, damaged, failures, scenario, world }: Seen, archive: Known): ReadonlyArray<string> => {
  const { archiveId, bytes, description, key = "", object } = archive
  const problems: Array<string> = []
  const found = bucket.objects.get(key)
  const isNamed = Option.exists(
    ArchiveMetadata.decode(found?.metadata ?? {}),
    (named) => named.archiveId === archiveId && named.description === description
  )
  const isCopy = found !== undefined && same(found.bytes, bytes) && (isNamed || object === "equal")
  const isStored = world.witness.archives.has(archiveId)
  const isMoved = isCopy && !isStored
  const why = failures.at(-1)
  if (isNamed && !isCopy && !damaged.has(key)) problems.push(`${key} has wrong bytes`)
  if (isMovable(scenario, archive)) {
    if (!isMoved && !scenario.isAbandoned && !damaged.has(key)) problems.push(`${description} is not moved (${why})`)
  } else if (!isStored) {
    problems.push(`${description} is deleted and was not moved`)
  }
  return problems
}

/** Counts the jobs of an archive that should not have been started. */
const extraJobs = ({ scenario, world }: Seen, archive: Known, expired: ReadonlySet<string>): number => {
  const all = Array.from(world.witness.jobs.keys())
  const own = all.filter((jobId) => world.witness.jobs.get(jobId) === archive.archiveId)
  const lost = own.filter((jobId) => expired.has(jobId) || scenario.failedJobs.includes(all.indexOf(jobId) + 1))
  return Math.max(0, own.length - lost.length - (isMovable(scenario, archive) ? 1 : 0))
}

/** Judges what remains at the end. */
const judge = Effect.fnUntraced(function*(seen: Seen) {
  const { bucket, damaged, foreign, known, scenario, world } = seen
  const expired = yield* world.faults.expired
  // A list of jobs that is out of date lacks one job.
  const stale = (yield* world.injected).filter(({ fault, operation }) =>
    fault === "StalePage" && operation === "ListJobs"
  )
  const extra = known.reduce((sum, archive) => sum + extraJobs(seen, archive, expired), 0) - stale.length
  const keys = new Set(known.map(({ key }) => key))
  // The work on a damaged object has not ended until the user has removed it.
  const left = Array.from(bucket.uploads.values()).filter(({ key, uploadId }) =>
    !foreign.has(uploadId) && !damaged.has(key)
  )
  const aborted = Array.from(foreign).filter((uploadId) => !bucket.uploads.has(uploadId))
  return [
    ...known.flatMap((archive) => judgeArchive(seen, archive)),
    ...Array.from(bucket.objects.keys()).filter((key) => !keys.has(key)).map((key) =>
      `${key} is the key of no archive`
    ),
    ...extra > 0 ? [`${extra} jobs too many`] : [],
    ...left.length > 0 ? [`${left.length} uploads left open`] : [],
    ...aborted.length > 0 ? [`${aborted.length} uploads of other programs were aborted`] : [],
    ...world.witness.uploads.size > 0 ? ["an upload to the vault is open"] : [],
    // The log of a damaged object remains, so that each run finds the damage. Nothing leads to one without an open upload.
    ...damaged.size > 0 || scenario.isAbandoned
      ? []
      : world.disk.names().filter((name) => name.endsWith(".checkpoint")).map((name) => `left on disk: ${name}`)
  ]
})

/** Runs a scenario. Returns what is wrong at its end. */
export const run = (scenario: Scenario, bug: Bug = {}) =>
  Effect.gen(function*() {
    const { crashes, failedJobs, faults, isAbandoned, options, overwrite, seed } = {
      ...scenario,
      overwrite: scenario.options.overwrite === true
    }
    const bucket = yield* TestObjectStore.makeBucket({ sha256: scenario.sha256, pageSize: 2 })
    const problems = new Set<string>()
    let known: ReadonlyArray<Known> = []
    const isWhole = (archiveId: string) => {
      const { bytes, key = "" } = known.find((archive) => archive.archiveId === archiveId) ?? {}
      const object = bucket.objects.get(key)
      return bytes !== undefined && object !== undefined && same(object.bytes, bytes)
    }
    const world: World.World = yield* World.make({ seed, faults, outputDelay: 0, jobDelay: 0, clients: [] }).pipe(
      Effect.updateService(HttpClient.HttpClient, (http) =>
        HttpClient.transform(http, (send, request) => {
          const [, deleted] = /\/archives\/([^/]+)$/.exec(request.url) ?? []
          if (request.method === "DELETE" && deleted !== undefined && !isWhole(deleted)) {
            problems.add("an archive was deleted without a copy")
          }
          return failedJobs.length === 0 ?
            send :
            Effect.flatMap(send, (response) =>
              withFailedJobs(
                request,
                response,
                (jobId) => failedJobs.includes(Array.from(world.witness.jobs.keys()).indexOf(jobId) + 1)
              ))
        }))
    )
    const clean = yield* Simulation.vaultOver(world.witness.http)
    yield* clean.create
    known = yield* storeAll(clean, scenario)
    const foreign = yield* others(bucket, known)
    const store = yield* Store.make(bucket, scenario, (key, before, after) => {
      const isCopy = known.some((archive) => archive.key === key && same(archive.bytes, before.bytes))
      // With permission to replace, a request whose response was lost may store the same bytes again.
      if (!overwrite || (isCopy && !same(before.bytes, after.bytes))) problems.add(`${key} was replaced`)
    })

    const clock = yield* Effect.clock
    const folder = "/host"
    const failures: Array<string> = []
    const onWrong = (location: string) => {
      if (scenario.repairs) bucket.objects.delete(location.slice(location.indexOf("/", 5) + 1))
    }
    let lives = 0
    const gaveUp = yield* Simulation.live(world, {
      folder,
      crashes,
      program: (process) => {
        const isLast = lives++ === crashes.length
        return (isAbandoned && isLast
          ? Effect.zipRight(S3Destination.abortAbandoned(options), clear)
          : move(scenario, onWrong, bug)).pipe(
            insisting(failures),
            bug.store === undefined ? (self) => self : Effect.updateService(ObjectStore.ObjectStore, bug.store),
            bug.checkpoint === undefined ? (self) => self : Effect.updateService(Checkpoint.Checkpoint, bug.checkpoint),
            Effect.provide(store.layerOf(process)),
            // An object store rejects requests whose clock is wrong by more than 15 minutes.
            Effect.withClock(clock)
          )
      },
      afterCrash: Effect.void
    }).pipe(Effect.timeoutTo({
      duration: "24 hours",
      onSuccess: (reasons) => reasons,
      onTimeout: () => ["still at work after 24 hours"]
    }))
    const seen: Seen = { scenario, world, bucket, known, foreign, damaged: store.damaged, failures }
    return {
      problems: [...gaveUp, ...problems, ...yield* judge(seen)],
      archives: known.length,
      jobs: world.witness.jobs.size,
      ...store.figures,
      ...world.figures()
    }
  }).pipe(Simulation.simulated({ jobDelay: scenario.jobDelay, seed: scenario.seed }))
