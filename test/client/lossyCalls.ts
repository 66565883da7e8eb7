/** Calls over a script of responses, some of which are lost. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { call } from "../transport/calls.ts"
import { errorResponseOf, responseOf, scripted } from "../transport/support.ts"
import type { Respond, Sent } from "../transport/support.ts"

export const vaultName = "photos"

export const mebibyte = 1_048_576

export const lost: Respond = () => Effect.fail("ECONNRESET")

export const unsent: Respond = () => Effect.fail(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }))

export const unavailable: Respond = () => Effect.sync(() => errorResponseOf(500, "ServiceUnavailableException"))

export const denied: Respond = () => Effect.sync(() => errorResponseOf(403, "AccessDeniedException"))

export const json = (body: object): Respond => () => Effect.sync(() => responseOf(200, JSON.stringify(body)))

/** The responses to each target, such as `POST /-/vaults/photos/jobs?marker=x`, in order. The last one repeats. */
type Script = Readonly<Record<string, ReadonlyArray<Respond>>>

const targetOf = ({ method, url }: Sent): string => {
  const { pathname, search } = new URL(url)
  return `${method} ${pathname}${search}`
}

/** Three attempts of each call, 10 seconds apart. */
export const policies = RetryPolicy.layer(
  RetryPolicy.attempts(RetryPolicy.fromSchedule(Schedule.spaced("10 seconds")), 3)
)

/** Makes a call over a script. Returns its output or the tag of its error, and the requests that it sent. */
export const run = (
  script: Script | ((sent: ReadonlyArray<Sent>) => Script),
  use: (glacier: GlacierClient.Service) => Effect.Effect<object, { readonly _tag: string }>,
  options: Parameters<typeof scripted>[1] = { policies }
) =>
  Effect.gen(function*() {
    const all: Array<Sent> = []
    const { glacier, sent } = yield* scripted((request, number) => {
      all.push(request)
      const target = targetOf(request)
      const responders = (typeof script === "function" ? script(all) : script)[target] ?? []
      const respond = responders[
        Math.min(all.filter((other) => targetOf(other) === target).length, responders.length) - 1
      ]
      return respond === undefined
        ? Effect.dieMessage(`the script has no response for ${target}`)
        : respond(request, number)
    }, options)
    const outcome = yield* Effect.match(use(glacier), {
      onFailure: (error): unknown => error._tag,
      onSuccess: (value): unknown => value
    })
    return { outcome, targets: sent.map(targetOf), at: sent.map(({ at }) => at), sent }
  }).pipe(inVirtualTime)

export const ok = (name: Parameters<typeof call>[0]): Respond => () => Effect.sync(call(name).response)
