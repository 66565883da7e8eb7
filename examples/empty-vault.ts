/**
 * Empties and deletes a vault: prints a dry run, keeps an archive without a verified copy, and deletes the vault once all
 * archives have one. Runs against the emulator over HTTP, where a day takes a second.
 *
 *     node --import tsx examples/empty-vault.ts
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Schedule, Stream } from "effect"
import { Checkpoint, Decommission, DecommissionEvent, GlacierClient, JobWaiting, Source, Vault } from "effect-glacier"
import { NodeEmulator } from "effect-glacier/node"

const vaultName = "old-backups"

const store = (description: string) =>
  Effect.flatMap(
    Vault.Vault,
    (vault) => vault.upload(Source.bytes(new TextEncoder().encode(description)), { description })
  )

/** The descriptions of the archives that were copied, and whose copies were verified. */
const copied = new Set(["letters", "photos"])

const options: Decommission.Options = {
  proof: ({ description }) => Effect.sync(() => copied.has(description)),
  youngArchives: "delete",
  every: "200 millis" // by default 1 hour
}

const print = Stream.runForEach((event: DecommissionEvent.Event) => Console.log(DecommissionEvent.format(event)))

const program = Effect.gen(function*() {
  const glacier = yield* GlacierClient.GlacierClient
  const vault = yield* Vault.Vault
  yield* vault.create
  yield* Effect.forEach(["letters", "photos", "music"], store)
  yield* Effect.sleep("2 seconds") // until the service has taken an inventory

  yield* Console.log(
    Decommission.format(yield* Decommission.dryRun(vaultName, { ...options, pricePerGiBMonth: 0.0036 }))
  )

  const stopped = yield* Effect.flip(print(Decommission.run(vaultName, options)))
  yield* Console.log(stopped.message)

  copied.add("music")
  yield* print(Decommission.run(vaultName, options))
  const { _tag } = yield* Effect.flip(glacier.describeVault({ vaultName }))
  yield* Console.log(_tag)
})

program.pipe(
  Effect.provide([
    Vault.layer(vaultName),
    Checkpoint.layerMemory,
    JobWaiting.layer(JobWaiting.polling(Schedule.spaced("200 millis")))
  ]),
  Effect.provide(NodeEmulator.layer({ jobDelay: "200 millis", inventoryDelay: "1 second" })),
  NodeRuntime.runMain
)
