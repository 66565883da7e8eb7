/**
 * Runs a decommission on the emulator in virtual time, through faults and deaths, until the vault is deleted. An oracle
 * watches each deletion.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import type * as Inside from "../../src/emulator/Inside.ts"
import * as NodeHashing from "../../src/node/NodeHashing.ts"
import type { Entry } from "../../src/protocol/Inventory.ts"
import * as Decommission from "../../src/services/Decommission.ts"
import type { Event, Reason, RunError } from "../../src/services/DecommissionEvent.ts"
import * as JobWaiting from "../../src/services/JobWaiting.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Faults from "../../src/testing/Faults.ts"
import * as TestGlacier from "../../src/testing/TestGlacier.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"
import { day, type Life } from "../policy/support.ts"
import { runOn } from "../services/many.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import type { Death, Scenario } from "./decommissionScenario.ts"

const vaultName = "photos"

/** The faults of the network and the service. */
const kinds: ReadonlyArray<Faults.Kind> = [
  "LostRequest",
  "LostResponse",
  "ResetBeforeHeaders",
  "Throttled",
  "Failed",
  "Unavailable",
  "ProxyPage",
  "ResetMidBody",
  "Truncated",
  "EmptyMarker"
]

/** The choices of the user, which change from run to run. */
interface Choices {
  youngArchives: "stop" | "delete"
  isAllProven: boolean
}

/** The knowledge of the oracle. */
interface Seen {
  readonly problems: Set<string>
  /** The archives that existed when an inventory was requested. */
  readonly listed: Set<string>
  readonly proven: Set<string>
  /** The number of deletions of each archive that reached the service. */
  readonly deletions: Map<string, number>
  /** The times at which inventory jobs were started. */
  readonly jobs: Array<number>
  readonly events: Array<Event>
  readonly stops: Array<Reason>
  deaths: number
  life: Life | undefined
  /** The number of requests until the program dies. */
  left: number
  responded: boolean
}

type Sent = ReturnType<HttpClient.HttpClient["execute"]>

const found = Effect.flatMap(
  Emulator.Emulator,
  ({ vaults }) => Effect.map(vaults, (vaults) => vaults.find((vault) => vault.vaultName === vaultName))
)

/** Checks a request before the service executes it. */
const inspect = Effect.fnUntraced(function*(
  seen: Seen,
  choices: Choices,
  { method, url }: HttpClientRequest.HttpClientRequest,
  vault: Inside.Vault | undefined
) {
  const path = new URL(url).pathname
  const now = DateTime.toEpochMillis(yield* DateTime.now)
  if (method === "POST" && path.endsWith("/jobs")) {
    seen.jobs.push(now)
    for (const { archiveId } of vault?.archives ?? []) seen.listed.add(archiveId)
    return
  }
  if (method !== "DELETE") return
  const id = path.split("/archives/")[1]
  if (path.includes("/multipart-uploads/")) seen.problems.add("an upload was aborted")
  if (id === undefined) {
    if (path.endsWith(vaultName) && (vault?.uploads.length ?? 0) > 0) {
      seen.problems.add("an open upload was in the vault")
    }
    return
  }
  seen.deletions.set(id, (seen.deletions.get(id) ?? 0) + 1)
  const archive = vault?.archives.find(({ archiveId }) => archiveId === id)
  if (archive === undefined) return
  if (!seen.listed.has(id)) seen.problems.add("an archive was deleted that was in no inventory")
  if (!seen.proven.has(id)) seen.problems.add("an archive was deleted without a proof")
  const age = now - DateTime.toEpochMillis(archive.creationDate)
  if (choices.youngArchives === "stop" && age < 90 * day) seen.problems.add("a young archive was deleted")
})

