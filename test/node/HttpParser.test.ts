import { describe, expect, it } from "@effect/vitest"
import { Either, FastCheck as fc } from "effect"
import * as Parser from "../../src/node/internal/httpParser.ts"

interface Heard {
  readonly heads: ReadonlyArray<Parser.Head>
  readonly body: string
  readonly isDone: boolean
  /** What does not belong to the answer. */
  readonly rest: string
}

/** What is heard of an answer that comes in these pieces, and with whose last the connection ends if it is so. */
const hear = (pieces: ReadonlyArray<Uint8Array>, { ends = false, method = "GET" } = {}): Either.Either<Heard, string> =>
  Either.try({
    try: () => {
      const heads: Array<Parser.Head> = []
      let body = ""
      let rest = ""
      const parser = Parser.make(method, {
        onHead: (head) => void heads.push(head),
        onBytes: (bytes) => {
          body += Buffer.from(bytes).toString("latin1")
        }
      })
      for (const piece of pieces) {
        const bytes = Buffer.from(piece)
        rest += bytes.toString("latin1", parser.take(bytes))
      }
      if (ends) parser.finish()
      return { heads, body, isDone: parser.isDone(), rest }
    },
    catch: (cause) => String(cause)
  })

const latin1 = (text: string) => Buffer.from(text, "latin1")

const whole = (...lines: ReadonlyArray<string>) => latin1(lines.join("\r\n"))

const cutInto = (bytes: Uint8Array, places: ReadonlyArray<number>) => {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end))
}

/** A body, how it is framed, and what then is on the wire. */
const answers = fc.record({
  status: fc.constantFrom(200, 201, 206, 400, 404, 503),
  interim: fc.boolean(),
  body: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  framing: fc.constantFrom<"length" | "chunks" | "end">("length", "chunks", "end"),
  chunk: fc.integer({ min: 1, max: 64 }),
  places: fc.array(fc.nat(2_000), { maxLength: 12 })
}).map(({ body, chunk, framing, interim, places, status }) => {
  const chunks = body.match(new RegExp(`[^]{1,${chunk}}`, "g")) ?? []
  const wire = framing === "chunks"
    ? chunks.map((text) => `${text.length.toString(16)};a=b\r\n${text}\r\n`).join("") + "0\r\nX-Trailer: 1\r\n\r\n"
    : body
  const field = { length: `Content-Length: ${body.length}`, chunks: "Transfer-Encoding: Chunked", end: "X-Any: 1" }
  const lines = [`HTTP/1.1 ${status} Any`, "X-Two: 1", field[framing], "x-two:\t2 ", "Set-Cookie: a=b", "", wire]
  const bytes = whole(...(interim ? ["HTTP/1.1 100 Continue", "X-Early: 1", ""] : []), ...lines)
  return { status, body, framing, bytes, pieces: cutInto(bytes, places) }
})

describe("An answer of HTTP/1.1", () => {
  it.prop(
    "is the same in whatever pieces it comes, and nothing is heard of what is behind it",
    [answers, fc.string()],
    (
      [{ body, framing, pieces, status }, behind]
    ) => {
      const more = framing === "end" ? "" : Buffer.from(behind).toString("latin1")
      const heard = Either.getOrThrow(hear([...pieces, latin1(more)], { ends: true }))
      expect(heard).toMatchObject({ body, isDone: true, rest: more })
      expect(heard.heads).toEqual([{
        status,
        headers: expect.objectContaining({ "x-two": "1, 2" }),
        cookies: ["a=b"],
        isKept: framing !== "end"
      }])
    }
  )

  it.prop("that is cut off is none", [answers, fc.nat()], ([{ bytes, framing }, place]) => {
    fc.pre(framing !== "end")
    const part = bytes.subarray(0, place % bytes.length)
    expect(hear([part], { ends: true })).toEqual(Either.left("Error: The connection ended before the answer did"))
  })

  it.prop("of any bytes ends, or is refused with a sentence", [fc.uint8Array({ maxLength: 200 }), fc.nat()], (
    [noise, place]
  ) => {
    const good = whole("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "5", "hello", "0", "", "")
    const at = place % good.length
    const heard = hear([Buffer.concat([good.subarray(0, at), noise, good.subarray(at)])])
    if (Either.isLeft(heard)) expect(heard.left).toMatch(/^Error: The answer is malformed: /)
    else expect(heard.right.heads.length).toBeLessThanOrEqual(1)
  })

  it.each([
    ["no status", ["HTTP/1.1 OK", "", ""]],
    ["another version", ["HTTP/2 200", "", ""]],
    ["another protocol", ["HTTP/1.1 101 Switching", "", ""]],
    ["a header without a name", ["HTTP/1.1 200 OK", ": a", "", ""]],
    ["a header that goes on in the next line", ["HTTP/1.1 200 OK", "A: b", " c", "", ""]],
    ["a space before the colon", ["HTTP/1.1 200 OK", "Content-Length : 5", "", ""]],
    ["a bare CR", ["HTTP/1.1 200 OK", "A: b\rContent-Length: 5", "", ""]],
    ["a length that is none", ["HTTP/1.1 200 OK", "Content-Length: 0x5", "", ""]],
    ["a length below none", ["HTTP/1.1 200 OK", "Content-Length: -5", "", ""]],
    ["two lengths", ["HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 6", "", ""]],
    ["a length and chunks", ["HTTP/1.1 200 OK", "Content-Length: 5", "Transfer-Encoding: chunked", "", ""]],
    ["another encoding", ["HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked", "", ""]],
    ["chunks in HTTP/1.0", ["HTTP/1.0 200 OK", "Transfer-Encoding: chunked", "", ""]],
    ["a chunk of no size", ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "x", ""]],
    ["a chunk that is longer than it says", ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "2", "hello", ""]],
    ["a head without end", ["HTTP/1.1 200 OK", ...Array.from({ length: 2_000 }, () => "A: 1234567890"), ""]]
  ])("with %s is refused", (_, lines) => {
    expect(hear([whole(...lines)])).toEqual(Either.left(expect.stringMatching(/^Error: The answer is malformed: /)))
  })

  it.each([
    ["204", "GET", ["HTTP/1.1 204 No Content", "", ""]],
    ["304", "GET", ["HTTP/1.1 304 Not Modified", "Content-Length: 5", "", ""]],
    ["HEAD", "HEAD", ["HTTP/1.1 200 OK", "Content-Length: 5", "", ""]]
  ])("to %s has no body", (_, method, lines) => {
    expect(hear([whole(...lines)], { method })).toMatchObject(Either.right({ body: "", isDone: true }))
  })

  it.each([
    ["HTTP/1.1", [], true],
    ["HTTP/1.1", ["Connection: Close"], false],
    ["HTTP/1.1", ["Connection: a, close"], false],
    ["HTTP/1.0", [], false],
    ["HTTP/1.0", ["Connection: Keep-Alive"], true]
  ])("of %s with %s keeps the connection: %s", (version, fields, isKept) => {
    const heard = hear([whole(`${version} 200 OK`, "Content-Length: 0", ...fields, "", "")])
    expect(Either.getOrThrow(heard).heads).toMatchObject([{ isKept }])
  })
})
