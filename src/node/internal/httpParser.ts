import * as Http from "node:http"

/** The first lines of an answer. */
export interface Head {
  readonly status: number
  /** By lower-case names. What came several times is one text, with commas. */
  readonly headers: Readonly<Record<string, string>>
  readonly cookies: ReadonlyArray<string>
  /** Whether the connection may be used again. */
  readonly isKept: boolean
}

/** What hears of an answer as it arrives. The bytes of its body lie where they were received. */
export interface Hearing {
  readonly onHead: (head: Head) => void
  readonly onBytes: (bytes: Uint8Array) => void
}

/** What takes one answer apart. */
export interface Parser {
  /** Takes what was received, and gives how much of it belongs to the answer. Throws when that is not one. */
  readonly take: (bytes: Buffer) => number
  /** To be called when no more will come. Throws when the answer is not whole. */
  readonly finish: () => void
  readonly isDone: () => boolean
}

type State = "status" | "field" | "bytes" | "size" | "after" | "trailer" | "done"

const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const fieldLine = /^([!#$%&'*+\-.^`|~\w]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/
const sizeLine = /^([\da-fA-F]{1,12})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/
const length = /^\d{1,15}$/

const malformed = (what: string) => new Error(`The answer is malformed: ${what}`)

/**
 * Takes answers of HTTP/1.1 apart (RFC 9112) without a copy of their bodies, which the parser of Node.js makes of each
 * piece. It is strict: how long a body is must be said once and clearly, and a line that is none ends it.
 */
export const make = (method: string, { onBytes, onHead }: Hearing): Parser => {
  let state: State = "status"
  /** Of a line that is not here whole. */
  let begun = ""
  /** What the lines may still have, so that they do not fill the memory. */
  let room = Http.maxHeaderSize
  let minor = "1"
  let status = 0
  let headers: Record<string, string> = {}
  let cookies: Array<string> = []
  /** Of the body, or of a chunk of it: bytes that have not come. */
  let left = 0
  let isChunked = false

  const begin = () => {
    if (status < 200) {
      // An interim answer, with another behind it.
      if (status === 101) throw malformed("it speaks of another protocol")
      headers = {}
      cookies = []
      state = "status"
      return
    }
    const { connection = "", "content-length": size, "transfer-encoding": encoding } = headers
    if (encoding !== undefined && (encoding.toLowerCase() !== "chunked" || size !== undefined || minor === "0")) {
      throw malformed(`a body in ${encoding}`)
    }
    if (size !== undefined && !length.test(size)) throw malformed(`a length of ${size}`)
    const options = connection.toLowerCase().split(/[\t ]*,[\t ]*/)
    const isFramed = method === "HEAD" || status === 204 || status === 304
    isChunked = !isFramed && encoding !== undefined
    left = isFramed ? 0 : Number(size ?? Infinity)
    const isKept = (isFramed || isChunked || size !== undefined) &&
      (minor === "1" ? !options.includes("close") : options.includes("keep-alive"))
    onHead({ status, headers, cookies, isKept })
    state = isChunked ? "size" : left === 0 ? "done" : "bytes"
  }

  const takeLine = (line: string) => {
    switch (state) {
      case "status": {
        const match = statusLine.exec(line)
        if (match === null) throw malformed("it has no status")
        minor = match[1] ?? ""
        status = Number(match[2])
        state = "field"
        return
      }
      case "field": {
        if (line === "") return begin()
        const [, name = "", value = ""] = fieldLine.exec(line) ?? []
        if (name === "") throw malformed("a header")
        const key = name.toLowerCase()
        if (key === "set-cookie") cookies.push(value)
        else headers[key] = Object.hasOwn(headers, key) ? `${headers[key]}, ${value}` : value
        return
      }
      case "size": {
        const size = sizeLine.exec(line)?.[1]
        if (size === undefined) throw malformed("the size of a chunk")
        left = Number.parseInt(size, 16)
        state = left === 0 ? "trailer" : "bytes"
        // What has come is not counted: a body may have any number of chunks.
        room = Http.maxHeaderSize
        return
      }
      case "after":
        if (line !== "") throw malformed("a chunk is longer than it says")
        state = "size"
        return
      default:
        // Of the trailers nothing is used.
        if (line === "") state = "done"
    }
  }

  return {
    take: (bytes) => {
      let at = 0
      while (at < bytes.length && state !== "done") {
        if (state === "bytes") {
          const end = Math.min(bytes.length, at + left)
          onBytes(bytes.subarray(at, end))
          left -= end - at
          at = end
          if (left === 0) state = isChunked ? "after" : "done"
        } else {
          const end = bytes.indexOf(10, at)
          const piece = bytes.toString("latin1", at, end === -1 ? bytes.length : end)
          room -= piece.length
          if (room < 0) throw malformed("its head is too long")
          begun += piece
          if (end === -1) return bytes.length
          at = end + 1
          const line = begun
          begun = ""
          takeLine(line.endsWith("\r") ? line.slice(0, -1) : line)
        }
      }
      return at
    },
    finish: () => {
      if (state === "done") return
      if (state !== "bytes" || left !== Infinity) throw new Error("The connection ended before the answer did")
      state = "done"
    },
    isDone: () => state === "done"
  }
}
