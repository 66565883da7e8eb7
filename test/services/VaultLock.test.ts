/** Locks of a vault on the emulator: begun, tested, completed, aborted, kept, lost and resumed. */
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import { ConnectionError } from "../../src/protocol/GlacierError.ts"
import { AccessDenied } from "../../src/protocol/ServiceError.ts"
import * as VaultLock from "../../src/services/VaultLock.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import { fates } from "../policy/support.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { address, type Change, lost, recording, replacing } from "../transfer/support.ts"
import { type Death, runOn, storeAll } from "./many.ts"
import { layer } from "./support.ts"

const statement = {
  Effect: "Deny",
  Principal: "*",
  Action: "glacier:DeleteArchive",
  Resource: "arn:aws:glacier:us-east-1:*:vaults/photos",
  Condition: { NumericLessThan: { "glacier:ArchiveAgeInDays": "365" } }
}

const policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] })

/** The same policy in other words. */
const reworded = JSON.stringify({
  Id: "policy",
  Statement: {
    Sid: "a year",
    Condition: { numericlessthan: { "glacier:archiveageindays": ["365"] } },
    Resource: [statement.Resource],
    Action: ["glacier:deleteArchive"],
    Principal: { AWS: ["*"] },
    Effect: "Deny"
  },
  Version: "2012-10-17"
})

const other = policy.replace("365", "366")

const begin = VaultLock.begin("photos", policy)

/** The lock that the vault has. */
const found = Effect.flatMap(GlacierClient, (glacier) => glacier.getVaultLock(address)).pipe(
  Effect.asSome,
  Effect.catchTag("VaultLockNotSet", () => Effect.succeedNone)
)

const initiateOther = Effect.flatMap(
  GlacierClient,
  (glacier) => glacier.initiateVaultLock({ ...address, policy: other })
)

const abort = Effect.flatMap(GlacierClient, (glacier) => glacier.abortVaultLock(address))

const deleteArchive = Effect.gen(function*() {
  const glacier = yield* GlacierClient
  const [archive] = yield* storeAll(["a"], () => 1)
  return yield* glacier.deleteArchive({ ...address, archiveId: archive?.archiveId ?? "" })
})

const provided = Effect.provide([layer(), Checkpoint.layerMemory])

