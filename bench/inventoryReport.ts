/** The arguments and the report of a reading process, shared with the processes that compare. */
import * as Schema from "effect/Schema"

/** The archives that were found, and their bytes. */
export interface Found {
  readonly count: number
  readonly bytes: number
}

export const none: Found = { count: 0, bytes: 0 }

export const add = ({ bytes, count }: Found, { size }: { readonly size: number }): Found => ({
  count: count + 1,
  bytes: bytes + size
})

/** How to read. */
export const Way = Schema.Literal(
  "ours, JSON",
  "ours, CSV",
  "JSON.parse, then the schema",
  "JSON.parse alone",
  "@streamparser/json, then the schema",
  "@streamparser/json alone"
)

export type Way = typeof Way.Type

/** The report of a process that has read an inventory: see `finish`. */
export const Report = Schema.parseJson(Schema.Struct({
  count: Schema.Number,
  bytes: Schema.Number,
  /** The time of reading, without the start of the process. */
  seconds: Schema.Number,
  processor: Schema.Number,
  rssMB: Schema.Number
}))
