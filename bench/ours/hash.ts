/**
 * The tree hash of a file.
 *
 *     hash FILE
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { NodeHashing, NodeTreeHash } from "effect-glacier/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { finish } from "../finish.ts"

const [file = ""] = process.argv.slice(2)

NodeTreeHash.ofFile(file).pipe(
  Effect.map((treeHash) => finish({ treeHash })),
  Effect.provide(Layer.merge(NodeFileSystem.layer, NodeHashing.layer)),
  NodeRuntime.runMain
)
