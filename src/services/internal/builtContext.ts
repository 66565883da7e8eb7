/**
 * The context that a service was built in, for its methods.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { GlacierClient } from "../../client/GlacierClient.ts"

/**
 * Captures the context that a service is built in. Its methods run in this context; services that the caller provides around
 * a call (a policy, a hasher) replace those in it. The client is not replaced: a service keeps the client it was built with.
 */
export const capture = Effect.map(Effect.context<GlacierClient>(), (all) => {
  // The span and the scope of the construction are not those of the calls.
  const built = Context.omit(Tracer.ParentSpan, Scope.Scope)(all)
  const client = Context.pick(GlacierClient)(all)
  // `built` has the client; the caller provides everything else.
  const context = <R>(calling: Context.Context<Exclude<R, GlacierClient>>) =>
    Context.mergeAll(built, calling, client) as Context.Context<R>
  return {
    effect: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, GlacierClient>> =>
      Effect.mapInputContext(effect, context<R>),
    stream: <A, E, R>(stream: Stream.Stream<A, E, R>): Stream.Stream<A, E, Exclude<R, GlacierClient>> =>
      Stream.mapInputContext(stream, context<R>)
  }
})
