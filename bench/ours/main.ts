/** How our programs run: wired from the environment, as the guides have it. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import type * as FileSystem from "@effect/platform/FileSystem"
import type { GlacierClient } from "effect-glacier"
import { NodeGlacier } from "effect-glacier/node"
import * as Effect from "effect/Effect"
import { finish } from "../finish.ts"

export const main = <E>(
  program: Effect.Effect<object, E, GlacierClient.GlacierClient | FileSystem.FileSystem>
) => program.pipe(Effect.map(finish), Effect.provide(NodeGlacier.layer), NodeRuntime.runMain)
