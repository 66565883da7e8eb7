/**
 * The client rate limiter of AWS's adaptive mode, as a state and functions on it. It is a token bucket that does nothing
 * until the first throttle. Each throttle lowers its rate by 30 %. In between, the rate grows on a cubic curve: fast at
 * first, slowly near the rate of the last throttle, then fast again. Times are in seconds, rates in requests per second.
 *
 * @internal
 */

/** The state of the limiter. */
export interface State {
  /** Whether a throttle has turned the limiter on. */
  readonly enabled: boolean
  readonly rate: number
  readonly tokens: number
  /** The time at which tokens were last added. Undefined before the first response. */
  readonly refilled: number | undefined
  /** The rate at the last throttle. */
  readonly throttledRate: number
  /** The time of the last throttle. */
  readonly throttledAt: number
  /** The smoothed number of responses per second. */
  readonly measured: number
  /** The number of responses since `bucket`. */
  readonly count: number
  /** The half second in which `measured` was last updated. */
  readonly bucket: number
}

const beta = 0.7
const scale = 0.4
const smoothing = 0.8
const slowest = 0.5

export const make = (now: number): State => ({
  enabled: false,
  rate: slowest,
  tokens: 0,
  refilled: undefined,
  throttledRate: 0,
  throttledAt: now,
  measured: 0,
  count: 0,
  bucket: Math.floor(now)
})

/** Returns the most tokens that the bucket holds. */
export const capacity = (state: State): number => Math.max(state.rate, 1)

const refill = (state: State, now: number): State => ({
  ...state,
  tokens: Math.min(capacity(state), state.tokens + (now - (state.refilled ?? now)) * state.rate),
  refilled: now
})

/** Sets the rate. Tokens for the time until now are added at the old rate; those above the new capacity are lost. */
export const setRate = (state: State, rate: number, now: number): State => {
  const changed = { ...refill(state, now), rate: Math.max(rate, slowest) }
  return { ...changed, tokens: Math.min(changed.tokens, capacity(changed)) }
}

/** Counts a response. */
export const measure = (state: State, now: number): State => {
  const bucket = Math.floor(now * 2) / 2
  const count = state.count + 1
  if (bucket <= state.bucket) return { ...state, count }
  const rate = count / (bucket - state.bucket)
  return { ...state, measured: rate * smoothing + state.measured * (1 - smoothing), count: 0, bucket }
}

/** Returns how long after a throttle the curve is back at the throttled rate. */
export const plateau = (state: State): number => Math.cbrt(state.throttledRate * (1 - beta) / scale)

/** Returns the rate that the curve has reached. */
export const grown = (state: State, now: number): number =>
  scale * (now - state.throttledAt - plateau(state)) ** 3 + state.throttledRate

/** Returns the rate after a throttle. */
export const shrunk = (rate: number): number => rate * beta

/** Adjusts the rate to a response. The rate never exceeds twice the measured one. */
export const afterResponse = (before: State, throttled: boolean, now: number): State => {
  const state = measure(before, now)
  const limit = 2 * state.measured
  if (!throttled) return setRate(state, Math.min(grown(state, now), limit), now)
  const throttledRate = state.enabled ? Math.min(state.measured, state.rate) : state.measured
  return setRate(
    { ...state, enabled: true, throttledRate, throttledAt: now },
    Math.min(shrunk(throttledRate), limit),
    now
  )
}

/** Takes a token. When there is none, returns the seconds after which to try again, else 0. */
export const take = (before: State, now: number): readonly [wait: number, State] => {
  if (!before.enabled) return [0, before]
  const state = refill(before, now)
  return state.tokens < 1
    ? [(1 - state.tokens) / state.rate, state]
    : [0, { ...state, tokens: state.tokens - 1 }]
}
