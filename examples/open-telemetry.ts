/**
 * Uploads and retrieves an archive, and prints the spans and metrics that an OpenTelemetry collector would receive. Runs
 * against the emulator over HTTP.
 *
 *     node --import tsx examples/open-telemetry.ts
 */
import { NodeSdk } from "@effect/opentelemetry"
import { NodeRuntime } from "@effect/platform-node"
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  PeriodicExportingMetricReader
} from "@opentelemetry/sdk-metrics"
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { Console, Effect, Layer, Schedule, Stream } from "effect"
import { Source, Vault } from "effect-glacier"
import { NodeEmulator } from "effect-glacier/node"

// In your program, use the exporters of your collector instead.
const spans = new InMemorySpanExporter()
const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({ exporter: metrics })

const telemetry = NodeSdk.layer(() => ({
  resource: { serviceName: "backup" },
  spanProcessor: new SimpleSpanProcessor(spans),
  metricReader: reader
}))

const backup = Effect.gen(function*() {
  const vault = yield* Vault.Vault
  yield* vault.create
  const { archiveId } = yield* vault.upload(Source.bytes(new Uint8Array(3_000_000)), { partSize: 1024 * 1024 })
  const job = yield* vault.retrieveArchive(archiveId)
  yield* job.wait(Schedule.spaced("200 millis"))
  yield* Stream.runDrain(job.output())
}).pipe(Effect.withSpan("backup"))

const report = Effect.gen(function*() {
  const finished = spans.getFinishedSpans()
  const nameOf = new Map(finished.map((span) => [span.spanContext().spanId, span.name]))
  for (const { attributes, name, parentSpanContext } of finished) {
    yield* Console.log(`span ${name} in ${nameOf.get(parentSpanContext?.spanId ?? "") ?? "nothing"}`, attributes)
  }
  yield* Effect.promise(() => reader.forceFlush())
  const scopes = metrics.getMetrics().at(-1)?.scopeMetrics ?? []
  for (const { dataPoints, descriptor } of scopes.flatMap((scope) => scope.metrics)) {
    // Effect also exports metrics of its fibers.
    if (!descriptor.name.startsWith("glacier_")) continue
    for (const { attributes, value } of dataPoints) {
      yield* Console.log(`metric ${descriptor.name} ${String(value)}`, attributes)
    }
  }
})

const vault = Layer.provideMerge(Vault.layer("photos"), NodeEmulator.layer({ jobDelay: "1 second" }))

backup.pipe(
  Effect.zipRight(report),
  // The emulator is not below the telemetry layer, because its own spans would be printed too.
  Effect.provide(Layer.merge(vault, telemetry)),
  NodeRuntime.runMain
)
