/**
 * The command `effect-glacier lock`: shows, begins, tests, completes or aborts the lock of a vault.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { GlacierClient } from "../../client/GlacierClient.ts"
import * as NodeCheckpoint from "../../node/NodeCheckpoint.ts"
import * as NodeGlacier from "../../node/NodeGlacier.ts"
import * as Vault from "../../services/Vault.ts"
import * as VaultLock from "../../services/VaultLock.ts"
import * as CliCommand from "../CliCommand.ts"
import * as Confirm from "../Confirm.ts"
import * as Deleting from "../Deleting.ts"
import { StateError, Usage } from "../Failures.ts"
import * as Globals from "../Globals.ts"
import { Output } from "../Output.ts"
import * as Settings from "../Settings.ts"
import * as State from "../State.ts"

type VaultState = State.VaultState

/** Shows the lock that the vault has. */
const show = Effect.fnUntraced(function*(state: VaultState) {
  const glacier = yield* GlacierClient
  const { result } = yield* Output
  yield* glacier.getVaultLock(Settings.addressOf(state)).pipe(
    Effect.map(({ creationDate, expirationDate, policy, state }) => {
      const { json, text } = Settings.policyOf(policy)
      const created = DateTime.formatIso(creationDate)
      const expires = Option.getOrNull(Option.map(expirationDate, DateTime.formatIso))
      return {
        json: { state, created, expires, policy: json },
        text: state === "Locked"
          ? `Locked since ${created}: nobody can change or remove this policy\n${text}`
          : `In progress since ${created}, to be completed until ${expires}\n${text}`
      }
    }),
    Effect.catchTag(
      "VaultLockNotSet",
      () => Effect.succeed({ json: { state: "none", created: null, expires: null, policy: null }, text: "No lock" })
    ),
    Effect.flatMap(result)
  )
})

const begin = Effect.fnUntraced(function*(state: VaultState, file: string) {
  const fs = yield* FileSystem.FileSystem
  const { note } = yield* Output
  const { account: accountId, vaultName } = state
  const policy = yield* fs.readFileString(file)
  yield* Settings.changeConfirmed(
    `put the policy in ${file} in force for the vault ${vaultName}, for 24 hours`,
    Effect.gen(function*() {
      const { expires } = yield* VaultLock.begin(vaultName, policy, { accountId, onClose: "keep" })
      yield* note(`The policy is in force until ${DateTime.formatIso(expires)}. Until then:
  1. Test that it permits what your programs do, and denies what it must deny:
     effect-glacier lock --vault ${vaultName} --test ARCHIVE-ID tries to delete an archive that may be lost
  2. Make it final by effect-glacier lock --vault ${vaultName} --complete, or remove it by --abort`)
    })
  )
  yield* show(state)
})

/** The lock in progress that `--begin` has begun with this state folder. */
const ours = Effect.fnUntraced(function*({ account: accountId, checkpoints, vaultName }: VaultState) {
  return yield* Option.match(yield* VaultLock.find(vaultName, { accountId }), {
    onSome: (lock) => Effect.succeed(lock),
    onNone: () =>
      new StateError({
        message: `${checkpoints} has no id of a lock of the vault ${vaultName}, which the service returns only once. ` +
          "Begin the lock by --begin POLICY-FILE, with this state folder"
      })
  })
})

/**
 * The policy does not deny the deletion of the archive with which it was tested.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotDenied extends Data.TaggedError("NotDenied")<{ readonly message: string }> {}

/** Tries to delete an archive, which the policy must deny. */
const tryDeletion = Effect.fnUntraced(
  function*(state: VaultState, { policy, test }: VaultLock.Lock, archiveId: string) {
    const vault = yield* Vault.Vault
    const { note } = yield* Output
    yield* Confirm.vaultName(
      state,
      `The policy in force for the vault ${state.vaultName} is\n${Settings.policyOf(policy).text}\n` +
        `This tries to delete the archive ${archiveId}, which is lost if the policy permits the deletion`
    )
    const record = yield* Deleting.makeRecorder(state, "lock-test")
    const deletion = vault.deleteArchive(archiveId).pipe(
      Effect.zipRight(record({ archiveId })),
      Effect.zipRight(
        new NotDenied({
          message: `The archive ${archiveId} is deleted: the policy does not deny it. ` +
            `effect-glacier lock --vault ${state.vaultName} --abort removes the policy`
        })
      )
    )
    yield* test(Effect.catchTag(deletion, "AccessDenied", ({ message }) => note(`The deletion was denied: ${message}`)))
  }
)

