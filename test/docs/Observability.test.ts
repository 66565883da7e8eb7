/** Tests that docs/observability.md lists the spans, metrics and log annotations that a run emits. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import { operations } from "../../src/protocol/Operations.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import * as Support from "../transfer/support.ts"
import { errorResponseOf } from "../transport/support.ts"
import { guide, labels, quoted, run, sorted, table, watching } from "./emissions.ts"

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
