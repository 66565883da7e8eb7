/** Responses with random framing, and readers of them. */
import { type HttpClientResponse } from "@effect/platform"
import { Effect, FastCheck as fc, Stream } from "effect"
import type { Socket } from "node:net"
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises"
import { ResponseBody } from "../../src/index.ts"

export const framing = fc.record({
  /** The size of the body in bytes. */
  size: fc.oneof({ arbitrary: fc.nat(300), weight: 3 }, { arbitrary: fc.nat(200_000), weight: 2 }, fc.constant(0)),
  /** The sizes of the chunks, repeated. Without any the body has a Content-Length. */
  chunks: fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 4 }),
  extension: fc.constantFrom("", ";a=b", ";name=\"value\""),
  trailer: fc.constantFrom("", "X-Trailer: yes\r\n"),
  interim: fc.boolean(),
  closes: fc.boolean(),
  /** The places where the response is cut into segments, as fractions of its length. */
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
  /** The milliseconds between two segments. 0 is one turn of the event loop. */
  pause: fc.constantFrom(0, 0, 1, 5),
  /** The milliseconds between the head and the reading of the body. */
  delay: fc.constantFrom(0, 0, 1, 5, 20),
  reading: fc.constantFrom("text", "stream", "memory")
})

type Framing = typeof framing extends fc.Arbitrary<infer A> ? A : never

export const bodyOf = ({ size }: Framing) => Buffer.alloc(size, "The bytes of a body, over and over again. ")

/** Encodes a response. */
const encode = (given: Framing) => {
  const { chunks, closes, extension, interim, trailer } = given
  const body = bodyOf(given)
  const head = (fields: string) =>
    Buffer.from(
      `${interim ? "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" : ""}HTTP/1.1 200 OK\r\n${fields}\r\n` +
        `${closes ? "Connection: close\r\n" : ""}\r\n`
    )
  if (chunks.length === 0) return Buffer.concat([head(`Content-Length: ${body.length}`), body])
  const parts = [head("Transfer-Encoding: chunked")]
  for (let start = 0, index = 0; start < body.length; index++) {
    const chunk = body.subarray(start, start + (chunks[index % chunks.length] ?? 1))
    parts.push(Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`), chunk, Buffer.from("\r\n"))
    start += chunk.length
  }
  return Buffer.concat([...parts, Buffer.from(`0\r\n${trailer}\r\n`)])
}

/** Sends a response in its segments. */
export const send = async (socket: Socket, given: Framing) => {
  const bytes = encode(given)
  const cuts = given.cuts.map((share) => Math.floor(share * bytes.length)).sort((one, other) => one - other)
  for (const [index, start] of [0, ...cuts].entries()) {
    socket.write(bytes.subarray(start, cuts[index]))
    await (given.pause === 0 ? nextTurn() : sleep(given.pause))
  }
  if (given.closes) socket.end()
}

export const read = (
  response: HttpClientResponse.HttpClientResponse & ResponseBody.Response,
  { reading, size }: Framing
) => {
  switch (reading) {
    case "text":
      return Effect.map(response.text, (text) => Buffer.from(text))
    case "stream":
      return Effect.map(Stream.runCollect(response.stream), (pieces) => Buffer.concat([...pieces]))
    default: {
      const memory = Buffer.alloc(size)
      const into = response[ResponseBody.Into] ?? (() => Effect.dieMessage("The response cannot be read into memory"))
      return Effect.map(into(memory, () => {}), (filled) => memory.subarray(0, filled))
    }
  }
}