describe("VaultLock.begin", () => {
  it.effect("puts the policy in force for 24 hours, lets it be tested, and completes it", () =>
    Effect.gen(function*() {
      const before = yield* DateTime.now
      yield* Effect.scoped(Effect.gen(function*() {
        const lock = yield* begin
        expect(lock.policy).toBe(policy)
        expect(lock.expires).toEqual(DateTime.addDuration(before, "1 day"))
        expect(yield* lock.test(Effect.flip(deleteArchive))).toBeInstanceOf(AccessDenied)
        yield* TestClock.adjust("23 hours")
        yield* lock.complete
        yield* lock.complete
      }))
      expect(yield* found).toMatchObject(Option.some({ policy, state: "Locked" }))
    }).pipe(provided))

  it.effect.each([
    { end: "a test fails", use: (lock: VaultLock.Lock) => lock.test(Effect.fail("allowed")) },
    { end: "it is interrupted", use: () => Effect.interrupt },
    { end: "it ends without completing it", use: () => Effect.void }
  ])("aborts the lock when the Scope closes because $end", ({ use }) =>
    Effect.gen(function*() {
      yield* Effect.exit(Effect.scoped(Effect.flatMap(begin, use)))
      expect(yield* found).toEqual(Option.none())
    }).pipe(provided))

  it.effect("keeps the lock if asked to, and resumes it by the same policy in other words", () =>
    Effect.gen(function*() {
      const { lockId } = yield* Effect.scoped(VaultLock.begin("photos", policy, { onClose: "keep" }))
      yield* TestClock.adjust("20 hours")
      yield* Effect.scoped(Effect.gen(function*() {
        const lock = yield* VaultLock.begin("photos", reworded)
        expect(lock.lockId).toBe(lockId)
        yield* lock.complete
      }))
      expect(yield* found).toMatchObject(Option.some({ state: "Locked" }))
    }).pipe(provided))

  it.effect("replaces its own lock when the policy has changed", () =>
    Effect.gen(function*() {
      const { lockId } = yield* Effect.scoped(VaultLock.begin("photos", other, { onClose: "keep" }))
      yield* Effect.scoped(Effect.gen(function*() {
        const lock = yield* begin
        expect(lock.lockId).not.toBe(lockId)
        expect(yield* found).toMatchObject(Option.some({ policy, state: "InProgress" }))
      }))
      expect(yield* found).toEqual(Option.none())
    }).pipe(provided))

  it.effect("begins another lock after an earlier one has expired", () =>
    Effect.gen(function*() {
      yield* Effect.scoped(VaultLock.begin("photos", policy, { onClose: "keep" }))
      yield* TestClock.adjust("25 hours")
      yield* Effect.scoped(Effect.flatMap(begin, ({ complete }) => complete))
      expect(yield* found).toMatchObject(Option.some({ state: "Locked" }))
    }).pipe(provided))

  it.effect("neither replaces nor aborts a lock of another program", () =>
    Effect.gen(function*() {
      yield* initiateOther
      expect(yield* Effect.flip(Effect.scoped(begin))).toMatchObject({ _tag: "VaultLockInProgress" })
      expect(yield* found).toMatchObject(Option.some({ policy: other, state: "InProgress" }))
    }).pipe(provided))

  it.effect("fails with LockExpired after 24 hours, and completes nothing", () =>
    Effect.gen(function*() {
      const error = yield* Effect.scoped(Effect.gen(function*() {
        const { complete } = yield* begin
        yield* TestClock.adjust("24 hours")
        return yield* Effect.flip(complete)
      }))
      expect(error).toMatchObject({ _tag: "LockExpired" })
      expect(error.message).toMatch(/^The lock \S+ of vault photos expired at \S+: begin another/)
      expect(yield* found).toEqual(Option.none())
    }).pipe(provided))

  it.effect.each([
    { how: "aborted", replace: abort, message: /another program aborted it$/ },
    { how: "replaced", replace: Effect.zipRight(abort, initiateOther), message: /began another at .* with the policy/ }
  ])(
    "fails with LockReplaced when it was $how, and leaves the other lock alone",
    ({ message, replace }) =>
      Effect.gen(function*() {
        const after = yield* Effect.scoped(Effect.gen(function*() {
          const lock = yield* begin
          const error = yield* Effect.flip(lock.test(replace))
          expect(error).toMatchObject({ _tag: "LockReplaced" })
          expect(error).toHaveProperty("message", expect.stringMatching(message))
          expect(yield* Effect.flip(lock.complete)).toMatchObject({ _tag: "LockReplaced" })
          return yield* found
        }))
        expect(yield* found).toEqual(after)
      }).pipe(provided)
  )

  it.effect.each([
    { field: "vaultName", name: "a/b", text: policy },
    { field: "policy", name: "photos", text: "{" }
  ])("rejects an invalid $field before it sends anything", ({ field, name, text }) => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      expect(yield* Effect.flip(Effect.scoped(VaultLock.begin(name, text)))).toMatchObject({
        _tag: "InvalidInput",
        field
      })
      expect(sent).toEqual([])
    }).pipe(Effect.provide([layer(change), Checkpoint.layerMemory]))
  })

  it.effect("leaves a kept lock alone when a later call fails before it resumes it", () =>
    Effect.gen(function*() {
      yield* Effect.scoped(VaultLock.begin("photos", policy, { onClose: "keep" }))
      const before = yield* found
      yield* Effect.flip(Effect.scoped(VaultLock.begin("photos", "{")))
      yield* Effect.flip(Effect.scoped(begin)).pipe(
        replacing(() => ({
          getVaultLock: () => new ConnectionError({ operation: "GetVaultLock", message: "reset" })
        }))
      )
      expect(yield* found).toEqual(before)
      yield* Effect.scoped(begin)
      expect(yield* found).toEqual(Option.none())
    }).pipe(provided))

  it.effect("aborts the lock whose response was lost, because its id is lost, and begins another", () => {
    let losses = 2
    const { change: record, sent } = recording()
    const change: Change = (send, request) => {
      const isInitiate = request.method === "POST" && request.url.endsWith("/lock-policy")
      const seen = record(send, request)
      return isInitiate && losses-- > 0 ? Effect.zipRight(seen, lost(request)) : seen
    }
    return Effect.gen(function*() {
      yield* Effect.scoped(Effect.flatMap(begin, ({ complete }) => complete))
      expect(yield* found).toMatchObject(Option.some({ policy, state: "Locked" }))
      expect(sent.filter((request) => request.startsWith("DELETE"))).toHaveLength(2)
    }).pipe(Effect.provide([layer(change), Checkpoint.layerMemory]))
  })

  it.effect("leaves a lock of another program alone when its own request was lost on the way", () => {
    const change: Change = (send, request) =>
      request.method === "POST" && request.url.endsWith("/lock-policy") ? lost(request) : send
    return Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.scoped(begin)).pipe(
        replacing(() => ({
          getVaultLock: () =>
            Effect.map(DateTime.now, (creationDate) => ({
              creationDate,
              expirationDate: Option.none(),
              policy: other,
              state: "InProgress" as const
            })),
          abortVaultLock: () => Effect.die("It aborted the lock of another program")
        }))
      )
      expect(error).toMatchObject({ _tag: "OutcomeUnknown" })
    }).pipe(Effect.provide([layer(change), Checkpoint.layerMemory]))
  })

  // A store that loses an entry after it has stored it loses the lock, too: only its id could show whose it is.
  const durable = fates.filter((fate) => fate !== "lost")

  const deaths: FastCheck.Arbitrary<ReadonlyArray<Death>> = FastCheck.array(
    FastCheck.record({ writes: FastCheck.integer({ min: 1, max: 4 }), fate: FastCheck.constantFrom(...durable) }),
    { maxLength: 5 }
  )

  it.effect.prop(
    "completes the lock in the end, however often the program dies",
    [deaths],
    ([deaths]) => {
      const { change, sent } = recording()
      return Effect.gen(function*() {
        const pages = new Map<string, string>()
        const program = Effect.scoped(Effect.flatMap(begin, ({ complete }) => complete))
        for (const death of deaths) yield* Effect.exit(runOn(pages, program, death))
        // A run that was not killed has completed the lock already.
        yield* Effect.catchTag(runOn(pages, program), "VaultLocked", () => Effect.void)
        expect(yield* found).toMatchObject(Option.some({ policy, state: "Locked" }))
        // No death leaves a lock in progress that the next run does not find.
        const begun = sent.filter((request) => request === "POST /-/vaults/photos/lock-policy").length
        expect(begun).toBeLessThanOrEqual(deaths.length + 1)
      }).pipe(Effect.provide(layer(change)), Effect.provide(FileSystem.layerNoop({})), inVirtualTime)
    },
    { fastCheck: { numRuns: 40 } }
  )
})

