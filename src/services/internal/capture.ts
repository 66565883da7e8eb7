import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { GlacierClient } from "../../client/GlacierClient.ts"

/**
 * The context a service is built in, to run its methods in: what the caller provides round a call (a policy, a
 * hasher) goes before it. Not so the client: a service stays with the one it was built with.
 */
export const capture = Effect.map(Effect.context<GlacierClient>(), (all) => {
  // Neither the span nor the scope of its making is that of its calls.
  const built = Context.omit(Tracer.ParentSpan, Scope.Scope)(all)
  const client = Context.pick(GlacierClient)(all)
  // The client is in `built`, all else the effect needs is what the caller still has to provide.
  const context = <R>(calling: Context.Context<Exclude<R, GlacierClient>>) =>
    Context.mergeAll(built, calling, client) as Context.Context<R>
  return {
    effect: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, GlacierClient>> =>
      Effect.mapInputContext(effect, context<R>),
    stream: <A, E, R>(stream: Stream.Stream<A, E, R>): Stream.Stream<A, E, Exclude<R, GlacierClient>> =>
      Stream.mapInputContext(stream, context<R>)
  }
})