/** The client of the program. It records what reaches the service. */
const clientOf = (seen: Seen, choices: Choices, { faults, seed }: Scenario) =>
  Layer.fresh(GlacierClient.layer).pipe(
    Layer.provide(Credentials.layer(Emulator.defaultKey)),
    Layer.provide(Endpoint.layer({ region: "us-east-1" })),
    Layer.provide(Layer.provide(
      Faults.layerHttpClient,
      Faults.layer({ seed, rates: Object.fromEntries(kinds.map((kind) => [kind, faults / kinds.length])) })
    )),
    Layer.provide(Layer.effect(
      HttpClient.HttpClient,
      Effect.gen(function*() {
        const http = yield* HttpClient.HttpClient
        const emulator = yield* Emulator.Emulator
        return HttpClient.transform(http, (send, request): Sent =>
          Effect.suspend((): Sent => {
            if (seen.life?.isAlive === false) return Effect.never
            const checked = Effect.flatMap(found, (vault) => inspect(seen, choices, request, vault)).pipe(
              Effect.provideService(Emulator.Emulator, emulator),
              Effect.zipRight(send)
            )
            if (--seen.left !== 0 || seen.life === undefined) return checked
            const end = Effect.zipRight(seen.life.die, Effect.never)
            return seen.responded ? Effect.zipRight(Effect.ignore(checked), end) : end
          }))
      })
    )),
    Layer.provide(Emulator.layerHttpClient),
    Layer.orDie
  )

const store = (name: string) =>
  Effect.flatMap(
    Vault.Vault,
    (vault) => vault.upload(Source.bytes(new Uint8Array(1 + name.length)), { description: name })
  )

/** The other programs. They work until the vault is gone. */
const others = ({ stragglers, upload }: Scenario) =>
  Effect.gen(function*() {
    const glacier = yield* GlacierClient.GlacierClient
    const open = glacier.initiateMultipartUpload({ vaultName, partSize: 1_048_576 })
    const tasks: ReadonlyArray<Effect.Effect<unknown, unknown, Vault.Vault>> = [
      ...stragglers.map((hours, index) => Effect.delay(store(`straggler ${index}`), `${hours} hours`)),
      ...(upload === undefined ? [] : [Effect.delay(open, `${upload} hours`)])
    ]
    yield* Effect.forEach(tasks, (task) => Effect.ignore(task), { concurrency: "unbounded", discard: true })
  })

/** Changes what the program may do after it has stopped, and checks that the reason is true. */
const respond = Effect.fnUntraced(function*(seen: Seen, choices: Choices, reason: Reason) {
  seen.stops.push(reason)
  const vault = yield* found
  switch (reason._tag) {
    case "Unproven":
      if (reason.archives === 0 || choices.isAllProven) seen.problems.add("stopped for a proof that exists")
      choices.isAllProven = true
      return
    case "YoungArchives":
      if (choices.youngArchives === "delete") seen.problems.add("stopped for an archive that may be deleted")
      choices.youngArchives = "delete"
      return
    case "OpenUploads":
      if (vault?.uploads.length === 0) seen.problems.add("stopped for an upload that is not open")
      yield* Effect.sleep("25 hours")
      return
    default:
      seen.problems.add(`stopped: ${reason._tag}`)
  }
})

/** Runs the program until it is killed, stops or ends. Returns whether the vault is deleted. */
const live = Effect.fnUntraced(function*<R>(
  seen: Seen,
  choices: Choices,
  pages: Map<string, string>,
  program: Effect.Effect<void, RunError, R>,
  death: Death | undefined
) {
  seen.left = death !== undefined && "requests" in death ? death.requests : Infinity
  seen.responded = death !== undefined && "requests" in death && death.responded
  const end = yield* runOn(
    pages,
    Effect.either(program),
    death !== undefined && "writes" in death ? death : undefined,
    (life) => {
      seen.life = life
    }
  )
  seen.left = Infinity
  if (Option.isNone(end)) {
    seen.deaths += 1
    return false
  }
  if (Either.isRight(end.value)) return true
  const error = end.value.left
  if (error._tag === "DecommissionStopped") yield* respond(seen, choices, error.reason)
  else if (error.retry === "never" && error._tag !== "OutcomeUnknown" && error._tag !== "MalformedResponse") {
    seen.problems.add(`failed with ${error._tag}: ${error.message}`)
    return true
  }
  return false
})

/** The number of rounds that retrieved an inventory. */
const roundsOf = ({ events }: Seen): number =>
  new Set(events.flatMap((event) => event._tag === "InventoryRequested" ? [event.round] : [])).size

