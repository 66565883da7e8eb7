/** Downloads whose responses are damaged in transit. */
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { fromWeb } from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Download from "../../src/transfer/Download.ts"
import { Hasher } from "../../src/transport/Hasher.ts"
import * as Support from "./support.ts"

const { address, mebibyte, pattern } = Support

export const bytes = pattern(3.5 * mebibyte)

/** A fault in a response: its position in the body, and its number of bytes. */
interface Fault {
  readonly kind: keyof typeof kinds
  readonly at: number
  readonly length: number
}

/** A response in transit. */
interface Passing {
  body: Uint8Array
  readonly headers: Headers
  isCut: boolean
}

const replaced = (header: string, value: (text: string) => string | undefined) => ({ headers }: Passing): void => {
  const changed = value(headers.get(header) ?? "")
  if (changed === undefined) headers.delete(header)
  else headers.set(header, changed)
}

const kinds = {
  "a flipped bit": (passing: Passing, at: number, length: number) => {
    passing.body[at] = (passing.body[at] ?? 0) ^ (1 << length % 8)
  },
  "lost bytes": (passing: Passing, at: number, length: number) => {
    passing.body = Buffer.concat([passing.body.subarray(0, at), passing.body.subarray(at + length)])
  },
  "bytes too many": (passing: Passing, at: number, length: number) => {
    passing.body = Buffer.concat([passing.body.subarray(0, at), new Uint8Array(length), passing.body.subarray(at)])
  },
  "an early end": (passing: Passing, at: number) => {
    passing.body = passing.body.subarray(0, at)
  },
  "a broken connection": (passing: Passing, at: number) => {
    passing.body = passing.body.subarray(0, at)
    passing.isCut = true
  },
  "another range": replaced(
    "content-range",
    (range) => range.replace(/(\d+)-(\d+)/, (_, a, b) => `${+a + 1}-${+b + 1}`)
  ),
  "a range of something larger": replaced(
    "content-range",
    (range) => range.replace(/\d+$/, (total) => `${+total + 1}`)
  ),
  "half a range": replaced("content-range", (range) => range.slice(0, -8)),
  "no range": replaced("content-range", () => undefined),
  "another tree hash": replaced(
    "x-amz-sha256-tree-hash",
    (hash) => hash.replace(/./, (digit) => digit === "0" ? "1" : "0")
  ),
  "half a tree hash": replaced("x-amz-sha256-tree-hash", (hash) => hash.slice(32)),
  "no tree hash": replaced("x-amz-sha256-tree-hash", () => undefined)
}

export const fault = FastCheck.record<Fault>({
  kind: FastCheck.constantFrom(...Object.keys(kinds).filter((kind): kind is Fault["kind"] => kind in kinds)),
  at: FastCheck.integer({ min: 0, max: mebibyte / 2 - 1 }),
  length: FastCheck.oneof(FastCheck.integer({ min: 1, max: 100 }), FastCheck.integer({ min: 1, max: mebibyte }))
})

/** Applies a fault to each of the first responses with outputs. Records the windows that were requested. */
export const through = (faults: ReadonlyArray<Fault>) => {
  const left = [...faults]
  const requested: Array<string> = []
  const change: Support.Change = (send, request) => {
    if (!request.url.endsWith("/output")) return send
    requested.push(request.headers["range"] ?? "")
    const next = left.shift()
    if (next === undefined) return send
    return Effect.gen(function*() {
      const response: HttpClientResponse.HttpClientResponse = yield* send
      const passing: Passing = {
        body: new Uint8Array(yield* response.arrayBuffer),
        headers: new Headers({ ...response.headers }),
        isCut: false
      }
      kinds[next.kind](passing, next.at, next.length)
      const { body, headers, isCut } = passing
      const stream = new ReadableStream({
        start(controller) {
          for (let start = 0; start < body.length; start += 300_000) {
            controller.enqueue(body.subarray(start, start + 300_000))
          }
          if (isCut) controller.error(new Error("reset"))
          else controller.close()
        }
      })
      return fromWeb(request, new Response(stream, { status: response.status, headers }))
    })
  }
  return { requested, change }
}

/** Downloads through the faults from a byte on. Returns the emitted bytes, and how the Stream ended. */
export const download = Effect.fnUntraced(function*(from: number) {
  const glacier = yield* GlacierClient
  const { archiveId } = yield* glacier.uploadArchive({
    ...address,
    ...(yield* (yield* Hasher).hashes(bytes)),
    body: bytes
  })
  const { jobId } = yield* glacier.initiateJob({ ...address, parameters: { type: "archive-retrieval", archiveId } })
  const { treeHash } = yield* glacier.describeJob({ ...address, jobId })
  const output: Download.Output = { vault: address, jobId, size: bytes.length, treeHash }
  const pieces: Array<Uint8Array> = []
  const exit = yield* Download.stream(output, { from, windowSize: mebibyte, concurrency: 3 }).pipe(
    Stream.runForEach((piece) => Effect.sync(() => void pieces.push(piece))),
    Effect.exit
  )
  return { emitted: Buffer.concat(pieces), exit }
})

export const from = FastCheck.integer({ min: 0, max: bytes.length - 1 })
