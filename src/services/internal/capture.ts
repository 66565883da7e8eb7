import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/**
 * The context a service is built in, to run its methods in: what the caller provides round a call (a policy, a
 * hasher) goes before it.
 */
export const capture = <R>() =>
  Effect.map(Effect.context<R>(), (built) => {
    // What R names is in `built`, all else the effect needs is what the caller still has to provide.
    const context = <R2>(calling: Context.Context<Exclude<R2, R>>) =>
      Context.merge(built, calling) as Context.Context<R2>
    return {
      effect: <A, E, R2>(effect: Effect.Effect<A, E, R2>): Effect.Effect<A, E, Exclude<R2, R>> =>
        Effect.mapInputContext(effect, context<R2>),
      stream: <A, E, R2>(stream: Stream.Stream<A, E, R2>): Stream.Stream<A, E, Exclude<R2, R>> =>
        Stream.mapInputContext(stream, context<R2>)
    }
  })
