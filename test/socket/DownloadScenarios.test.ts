/** Downloads from a scripted server that fails in known ways. */
import { describe, expect } from "@effect/vitest"
import { Array as Arr, Effect, Option, Stream } from "effect"
import { Download } from "../../src/index.ts"
import { JobId } from "../../src/protocol/Names.ts"
import { TreeHash } from "../../src/protocol/TreeHash.ts"
import { jobId } from "../transport/calls.ts"
import * as Scenarios from "./scenarios.ts"
import * as Script from "./scriptedServer.ts"
import { mebibyte, treeHash } from "./support.ts"

const { brief, bytes, interruptAll, chunked, failed, gone, json, runAll, slice, throttled, vault } = Scenarios

const { end, message, reset, send, silence, slowly } = Script

type Row = Scenarios.Row

/** Downloads and compares each piece with the right bytes: no wrong byte is ever passed on. */
const download: Scenarios.Run = Effect.gen(function*() {
  let passed = 0
  const output = {
    vault,
    jobId: JobId.make(jobId),
    size: bytes.length,
    treeHash: Option.some(TreeHash.make(treeHash(bytes)))
  }
  yield* Stream.runForEach(
    Download.stream(output, { windowSize: mebibyte, concurrency: 1 }),
    (piece) =>
      Effect.sync(() => {
        expect(Buffer.compare(piece, bytes.subarray(passed, passed + piece.length))).toBe(0)
        passed += piece.length
      })
  )
  expect(passed).toBe(bytes.length)
})

/** The headers of a window. */
const windowHeaders = (index: number, of: Uint8Array = slice(index)) => ({
  "content-type": "application/octet-stream",
  "content-range": `bytes ${index * mebibyte}-${index * mebibyte + of.length - 1}/${bytes.length}`,
  "x-amz-sha256-tree-hash": treeHash(of)
})

const window = (index: number, headers: Readonly<Record<string, string>> = {}, body: Uint8Array = slice(index)) =>
  message(206, { ...windowHeaders(index), ...headers }, body)

const without = (name: "content-range" | "x-amz-sha256-tree-hash") => {
  const { [name]: _, ...headers } = windowHeaders(0)
  return message(206, headers, slice(0))
}

const flipped = () => {
  const body = Buffer.from(slice(0))
  body[777_777] = body[777_777]! ^ 1
  return window(0, {}, body)
}

const output = (index: number): Script.Exchange => [`output ${index}`, send(window(index))]

const rows: ReadonlyArray<Row> = [
  ...([
    ["the Content-Range is incomplete", send(window(0, { "content-range": "bytes 0-10" }))],
    ["the Content-Range is wrong", send(window(0, { "content-range": `bytes 1-${mebibyte}/${bytes.length}` }))],
    ["the Content-Range has another total size", send(window(0, { "content-range": "bytes 0-1048575/9999999" }))],
    ["the Content-Range is missing", send(without("content-range"))],
    ["the tree hash is missing", send(without("x-amz-sha256-tree-hash"))],
    ["the tree hash is wrong", send(window(0, { "x-amz-sha256-tree-hash": treeHash(slice(1)) }))],
    ["a bit is flipped", send(flipped())],
    ["bytes are missing", send(window(0, {}, slice(0).subarray(1)))],
    ["there are surplus bytes", send(window(0, {}, bytes.subarray(0, mebibyte + 1)))],
    ["an error has status 200", json({ code: "ServiceUnavailableException", message: "No.", type: "Server" })],
    ["the connection is closed in the middle of the body", end(window(0).subarray(0, 500_000))],
    ["the connection is reset in the middle of the body", reset(window(0).subarray(0, 500_000))],
    ["the connection is closed without a response", end()],
    ["the service fails", failed],
    ["the request is throttled", throttled]
  ] satisfies ReadonlyArray<readonly [string, Script.Response]>).map(([name, response]): Row => ({
    name: `fetches a window again when ${name}`,
    run: download,
    script: [["output 0", response], output(0), output(1), output(2)]
  })),
  {
    name: "fetches a window again when its bytes stop in the middle",
    run: download,
    script: [["output 0", silence(window(0).subarray(0, 500_000))], output(0), output(1), output(2)],
    timeouts: { idle: brief }
  },
  {
    name: "fetches a window again when there is no response",
    run: download,
    script: [["output 0", silence()], output(0), output(1), output(2)],
    timeouts: { response: brief }
  },
  {
    name: "accepts bytes that come slowly",
    run: download,
    script: [["output 0", slowly(window(0), 50)], output(1), output(2)],
    timeouts: { idle: brief }
  },
  {
    name: "accepts bytes in chunks",
    run: download,
    script: [["output 0", send(chunked(206, windowHeaders(0), slice(0)))], output(1), output(2)]
  },
  {
    name: "accepts bytes that end with the connection",
    run: download,
    script: [["output 0", end(window(0, { connection: "close" }))], output(1), output(2)]
  },
  {
    name: "ignores bytes after the end of a response",
    run: download,
    script: [["output 0", end(Buffer.concat([window(0), Buffer.from("and more")]))], output(1), output(2)]
  },
  {
    name: "fails when a window is wrong in every attempt",
    run: download,
    script: [output(0), ...Arr.replicate<Script.Exchange>(["output 1", send(window(1, {}, slice(0)))], 3)],
    fails: "BrokenOutput"
  },
  {
    name: "fails when the job expires",
    run: download,
    script: [output(0), ["output 1", gone]],
    fails: "ResourceNotFound"
  }
]

const stages: ReadonlyArray<Row> = [
  {
    name: "ends soon when it is interrupted before the head of an output",
    run: download,
    script: [["output 0", silence()]]
  },
  {
    name: "ends soon when it is interrupted in the head of an output",
    run: download,
    script: [["output 0", silence(window(0).subarray(0, 50))]]
  },
  {
    name: "ends soon when it is interrupted in the body of an output",
    run: download,
    script: [["output 0", silence(window(0).subarray(0, 500_000))]]
  }
]

describe("a download", () => {
  runAll(rows)
  interruptAll(stages)
})
