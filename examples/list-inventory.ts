/**
 * Lists the archives of a vault from its inventory, as a Stream. Runs against the emulator over HTTP.
 *
 *     node --import tsx examples/list-inventory.ts [JSON|CSV]
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Duration, Effect, Layer, Option, Schedule, Schema, Stream } from "effect"
import { Source, Vault } from "effect-glacier"
import { NodeEmulator } from "effect-glacier/node"
import { Jobs } from "effect-glacier/protocol"

const utf8 = new TextEncoder()

const program = Effect.gen(function*() {
  const format = yield* Schema.decodeUnknown(Jobs.InventoryFormat)(process.argv[2] ?? "JSON")
  const vault = yield* Vault.Vault
  yield* vault.create
  yield* Effect.forEach(
    ["letters/1.txt", "letters/2, \"the second\".txt", "C:\\letters\\"],
    (description) => vault.upload(Source.bytes(utf8.encode(description)), { description })
  )

  const job = yield* vault.retrieveInventory({ format })
  yield* job.wait(Schedule.spaced("200 millis"))
  const inventory = yield* job.inventory
  const age = Option.match(yield* inventory.age, {
    onNone: () => "of unknown age",
    onSome: (age) => `${Math.round(Duration.toHours(age))} hours old`
  })
  yield* Console.log(`${inventory._tag} inventory in ${inventory.format}, ${age}:`)

  // With `onMalformed`, an entry that cannot be decoded does not end the Stream.
  const archives = inventory.archives({ onMalformed: (entry) => Console.error(`Skipped: ${entry.message}`) })
  const sum = yield* Stream.runFoldEffect(
    archives,
    { count: 0, bytes: 0 },
    ({ bytes, count }, archive) =>
      Effect.as(Console.log(`${archive.size} bytes  ${archive.description}`), {
        count: count + 1,
        bytes: bytes + archive.size
      })
  )
  yield* Console.log(`${sum.count} archives of ${sum.bytes} bytes`)
})

const emulator = NodeEmulator.layer({ jobDelay: "1 second", inventoryDelay: 0 })

program.pipe(
  Effect.provide(Layer.provideMerge(Vault.layer("list-inventory"), emulator)),
  NodeRuntime.runMain
)