describe("VaultLock.resume", () => {
  it.effect("completes a lock that another program has begun, by its id", () =>
    Effect.gen(function*() {
      const { lockId } = yield* initiateOther
      yield* Effect.scoped(Effect.gen(function*() {
        const lock = yield* VaultLock.resume("photos", lockId)
        expect(lock).toMatchObject({ lockId, policy: other })
        yield* lock.complete
      }))
      expect(yield* found).toMatchObject(Option.some({ policy: other, state: "Locked" }))
    }).pipe(provided))

  it.effect("keeps the lock by default, and completes none with a wrong id", () =>
    Effect.gen(function*() {
      yield* initiateOther
      const error = yield* Effect.scoped(
        Effect.flatMap(VaultLock.resume("photos", "wrong"), ({ complete }) => Effect.flip(complete))
      )
      expect(error).toMatchObject({ _tag: "InvalidParameterValue" })
      expect(yield* found).toMatchObject(Option.some({ policy: other, state: "InProgress" }))
    }).pipe(provided))

  it.effect("fails for a vault without a lock", () =>
    Effect.gen(function*() {
      expect(yield* Effect.flip(Effect.scoped(VaultLock.resume("photos", "id")))).toMatchObject({
        _tag: "VaultLockNotSet"
      })
    }).pipe(provided))
})

describe("VaultLock.find", () => {
  const find = VaultLock.find("photos")

  const keep = Effect.scoped(VaultLock.begin("photos", policy, { onClose: "keep" }))

  it.effect("finds a kept lock without its policy or id, keeps it, and completes it", () =>
    Effect.gen(function*() {
      const { expires, lockId } = yield* keep
      yield* TestClock.adjust("1 hour")
      expect(yield* Effect.scoped(find)).toMatchObject(Option.some({ lockId, policy, expires }))
      yield* Effect.scoped(Effect.flatMap(Effect.flatten(find), ({ complete }) => complete))
      expect(yield* found).toMatchObject(Option.some({ policy, state: "Locked" }))
      expect(yield* Effect.scoped(find)).toEqual(Option.none())
    }).pipe(provided))

  it.effect("aborts the lock when the Scope closes, if asked to", () =>
    Effect.gen(function*() {
      yield* keep
      yield* Effect.scoped(VaultLock.find("photos", { onClose: "abort" }))
      expect(yield* found).toEqual(Option.none())
    }).pipe(provided))

  it.effect("finds no lock that another program has begun", () =>
    Effect.gen(function*() {
      yield* initiateOther
      expect(yield* Effect.scoped(find)).toEqual(Option.none())
      expect(yield* found).toMatchObject(Option.some({ policy: other, state: "InProgress" }))
    }).pipe(provided))

  it.effect("fails when the lock has expired, or another program has replaced it", () =>
    Effect.gen(function*() {
      yield* keep
      yield* abort
      yield* initiateOther
      expect(yield* Effect.flip(Effect.scoped(find))).toMatchObject({ _tag: "LockReplaced" })
      yield* TestClock.adjust("25 hours")
      expect(yield* Effect.flip(Effect.scoped(find))).toMatchObject({ _tag: "LockExpired" })
    }).pipe(provided))

  it.effect("locks the vault of another account", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Effect.scoped(VaultLock.begin("photos", policy, { accountId: "999988887777" }))
      )
      expect(error).toMatchObject({ _tag: "AccessDenied" })
      expect(yield* found).toEqual(Option.none())
    }).pipe(provided))
})