const test = Effect.fnUntraced(function*(state: VaultState, archiveId: Option.Option<string>) {
  const { result } = yield* Output
  const lock = yield* ours(state)
  if (Option.isSome(archiveId)) {
    yield* Settings.change(
      `try to delete the archive ${archiveId.value}`,
      tryDeletion(state, lock, archiveId.value)
    )
  }
  const expires = DateTime.formatIso(lock.expires)
  yield* result({
    json: { lock: lock.lockId, expires },
    text: `The lock is the one that was begun here. It can be completed until ${expires}`
  })
})

const complete = Effect.fnUntraced(function*(state: VaultState) {
  const lock = yield* ours(state)
  yield* Settings.change(
    "make the policy final",
    Effect.zipRight(
      Confirm.vaultName(
        state,
        `The policy in force for the vault ${state.vaultName} is\n${Settings.policyOf(lock.policy).text}\n` +
          "This makes it final: nobody can change or remove it afterwards, not even the owner of the account"
      ),
      lock.complete
    )
  )
  yield* show(state)
})

const abort = Effect.fnUntraced(function*(state: VaultState) {
  const glacier = yield* GlacierClient
  const vault = Settings.addressOf(state)
  const abortConfirmed = Settings.change(
    "abort the lock",
    Effect.zipRight(
      Confirm.vaultName(
        state,
        `This aborts the lock in progress of the vault ${state.vaultName}, and removes its policy`
      ),
      glacier.abortVaultLock(vault)
    )
  )
  yield* Effect.zipRight(glacier.getVaultLock(vault), abortConfirmed).pipe(
    Effect.catchTag("VaultLockNotSet", () => Effect.void)
  )
  yield* show(state)
})

interface Given {
  readonly file: Option.Option<string>
  readonly isTest: boolean
  readonly archiveId: Option.Option<string>
  readonly isComplete: boolean
  readonly isAbort: boolean
}

const run = Effect.fnUntraced(function*({ archiveId, file, isAbort, isComplete, isTest }: Given) {
  yield* Settings.atMostOne({ begin: Option.isSome(file), test: isTest, complete: isComplete, abort: isAbort })
  if (Option.isSome(archiveId) && !isTest) {
    return yield* new Usage({ message: `The archive ${archiveId.value} is only used with --test` })
  }
  const use = Effect.fnUntraced(function*(state: VaultState) {
    if (Option.isSome(file)) return yield* begin(state, file.value)
    if (isTest) return yield* test(state, archiveId)
    if (isComplete) return yield* complete(state)
    if (isAbort) return yield* abort(state)
    yield* show(state)
  })
  yield* State.withVault((state) =>
    use(state).pipe(Effect.scoped, Effect.provide(NodeCheckpoint.layer(state.checkpoints)))
  )
}, Effect.provide(NodeGlacier.layer))

/**
 * The command.
 *
 * @since 0.1.0
 * @category commands
 */
export const program = Command.make(
  "lock",
  {
    archiveId: Args.text({ name: "archive-id" }).pipe(
      Args.optional,
      Args.withDescription("With --test: an archive that may be lost, whose deletion the policy must deny")
    ),
    file: Options.file("begin", { exists: "yes" }).pipe(
      Options.optional,
      Options.withDescription("Put the policy in this file in force for 24 hours")
    ),
    isTest: Options.boolean("test").pipe(
      Options.withDescription("Verify that the lock in progress is the one that was begun here")
    ),
    isComplete: Options.boolean("complete").pipe(
      Options.withDescription("Make the policy final: nobody can change or remove it afterwards")
    ),
    isAbort: Options.boolean("abort").pipe(Options.withDescription("Abort the lock in progress, whoever began it")),
    globals: Globals.options
  },
  ({ globals, ...given }) => CliCommand.withGlobals(globals)(run(given))
).pipe(CliCommand.toProgram({
  description:
    "Show the lock of a vault: a policy that nobody can change once it is complete. Or begin, test and complete it",
  examples: [
    "effect-glacier lock --vault records",
    "effect-glacier lock --vault records --begin policy.json",
    "effect-glacier lock --vault records --complete"
  ]
}))
