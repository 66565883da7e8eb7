/**
 * The tree hash of a file by ours, by a bare loop on one thread, and by botocore when python3 has it, in turn, three
 * times each. Prints the median seconds without start-up, and ours in relation to each. Fails when they disagree.
 *
 *     npm run bench:hash -- [MIB]
 */
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Array, Clock, Console, Effect, Order } from "effect"
import { NodeHashing, NodeTreeHash } from "effect-glacier/node"
import { execFileSync, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { closeSync, openSync, readSync } from "node:fs"

const mebibytes = Number(process.argv[2] ?? 1_024)

const sha256 = (...parts: ReadonlyArray<Uint8Array>): Uint8Array =>
  parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest()

/** The necessary work and no more. */
const loop = (file: string): string => {
  const descriptor = openSync(file, "r")
  const bytes = new Uint8Array(1_048_576)
  let nodes: Array<Uint8Array> = []
  for (let read = readSync(descriptor, bytes); read > 0; read = readSync(descriptor, bytes)) {
    nodes.push(sha256(bytes.subarray(0, read)))
  }
  closeSync(descriptor)
  while (nodes.length > 1) nodes = Array.chunksOf(nodes, 2).map((pair) => pair.length === 2 ? sha256(...pair) : pair[0])
  return nodes.map((root) => Buffer.from(root).toString("hex")).join()
}

const timed = <E, R>(hash: Effect.Effect<string, E, R>) =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeNanos
    const treeHash = yield* hash
    return { treeHash, seconds: Number((yield* Clock.currentTimeNanos) - start) / 1e9 }
  })

const python = `
import sys, time
from botocore.utils import calculate_tree_hash
with open(sys.argv[1], "rb") as file:
    start = time.perf_counter()
    print(calculate_tree_hash(file), time.perf_counter() - start)
`

const botocore = (file: string) =>
  Effect.sync(() => {
    const { status, stdout } = spawnSync("python3", ["-c", python, file], { encoding: "utf8" })
    const [treeHash = "", seconds] = status === 0 ? stdout.trim().split(" ") : []
    return { treeHash, seconds: Number(seconds) }
  })

const program = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const file = yield* fs.makeTempFileScoped()
  execFileSync("dd", ["if=/dev/urandom", `of=${file}`, "bs=1M", `count=${mebibytes}`, "status=none"])
  const ways = {
    ours: timed(Effect.provide(NodeTreeHash.ofFile(file), NodeHashing.layer)),
    "one thread": timed(Effect.sync(() => loop(file))),
    botocore: botocore(file)
  }
  const rounds = yield* Effect.replicateEffect(Effect.all(ways), 3)
  const [first] = rounds
  const median = (way: keyof typeof ways) =>
    Array.sort(rounds.map((round) => round[way].seconds), Order.number)[1] ?? NaN
  for (const way of ["ours", "one thread", "botocore"] as const) {
    if (first?.[way].treeHash === "") {
      yield* Console.log(`${way.padEnd(10)}  not there`)
      continue
    }
    if (first?.[way].treeHash !== first?.ours.treeHash) return yield* Effect.dieMessage(`${way} has another tree hash`)
    const ratio = (median("ours") / median(way)).toFixed(2)
    const speed = Math.round(mebibytes / median(way))
    yield* Console.log(`${way.padEnd(10)}  ${median(way).toFixed(2)} s  ${speed} MiB/s  ours / this: ${ratio}`)
  }
}).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

NodeRuntime.runMain(program)
