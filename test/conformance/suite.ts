/**
 * The behaviour of a Glacier as a client sees it: the published cases, and those that need a disk or emulators with special
 * options. The same suite runs over every way to reach a Glacier. Jobs complete at once, and an inventory is taken after
 * each write.
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
import type { Way } from "./suite/support.ts"
import { transfers } from "./suite/transfers.ts"

/** `streams`: whether the HTTP client sends streams with their length, so that a body can pause. */
export const conformance = (name: string, way: Way, streams = true) => {
  const succeeded = new Set<string>()
  const noting = Layer.effect(
    Transport,
    Effect.map(Transport, (transport) => ({
      ...transport,
      execute: (operation, input, recover) =>
        Effect.tap(transport.execute(operation, input, recover), () => Effect.sync(() => succeeded.add(operation.name)))
    }))
  )
  const glacier = Layer.effect(GlacierClient.GlacierClient, GlacierClient.make).pipe(
    Layer.provideMerge(noting),
    Layer.provide(way({ jobDelay: 0, inventoryDelay: 0 }))
  )
  layer(Layer.merge(glacier, NodeContext.layer), { excludeTestServices: true })(name, (it) => {
    for (const { name, run } of cases) it.effect(name, () => run)
    transfers(it)
    errors(it, way, streams)

    it.effect("each operation has succeeded", () =>
      Effect.sync(() =>
        expect([...succeeded].sort()).toEqual(Object.values(operations).map(({ name }) => name).sort())
      ))
  })
}
