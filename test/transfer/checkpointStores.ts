/** Checkpoints in every kind of store. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as NodeCheckpoint from "../../src/node/NodeCheckpoint.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import { type Watch, watching } from "../support/watchedFiles.ts"

export const directory = Effect.flatMap(
  FileSystem.FileSystem,
  (fs) => fs.makeTempDirectoryScoped()
).pipe(Effect.provide(NodeFileSystem.layer), Effect.orDie)

export const inFiles = (path: string, watch: Watch = (_, effect) => effect) =>
  Checkpoint.layerFileSystem(path).pipe(
    Layer.provide(Layer.effect(
      FileSystem.FileSystem,
      Effect.map(FileSystem.FileSystem, (fs) => watching(fs, watch))
    )),
    Layer.provide(NodeFileSystem.layer)
  )

/** Layers of stores that are empty at first. A layer that is built again has the same logs. */
export const stores: Readonly<Record<string, Effect.Effect<Layer.Layer<Checkpoint.Checkpoint>, never, Scope.Scope>>> = {
  layerKeyValueStore: Effect.map(
    Layer.build(KeyValueStore.layerMemory),
    (built) => Checkpoint.layerKeyValueStore.pipe(Layer.provide(Layer.succeedContext(built)))
  ),
  "layerKeyValueStore over files": Effect.map(directory, (path) =>
    Checkpoint.layerKeyValueStore.pipe(
      Layer.provide(Layer.orDie(KeyValueStore.layerFileSystem(`${path}/checkpoints`))),
      Layer.provide(NodeContext.layer)
    )),
  layerFileSystem: Effect.map(directory, (path) => inFiles(`${path}/checkpoints`)),
  "NodeCheckpoint.layer": Effect.map(directory, (path) => NodeCheckpoint.layer(`${path}/some/checkpoints`))
}

export const entriesOf = ({ entries }: Checkpoint.Log) => Effect.map(Stream.runCollect(entries), Chunk.toReadonlyArray)

/** Reads the log of that name. */
export const read = (name: string) =>
  Effect.scoped(Effect.flatMap(Checkpoint.Checkpoint, ({ open }) => Effect.flatMap(open(name), entriesOf)))

/** Adds entries to the log of that name, and reads it. */
export const write = (name: string, entries: ReadonlyArray<string>) =>
  Effect.scoped(Effect.gen(function*() {
    const log = yield* (yield* Checkpoint.Checkpoint).open(name)
    yield* Effect.forEach(entries, log.append)
    return yield* entriesOf(log)
  }))

export const texts = FastCheck.array(FastCheck.string({ unit: "binary" }), { maxLength: 6 })