/** Checks what remains to be checked at the end. */
const conclude = (seen: Seen, scenario: Scenario, vault: Inside.Vault | undefined) => {
  if (vault !== undefined) seen.problems.add(`the vault still exists, with ${vault.archives.length} archives`)
  if (seen.events.at(-1)?._tag !== "VaultDeleted") seen.problems.add("the last event is not VaultDeleted")
  const rounds = roundsOf(seen)
  const deletions = Array.from(seen.deletions.values()).reduce((sum, times) => sum + times, 0)
  // Without faults of the network, only the deletions in flight at a death, and one that was not recorded, are repeated.
  const most = seen.deletions.size + seen.deaths * (scenario.concurrency + 1)
  if (scenario.faults === 0 && deletions > most) seen.problems.add(`${deletions - most} deletions too many`)
  // An inventory expires while an open upload is waited for.
  const extra = seen.jobs.length - rounds - seen.stops.filter(({ _tag }) => _tag === "OpenUploads").length
  if (scenario.faults === 0 && extra > 0) seen.problems.add(`${extra} jobs too many`)
}

/** The result of a scenario. */
export interface Result {
  readonly problems: ReadonlyArray<string>
  readonly events: ReadonlyArray<Event>
  readonly stops: ReadonlyArray<Reason>
  readonly deaths: number
  readonly rounds: number
}

/** Runs a scenario. */
export const run = (scenario: Scenario): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const seen: Seen = {
      problems: new Set(),
      listed: new Set(),
      proven: new Set(),
      deletions: new Map(),
      jobs: [],
      events: [],
      stops: [],
      deaths: 0,
      life: undefined,
      left: Infinity,
      responded: false
    }
    const choices: Choices = { youngArchives: "stop", isAllProven: false }
    yield* Effect.flatMap(Vault.Vault, ({ create }) => create)
    const stored = yield* Effect.forEach(Array.from({ length: scenario.archives }, (_, index) => `${index}`), store)
    const unproven = new Set(stored.slice(0, scenario.unproven).map(({ archiveId }) => `${archiveId}`))
    yield* Effect.sleep("100 days")
    yield* Effect.fork(others(scenario))

    const proof = ({ archiveId }: Entry) =>
      Effect.sync(() => {
        if (!choices.isAllProven && unproven.has(archiveId)) return false
        seen.proven.add(archiveId)
        return true
      })
    const program = Effect.suspend(() =>
      Stream.runForEach(
        Decommission.run(vaultName, { proof, concurrency: scenario.concurrency, youngArchives: choices.youngArchives }),
        (event) => Effect.sync(() => void seen.events.push(event))
      )
    ).pipe(
      Effect.provide(clientOf(seen, choices, scenario)),
      Effect.provide(JobWaiting.layer(JobWaiting.polling(Schedule.spaced("1 hour"))))
    )

    const pages = new Map<string, string>()
    const until = Effect.gen(function*() {
      for (const death of scenario.deaths) if (yield* live(seen, choices, pages, program, death)) return
      for (let run = 0; run < 20; run++) if (yield* live(seen, choices, pages, program, undefined)) return
      seen.problems.add("the program does not end")
    })
    const ended = yield* Effect.timeoutOption(until, "60 days")
    if (Option.isNone(ended)) seen.problems.add("the program still runs after 60 days")
    conclude(seen, scenario, yield* found)
    const { deaths, events, stops } = seen
    return { problems: Array.from(seen.problems), events, stops, deaths, rounds: roundsOf(seen) }
  }).pipe(
    Effect.provide(
      Vault.layer(vaultName).pipe(
        Layer.provideMerge(TestGlacier.layer({ jobDelay: "4 hours" })),
        Layer.merge(FileSystem.layerNoop({})),
        // The default hasher takes real time, in which the virtual clock would run ahead.
        Layer.provideMerge(NodeHashing.layer)
      )
    ),
    Effect.scoped,
    Effect.orDie,
    // The same seed leads to the same retries.
    Effect.withRandom(Random.make(scenario.seed)),
    Effect.withTracerEnabled(false),
    inVirtualTime,
    // The default scheduler sometimes waits for a timer, and the virtual clock would run ahead meanwhile.
    Effect.withScheduler(new Scheduler.MixedScheduler(Number.POSITIVE_INFINITY))
  )
