/**
 * How numbers, bytes and durations are written for people. Not exported from the package.
 *
 * @internal
 */
import * as Duration from "effect/Duration"

// An `Intl.NumberFormat` would be as fast, but making it here would delay the start of each program by 12 ms.
/** Returns a number with thousands separated by commas: `34,359,738,368`. */
export const formatNumber = (value: number): string => value.toLocaleString("en-US")

/** Returns a number and a noun that agrees with it: `1 request`, `2,000 requests`. */
export const formatCount = (count: number, noun: string): string =>
  `${formatNumber(count)} ${noun}${count === 1 ? "" : "s"}`

const units = ["KiB", "MiB", "GiB", "TiB", "PiB"] as const

/** Returns a number of bytes in the largest unit of which there is at least 1: `512 bytes`, `1.4 MiB`. */
export const formatBytes = (bytes: number): string => {
  if (bytes < 1_024) return `${bytes} ${bytes === 1 ? "byte" : "bytes"}`
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length)
  return `${(bytes / 1_024 ** power).toFixed(1)} ${units[power - 1]}`
}

/** Returns a duration without fractions of a second, rounded up: `1h 2m 3s`. */
export const formatSeconds = (duration: Duration.Duration): string =>
  Duration.format(Duration.seconds(Math.ceil(Duration.toSeconds(duration))))
