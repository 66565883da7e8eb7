/**
 * The process that reads: a way and a file. It imports no more than it needs, so that its memory is that of reading.
 */
import { JSONParser } from "@streamparser/json"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { createReadStream, readFileSync } from "node:fs"
import * as Inventory from "../src/protocol/Inventory.ts"
import * as InventoryReader from "../src/protocol/InventoryReader.ts"
import { finish } from "./finish.ts"
import { add, type Found, none, Way } from "./inventoryReport.ts"

const ours = (format: "JSON" | "CSV") => (file: string) => {
  const bytes = Stream.fromAsyncIterable<Uint8Array, unknown>(createReadStream(file), (error) => error)
  return Stream.runFold(InventoryReader.entries(bytes, { format, onMalformed: Effect.fail }), none, add)
}

const whole = Schema.decodeUnknownEither(Inventory.Inventory)
const entry = Schema.decodeUnknownEither(Inventory.Entry)

/** The members of a document before a schema decodes it. */
interface Raw {
  readonly ArchiveList: ReadonlyArray<{ readonly Size: number }>
}

const parsed = (file: string): Raw => JSON.parse(readFileSync(file, "utf8"))

const streamed = (file: string, sizeOf: (archive: unknown) => number) =>
  Effect.promise(async () => {
    let found = none
    const parser = new JSONParser({ paths: ["$.ArchiveList.*"], keepStack: false })
    parser.onValue = ({ value }) => {
      found = add(found, { size: sizeOf(value) })
    }
    for await (const piece of createReadStream(file)) parser.write(piece)
    return found
  })

const ways: Record<Way, (file: string) => Effect.Effect<Found, unknown>> = {
  "ours, JSON": ours("JSON"),
  "ours, CSV": ours("CSV"),
  "JSON.parse, then the schema": (file: string) =>
    Effect.map(whole(parsed(file)), ({ archives }) => archives.reduce(add, none)),
  "JSON.parse alone": (file: string) =>
    Effect.sync(() => parsed(file).ArchiveList.reduce((found, { Size }) => add(found, { size: Size }), none)),
  "@streamparser/json, then the schema": (file: string) =>
    streamed(file, (archive) => Either.getOrThrow(entry(archive)).size),
  "@streamparser/json alone": (file: string) =>
    streamed(file, (archive) => Number(Predicate.hasProperty(archive, "Size") ? archive.Size : NaN))
}

const program = Effect.gen(function*() {
  const [way = "", file = ""] = process.argv.slice(2)
  const start = yield* Clock.currentTimeMillis
  const found = yield* ways[Schema.decodeUnknownSync(Way)(way)](file)
  finish({ ...found, seconds: ((yield* Clock.currentTimeMillis) - start) / 1000 })
})

void Effect.runPromise(program)
