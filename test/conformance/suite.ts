/**
 * The conformance suite: the published cases of `src/testing`, and cases that need a disk or special emulators. Jobs complete
 * at once, and an inventory is taken after each write.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as GlacierClient from "../../src/client/GlacierClient.ts"
import { operations } from "../../src/protocol/Operations.ts"
import { cases } from "../../src/testing/Conformance.ts"
import { Transport } from "../../src/transport/Transport.ts"
import { errors } from "./suite/errors.ts"
import type { Connection } from "./suite/support.ts"
import { transfers } from "./suite/transfers.ts"

/** Adds the suite for a connection. `streams`: whether its HTTP client can send a Stream with a length. */
export const conformance = (name: string, connect: Connection, streams = true) => {
  const succeeded = new Set<string>()
  const recording = Layer.effect(
    Transport,
    Effect.map(Transport, (transport) => ({
      ...transport,
      execute: (operation, input, recover) =>
        Effect.tap(transport.execute(operation, input, recover), () => Effect.sync(() => succeeded.add(operation.name)))
    }))
  )
  const glacier = Layer.effect(GlacierClient.GlacierClient, GlacierClient.make).pipe(
    Layer.provideMerge(recording),
    Layer.provide(connect({ jobDelay: 0, inventoryDelay: 0 }))
  )
  layer(Layer.merge(glacier, NodeContext.layer), { excludeTestServices: true })(name, (it) => {
    for (const { name, run } of cases) it.effect(name, () => run)
    transfers(it)
    errors(it, connect, streams)

    it.effect("calls each operation with success at least once", () =>
      Effect.sync(() =>
        expect([...succeeded].sort()).toEqual(Object.values(operations).map(({ name }) => name).sort())
      ))
  })
}
