/** Tests that docs/observability.md lists the spans, metrics and log annotations that a run emits. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import * as NodeTreeHash from "../../src/node/NodeTreeHash.ts"
import * as Bandwidth from "../../src/policy/Bandwidth.ts"
import * as RatePolicy from "../../src/policy/RatePolicy.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import { operations } from "../../src/protocol/Operations.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as SafePath from "../../src/transfer/SafePath.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Target from "../../src/transfer/Target.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import * as Support from "../transfer/support.ts"
import { errorResponseOf } from "../transport/support.ts"

const { mebibyte, pattern } = Support

const guide = readFileSync(resolve(import.meta.dirname, "../../docs/observability.md"), "utf8")
const quoted = (text = "") => Array.from(text.matchAll(/`([^`]+)`/g), ([, word = ""]) => word)

/** Parses the table with this head. Returns the names in the second column by the name in the first. */
const table = (head: string): Readonly<Record<string, ReadonlyArray<string>>> => {
  const rows = guide.slice(guide.indexOf(`| ${head} |`)).split("\n\n", 1)[0]?.split("\n").slice(2) ?? []
  return Object.fromEntries(rows.map((row) => {
    const [, name, others] = row.split(/ ?\| ?/)
    return [quoted(name)[0] ?? "", quoted(others).sort()]
  }))
}

/** Makes a tracer that records the names of spans and events, with the names of their attributes. */
const watching = () => {
  const names = { spans: new Map<string, Set<string>>(), events: new Map<string, Set<string>>() }
  const add = (seen: Map<string, Set<string>>, name: string, attributes: Iterable<string>) =>
    seen.set(name, new Set([...seen.get(name) ?? [], ...attributes]))
  const tracer = Tracer.make({
    context: (run) => run(),
    span: (name, parent, context, links, startTime, kind, options) => ({
      _tag: "Span",
      name,
      parent,
      context,
      links,
      kind,
      spanId: name,
      traceId: "trace",
      sampled: true,
      status: { _tag: "Started", startTime },
      attributes: new Map(Object.entries(options?.attributes ?? {})),
      attribute(key) {
        // Effect adds this attribute when a span fails.
        if (key !== "code.stacktrace") add(names.spans, name, [key])
      },
      event(event, _, attributes = {}) {
        // Effect also records each log line as an event.
        if (event.startsWith("glacier.")) add(names.events, event, Object.keys(attributes))
      },
      addLinks() {},
      end: () => add(names.spans, name, Object.keys(options?.attributes ?? {}))
    })
  })
  return { names, tracer }
}

const sorted = (seen: Map<string, Set<string>>) =>
  Object.fromEntries(Array.from(seen, ([name, attributes]) => [name, [...attributes].sort()]))

/** Runs every kind of transfer once, with a wait for every policy. */
const run = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const vault = yield* Vault.make("photos")
  const bytes = pattern(2.5 * mebibyte)
  const source = Source.bytes(bytes)

  const { archiveId } = yield* vault.upload(source, { partSize: mebibyte }).pipe(
    Effect.provideService(Bandwidth.Bandwidth, yield* Bandwidth.make({ up: 1_000_000 }))
  )
  yield* vault.upload(Source.stream(Stream.fail("broken")), { partSize: mebibyte }).pipe(Effect.flip)
  const kept = yield* vault.upload(Source.stream(Stream.concat(Stream.make(bytes), Stream.fail("broken"))), {
    partSize: mebibyte,
    onFailure: "keep"
  }).pipe(Effect.flip)
  if (typeof kept === "string" || kept._tag !== "UploadKept") return yield* Effect.dieMessage("was not kept")
  yield* vault.resumeUpload(kept.uploadId, source)
  yield* vault.uploadWithCheckpoint("photos", source, { partSize: mebibyte })

  const job = yield* vault.retrieveArchive(archiveId)
  yield* job.wait(Schedule.spaced("1 minute"))
  yield* Stream.runDrain(job.output())
  const path = yield* Target.prepare(yield* fs.makeTempDirectoryScoped(), yield* SafePath.make("photos.tar"))
  yield* job.outputToFile(path)
  yield* NodeTreeHash.ofFile(path)

  yield* Effect.all([vault.describe, vault.describe], { concurrency: 2 }).pipe(
    Effect.provide(RatePolicy.layerWith({ requestsPerSecond: 1 }))
  )
})

/** The labels of the metrics of this package. */
const labels = Effect.map(Metric.snapshot, (pairs) => {
  const seen = new Map<string, Set<string>>()
  for (const { metricKey } of pairs) {
    if (!metricKey.name.startsWith("glacier_")) continue
    seen.set(metricKey.name, new Set([...seen.get(metricKey.name) ?? [], ...metricKey.tags.map(({ key }) => key)]))
  }
  return seen
})

it.scopedLive("docs/observability.md lists exactly the spans, events, metrics and annotations that are emitted", () =>
  Effect.gen(function*() {
    const { names, tracer } = watching()
    const annotations = new Set<string>()
    const logger = Logger.make((options) => {
      for (const name of HashMap.keys(options.annotations)) annotations.add(name)
    })
    let throttled = false
    const glacier = Support.layer((send, request) => {
      if (throttled || request.method !== "PUT") return send
      throttled = true
      return Effect.succeed(HttpClientResponse.fromWeb(request, errorResponseOf(400, "ThrottlingException")))
    })
    yield* run.pipe(
      Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.log(RetryPolicy.standard)),
      Effect.provide(Layer.mergeAll(glacier, Checkpoint.layerMemory, NodeContext.layer)),
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      Effect.withTracer(tracer),
      inVirtualTime
    )
    const calls = Array.from(names.spans.keys()).filter((name) => name.startsWith("Glacier."))
    const called = new Set(calls.flatMap((name) => Array.from(names.spans.get(name) ?? [])))
    for (const name of calls) names.spans.delete(name)
    names.spans.set("Glacier.<operation>", called)
    expect(sorted(names.spans)).toEqual(table("span"))
    expect(sorted(names.events)).toEqual(table("event"))
    expect(sorted(yield* labels)).toEqual(table("metric"))
    expect([...annotations].sort()).toEqual(Object.keys(table("annotation")).sort())

    const listed = guide.split("\n").find((line) => line.startsWith("`Glacier."))
    expect(new Set(quoted(listed))).toEqual(new Set(Object.values(operations).map(({ name }) => `Glacier.${name}`)))
    expect(quoted(listed)).toEqual(expect.arrayContaining(calls))
  }))
