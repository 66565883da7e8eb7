/**
 * Locks a vault with a policy that forbids the deletion of archives for a year. The policy is tested while it can still be
 * aborted. Runs against the emulator over HTTP.
 *
 *     node --import tsx examples/lock-vault.ts
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { Checkpoint, GlacierClient, Source, Vault, VaultLock } from "effect-glacier"
import { NodeEmulator } from "effect-glacier/node"

const vaultName = "records"

/** Forbids the deletion of archives that are younger than this number of days. */
const policyOf = (days: number) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{
      Effect: "Deny",
      Principal: "*",
      Action: "glacier:DeleteArchive",
      Resource: `arn:aws:glacier:${NodeEmulator.region}:*:vaults/${vaultName}`,
      Condition: { NumericLessThan: { "glacier:ArchiveAgeInDays": `${days}` } }
    }]
  })

/** Begins the lock, and completes it only if the archive cannot be deleted. */
const lock = (days: number, archiveId: string) =>
  Effect.gen(function*() {
    const vault = yield* Vault.Vault
    const { complete, test } = yield* VaultLock.begin(vaultName, policyOf(days))
    yield* Console.log(`In force: no archive younger than ${days} days can be deleted`)
    const denied = yield* Effect.flip(test(vault.deleteArchive(archiveId)))
    yield* Console.log(`The deletion failed with ${denied._tag}`)
    yield* complete
  }).pipe(Effect.scoped)

const program = Effect.gen(function*() {
  const glacier = yield* GlacierClient.GlacierClient
  const vault = yield* Vault.Vault
  yield* vault.create
  const upload = vault.upload(Source.bytes(new TextEncoder().encode("a record")))

  const [first, second] = yield* Effect.all([upload, upload])
  // The archive is deleted, so the test fails and the lock is aborted.
  yield* Effect.ignore(lock(0, first.archiveId))
  const { _tag } = yield* Effect.flip(glacier.getVaultLock({ vaultName }))
  yield* Console.log(`The lock was aborted: ${_tag}`)
  yield* lock(365, second.archiveId)
  const error = yield* Effect.flip(lock(1, second.archiveId))
  yield* Console.log(`Nobody can change the policy now: ${error}`)
})

program.pipe(
  Effect.provide([Vault.layer(vaultName), Checkpoint.layerMemory]),
  Effect.provide(NodeEmulator.layer({})),
  NodeRuntime.runMain
)
