import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * A policy as the calling fiber has it, else as it was when the transport was built: so that a policy can be replaced
 * round one call as well as by a Layer. `Context.getOption` would not do: it makes up the default.
 */
export const current = <Self, Service>(
  reference: Context.Reference<Self, Service>,
  built: Service
): Effect.Effect<Service> =>
  Effect.map(Effect.context<never>(), (context) =>
    // The map holds what was provided under this very key.
    context.unsafeMap.has(reference.key) ? context.unsafeMap.get(reference.key) as Service : built)
