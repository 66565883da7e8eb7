/** A tracer for tests of what spans reveal. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Tracer from "effect/Tracer"

/** Makes a tracer that passes the names, attributes, events, links and failures of all spans to `keep`. */
export const recordingTracer = (keep: (...values: ReadonlyArray<unknown>) => void): Tracer.Tracer => {
  let spans = 0
  return Tracer.make({
    context: (f) => f(),
    span(name, parent, context, links, startTime, kind, options) {
      keep(name, options?.attributes, links)
      const attributes = new Map<string, unknown>(Object.entries(options?.attributes ?? {}))
      return {
        _tag: "Span",
        name,
        spanId: String(spans++),
        traceId: "1",
        parent,
        context,
        status: { _tag: "Started", startTime },
        attributes,
        links,
        sampled: true,
        kind,
        // The result of a successful call is not part of its span.
        end: (_, exit) => {
          if (Exit.isFailure(exit)) keep(exit, Cause.pretty(exit.cause, { renderErrorCause: true }))
        },
        attribute: (key, value) => {
          attributes.set(key, value)
          keep(key, value)
        },
        event: (event, _, values) => keep(event, values),
        addLinks: (links) => keep(links)
      }
    }
  })
}
