/**
 * The client rate limiter of AWS's adaptive mode, without a clock of its own: a token bucket that is off until the first
 * throttle, loses 30 % of its rate at each, and between them grows back on a cubic curve: fast at first, slowly near the
 * rate at which it was throttled, then fast again. Times are in seconds, rates in requests per second.
 */
export interface State {
  readonly enabled: boolean
  readonly rate: number
  readonly tokens: number
  /** When tokens were added last: not before the first answer. */
  readonly refilled: number | undefined
  /** The rate at the last throttle, and its time. */
  readonly throttledRate: number
  readonly throttledAt: number
  /** Answers per second, smoothed; how many came since `bucket`, the half second that was counted last. */
  readonly measured: number
  readonly count: number
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

/** The most tokens that a bucket holds. */
export const capacity = (state: State): number => Math.max(state.rate, 1)

const refill = (state: State, now: number): State => ({
  ...state,
  tokens: Math.min(capacity(state), state.tokens + (now - (state.refilled ?? now)) * state.rate),
  refilled: now
})

/** Another rate: what has passed is filled at the old one, and what is too much for the new one is lost. */
export const setRate = (state: State, rate: number, now: number): State => {
  const changed = { ...refill(state, now), rate: Math.max(rate, slowest) }
  return { ...changed, tokens: Math.min(changed.tokens, capacity(changed)) }
}

/** Counts an answer. */
export const measure = (state: State, now: number): State => {
  const bucket = Math.floor(now * 2) / 2
  const count = state.count + 1
  if (bucket <= state.bucket) return { ...state, count }
  const rate = count / (bucket - state.bucket)
  return { ...state, measured: rate * smoothing + state.measured * (1 - smoothing), count: 0, bucket }
}

/** How long after a throttle the curve is back at the rate that was throttled. */
export const plateau = (state: State): number => Math.cbrt(state.throttledRate * (1 - beta) / scale)

/** The rate that the curve has reached. */
export const grown = (state: State, now: number): number =>
  scale * (now - state.throttledAt - plateau(state)) ** 3 + state.throttledRate

/** The rate after a throttle. */
export const shrunk = (rate: number): number => rate * beta

/** What an answer makes of the rate: never more than twice what is really sent. */
export const answered = (before: State, throttled: boolean, now: number): State => {
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

/** Takes a token, or says after how many seconds to ask again. */
export const take = (before: State, now: number): readonly [wait: number, State] => {
  if (!before.enabled) return [0, before]
  const state = refill(before, now)
  return state.tokens < 1
    ? [(1 - state.tokens) / state.rate, state]
    : [0, { ...state, tokens: state.tokens - 1 }]
}
