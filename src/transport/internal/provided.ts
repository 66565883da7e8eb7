import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/**
 * A policy, if the fiber has been given one. Asked when the transport is built and again when it is called, so that a
 * policy can be replaced round one call as well as by a Layer. `Context.getOption` would not do: it makes up the default.
 */
export const provided = <Self, Service>(
  reference: Context.Reference<Self, Service>
): Effect.Effect<Option.Option<Service>> =>
  Effect.map(Effect.context<never>(), (context) =>
    context.unsafeMap.has(reference.key)
      // The map holds what was provided under this very key.
      ? Option.some(context.unsafeMap.get(reference.key) as Service)
      : Option.none())
