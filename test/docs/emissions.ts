/** The tables of docs/observability.md, and the spans, events, metrics and annotations of a run. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import * as NodeTreeHash from "../../src/node/NodeTreeHash.ts"
import * as Bandwidth from "../../src/policy/Bandwidth.ts"
import * as RatePolicy from "../../src/policy/RatePolicy.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as SafePath from "../../src/transfer/SafePath.ts"
import * as Source from "../../src/transfer/Source.ts"
import * as Target from "../../src/transfer/Target.ts"
import * as Support from "../transfer/support.ts"

const { mebibyte, pattern } = Support

export const guide = readFileSync(resolve(import.meta.dirname, "../../docs/observability.md"), "utf8")

export const quoted = (text = "") => Array.from(text.matchAll(/`([^`]+)`/g), ([, word = ""]) => word)

/** Parses the table with this head. Returns the names in the second column by the name in the first. */
export const table = (head: string): Readonly<Record<string, ReadonlyArray<string>>> => {
  const rows = guide.slice(guide.indexOf(`| ${head} |`)).split("\n\n", 1)[0]?.split("\n").slice(2) ?? []
  return Object.fromEntries(rows.map((row) => {
    const [, name, others] = row.split(/ ?\| ?/)
    return [quoted(name)[0] ?? "", quoted(others).sort()]
  }))
}

/** Makes a tracer that records the names of spans and events, with the names of their attributes. */
export const watching = () => {
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

export const sorted = (seen: Map<string, Set<string>>) =>
  Object.fromEntries(Array.from(seen, ([name, attributes]) => [name, [...attributes].sort()]))

/** Runs every kind of transfer once, with a wait for every policy. */
export const run = Effect.gen(function*() {
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
  yield* vault.discardUpload("photos")

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
export const labels = Effect.map(Metric.snapshot, (pairs) => {
  const seen = new Map<string, Set<string>>()
  for (const { metricKey } of pairs) {
    if (!metricKey.name.startsWith("glacier_")) continue
    seen.set(metricKey.name, new Set([...seen.get(metricKey.name) ?? [], ...metricKey.tags.map(({ key }) => key)]))
  }
  return seen
})
