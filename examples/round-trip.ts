/**
 * Uploads a file to a vault and retrieves it, with every byte verified. Runs against the emulator over HTTP.
 *
 *     npm start -- [FILE]
 */
import { FileSystem, Path } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Cause, Clock, Console, Data, Effect, Exit, Layer, Schedule, Stream } from "effect"
import { ProgressBar, Source, Vault } from "effect-glacier"
import { NodeEmulator } from "effect-glacier/node"

/** A file of several MiB that `npm ci` installs. */
const sample = "node_modules/typescript/lib/typescript.js"

class Unreadable extends Data.TaggedError("Unreadable")<{ readonly message: string }> {}

class Differs extends Data.TaggedError("Differs")<{ readonly message: string }> {}

const mebibyte = 1_048_576
const mib = (bytes: number) => `${(bytes / mebibyte).toFixed(1)} MiB`

const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeMillis
    const value = yield* effect
    return [value, Math.max(1, (yield* Clock.currentTimeMillis) - start) / 1000] as const
  })

/** Compares two files chunk by chunk. */
const compare = Effect.fn("compare")(function*(left: string, right: string) {
  const [size, other] = yield* Effect.all([Source.file(left).size, Source.file(right).size])
  if (size !== other) return yield* new Differs({ message: `${left} has ${size} bytes, what came back ${other}` })
  for (let start = 0; start < size; start += 16 * mebibyte) {
    const range = { start, end: Math.min(start + 16 * mebibyte, size) - 1 }
    const [a, b] = yield* Effect.all([Source.file(left).read(range), Source.file(right).read(range)])
    if (Buffer.compare(a, b) !== 0) return yield* new Differs({ message: `What came back differs from ${left}` })
  }
})

const roundTrip = Effect.fn("roundTrip")(function*(file: string, folder: string) {
  const path = yield* Path.Path
  const vault = yield* Vault.Vault
  const often = Schedule.spaced("200 millis")

  yield* vault.create
  yield* Console.log(`Created the vault "${vault.name}"`)

  const [archive, up] = yield* timed(ProgressBar.show("Upload", (onProgress) =>
    vault.upload(Source.file(file), {
      description: path.basename(file).replace(/[^\x20-\x7e]/g, "?"),
      partSize: 2 * mebibyte,
      onProgress
    })))

  yield* Console.log("Waiting for the inventory")
  const inventoryJob = yield* vault.retrieveInventory()
  yield* inventoryJob.wait(often)
  const inventory = yield* inventoryJob.inventory
  yield* Stream.runForEach(
    inventory.archives(),
    (entry) => Console.log(`  ${entry.description}  ${entry.size} bytes  ${entry.treeHash}\n  ${entry.archiveId}`)
  )

  yield* Console.log("Waiting for the retrieval")
  const job = yield* vault.retrieveArchive(archive.archiveId)
  yield* job.wait(often)

  const back = path.join(folder, "back")
  const [, down] = yield* timed(
    ProgressBar.show("Download", (onProgress) => job.outputToFile(back, { windowSize: 2 * mebibyte, onProgress }))
  )
  yield* compare(file, back)

  yield* Console.log([
    "",
    `size        ${archive.size} bytes`,
    `parts       ${archive.parts}`,
    `tree hash   ${archive.treeHash}`,
    `upload      ${up.toFixed(2)} s   ${mib(archive.size / up)}/s`,
    `download    ${down.toFixed(2)} s   ${mib(archive.size / down)}/s`,
    "verified    every byte"
  ].join("\n"))
})

const program = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = process.argv[2] ?? sample
  const info = yield* fs.stat(file).pipe(
    Effect.mapError((error) => new Unreadable({ message: `Cannot read ${file}: ${error.message}` }))
  )
  if (info.type !== "File") return yield* new Unreadable({ message: `Cannot read ${file}: it is not a file` })
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "effect-glacier-" })
  const emulator = NodeEmulator.layer({
    directory: path.join(folder, "emulator"),
    jobDelay: "2 seconds",
    inventoryDelay: 0
  })
  yield* Effect.provide(roundTrip(file, folder), Layer.provideMerge(Vault.layer("round-trip"), emulator))
}).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

// Both the terminal and npm send Ctrl-C to this process: the second signal must not interrupt the clean-up.
process.on("SIGINT", () => {})

NodeRuntime.runMain(program.pipe(Effect.tapError((error) => Console.error(`\nFailed: ${error.message}`))), {
  disableErrorReporting: true,
  // Exits with 130 after Ctrl-C, as shells expect.
  teardown: (exit, end) => end(Exit.isSuccess(exit) ? 0 : Cause.isInterruptedOnly(exit.cause) ? 130 : 1)
})
