/**
 * The same as `server.c`, for machines without a compiler. It costs more.
 *
 *     server [FILE NODES]
 */
import { createReadStream, readFileSync, statSync } from "node:fs"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"

const [file, tree] = process.argv.slice(2)
const size = file === undefined ? 0 : statSync(file).size
const nodes = tree === undefined ? Buffer.alloc(0) : readFileSync(tree)
const mebibyte = 1_048_576

let received = ""

/** The metadata of the object in the bucket, and whether the object exists. */
let metadata: Record<string, string> = {}
let exists = false

/** The digest of the node that spans the bytes; nothing when none does. */
const treeHash = (start: number, end: number) => {
  if (start % mebibyte !== 0 || ((end + 1) % mebibyte !== 0 && end + 1 !== size)) return undefined
  const first = start / mebibyte
  const leaves = Math.ceil((end + 1 - start) / mebibyte)
  let level = 0
  let before = 0
  for (let width = Math.ceil(size / mebibyte); 2 ** level < leaves; width = Math.ceil(width / 2), level++) {
    before += width
  }
  if (first % 2 ** level !== 0 || (leaves !== 2 ** level && end + 1 !== size)) return undefined
  const index = before + first / 2 ** level
  return nodes.subarray(index * 32, index * 32 + 32).toString("hex")
}

const uploadId = "U".repeat(92)
const archive = { location: `/123456789012/vaults/bench/archives/${"A".repeat(138)}`, id: "A".repeat(138) }

const describe = () =>
  JSON.stringify({
    Action: "ArchiveRetrieval",
    ArchiveId: archive.id,
    ArchiveSHA256TreeHash: treeHash(0, size - 1),
    ArchiveSizeInBytes: size,
    Completed: true,
    CompletionDate: "2024-01-01T00:00:00.000Z",
    CreationDate: "2024-01-01T00:00:00.000Z",
    JobId: "J".repeat(92),
    RetrievalByteRange: `0-${size - 1}`,
    SHA256TreeHash: treeHash(0, size - 1),
    StatusCode: "Succeeded",
    StatusMessage: "Succeeded",
    Tier: "Standard",
    VaultARN: "arn:aws:glacier:us-east-1:123456789012:vaults/bench"
  })

const output = (request: IncomingMessage, response: ServerResponse) => {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? []
  const start = Number(from ?? 0)
  const end = Math.min(to ? Number(to) : size - 1, size - 1)
  const hash = treeHash(start, end)
  response.writeHead(from === undefined ? 200 : 206, {
    "content-type": "application/octet-stream",
    "accept-ranges": "bytes",
    "content-length": end - start + 1,
    ...(from !== undefined && { "content-range": `bytes ${start}-${end}/${size}` }),
    ...(hash !== undefined && { "x-amz-sha256-tree-hash": hash })
  })
  createReadStream(file ?? "", { start, end, highWaterMark: mebibyte }).pipe(response)
}

/** A request to the bucket of an object store, in which each upload becomes an object of the size of the file. */
const store = ({ headersDistinct, method, url = "" }: IncomingMessage, response: ServerResponse) => {
  const etag = "\"0123456789abcdef0123456789abcdef-1\""
  const isUploads = url.includes("?uploads")
  const isPart = url.includes("partNumber=")
  if ((method === "POST" && isUploads) || (method === "PUT" && !isPart)) {
    metadata = Object.fromEntries(
      Object.entries(headersDistinct).flatMap(([name, [value = ""] = []]) =>
        name.startsWith("x-amz-meta-") ? [[name, value]] : []
      )
    )
  }
  if ((method === "POST" && !isUploads) || (method === "PUT" && !isPart)) exists = true
  if (method === "HEAD" && "/bucket/".startsWith(url)) return response.end()
  if (method === "HEAD" && exists) {
    return response.writeHead(200, { ...metadata, etag, "content-length": size }).end()
  }
  switch (`${method} ${isUploads}`) {
    // There are no other uploads.
    case "GET true":
      return response.end("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>")
    case "POST true":
      return response.end("<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>")
    case "POST false":
      return response.end(`<CompleteMultipartUploadResult><ETag>${etag}</ETag></CompleteMultipartUploadResult>`)
    case "PUT false":
      return response.writeHead(200, { etag }).end()
    default:
      return response.writeHead(404).end()
  }
}

const respond = (kind: string, request: IncomingMessage, response: ServerResponse) => {
  const hash = { "x-amz-sha256-tree-hash": request.headers["x-amz-sha256-tree-hash"] ?? "" }
  if (kind === "object") return store(request, response)
  switch (`${request.method} ${kind}`) {
    case "GET received":
      return response.end(received)
    case "DELETE received":
      received = ""
      exists = false
      return response.writeHead(204).end()
    case "GET output":
      return output(request, response)
    case "GET job":
      return response.writeHead(200, { "content-type": "application/json" }).end(describe())
    case "POST uploads":
      return response.writeHead(201, {
        location: `/123456789012/vaults/bench/multipart-uploads/${uploadId}`,
        "x-amz-multipart-upload-id": uploadId
      }).end()
    case "PUT upload":
      return response.writeHead(204, hash).end()
    case "POST upload":
    case "POST archives":
      return response.writeHead(201, { ...hash, location: archive.location, "x-amz-archive-id": archive.id }).end()
    case "DELETE upload":
    case "DELETE archives":
      return response.writeHead(204).end()
    default:
      return response.writeHead(404).end()
  }
}

const kinds = [
  ["/bucket", "object"],
  ["/received", "received"],
  ["/output", "output"],
  ["/jobs/", "job"],
  ["/multipart-uploads/", "upload"],
  ["/multipart-uploads", "uploads"],
  ["/archives", "archives"]
] as const

const server = createServer((request, response) => {
  const [, kind = ""] = kinds.find(([path]) => request.url?.includes(path)) ?? []
  let bytes = 0
  request.on("data", (piece: Buffer) => bytes += piece.length)
  request.once("end", () => {
    const { headers } = request
    if (kind !== "received") {
      // A proxy before this server keeps the body, and sends its length.
      const noted = [
        headers["x-body-length"] ?? bytes,
        headers["content-range"] ?? "-",
        headers["x-amz-sha256-tree-hash"] ?? "-",
        headers["x-amz-content-sha256"] ?? "-",
        headers["x-amz-archive-size"] ?? "-"
      ]
      received += [`${request.method} ${kind}`, ...noted].join("\t") + "\n"
    }
    respond(kind, request, response)
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  console.log(typeof address === "object" ? address?.port : undefined)
})
