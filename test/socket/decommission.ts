/**
 * A program that tests kill and start again. It empties and deletes the vault `films`, with its checkpoint in a folder, and
 * prints its events.
 *
 *     decommission.ts FOLDER
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as NodeCheckpoint from "../../src/node/NodeCheckpoint.ts"
import * as NodeGlacier from "../../src/node/NodeGlacier.ts"
import * as Decommission from "../../src/services/Decommission.ts"
import * as DecommissionEvent from "../../src/services/DecommissionEvent.ts"
import * as JobWaiting from "../../src/services/JobWaiting.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"

const layer = Layer.provide(NodeGlacier.layerClient, Layer.merge(Credentials.layerConfig, Endpoint.layerConfig))

Decommission.run("films", {
  concurrency: 2,
  every: "200 millis",
  youngArchives: "delete",
  // The archives whose copies are verified.
  proof: ({ description }) => Effect.succeed(description !== "no copy")
}).pipe(
  Stream.runForEach((event) => Console.log(DecommissionEvent.format(event))),
  Effect.provide([
    layer,
    NodeCheckpoint.layer(process.argv[2] ?? ""),
    JobWaiting.layer(JobWaiting.polling(Schedule.spaced("100 millis")))
  ]),
  NodeRuntime.runMain
)
