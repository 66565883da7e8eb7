/** A program that has only the package, `effect` and `@effect/platform`: it uploads an archive and retrieves it. */
import { Vault } from "effect-glacier"
import * as Emulator from "effect-glacier/emulator/Emulator"
import * as Source from "effect-glacier/Source"
import { TestGlacier } from "effect-glacier/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"

const program = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  yield* vault.create
  const { archiveId } = yield* vault.upload(Source.bytes(new TextEncoder().encode("for the ages")))
  const job = yield* vault.retrieveArchive(archiveId)
  const waiting = yield* Effect.fork(job.wait())
  yield* TestClock.adjust("5 hours")
  yield* Fiber.join(waiting)
  const text = yield* job.output().pipe(Stream.decodeText(), Stream.mkString)
  console.log(`${Emulator.defaultKey.accessKeyId} reads: ${text}`)
})

program.pipe(
  Effect.provide(Layer.provideMerge(Vault.layer("documents"), TestGlacier.layer({ jobDelay: "4 hours" }))),
  Effect.provide(TestContext.TestContext),
  Effect.runPromise
)
