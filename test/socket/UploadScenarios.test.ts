/** Uploads to a scripted server that fails in known ways. */
import { describe } from "@effect/vitest"
import { gzipSync } from "node:zlib"
import { Source, Upload } from "../../src/index.ts"
import { archiveId, uploadId } from "../transport/calls.ts"
import * as Scenarios from "./scenarios.ts"
import * as Script from "./scriptedServer.ts"
import { mebibyte } from "./support.ts"
import { abort, complete, completed, open, opened, part, source, stored } from "./uploadScripts.ts"

const { brief, bytes, interruptAll, chunked, gone, json, page, runAll, throttled, vault } = Scenarios

const { early, end, message, reject, reset, respond, send, silence, slowly } = Script

type Row = Scenarios.Row

const settings = { partSize: mebibyte, concurrency: 1 }

const upload = Upload.upload(vault, source, settings)

const keeping = Upload.upload(vault, source, { ...settings, onFailure: "keep" })

const small = Upload.upload(vault, Source.bytes(bytes.subarray(0, 10)))

/** A response that ends before its length. */
const halfResponse = message(400, { "content-type": "application/json", "content-length": 100 }, "{\"code\":")

/** A tree hash that no request has. */
const otherHash = { "x-amz-archive-id": archiveId, "x-amz-sha256-tree-hash": "0".repeat(64) }

const damaged = reject(
  403,
  "InvalidSignatureException",
  "The value passed in as x-amz-content-sha256 does not match the computed payload hash."
)

const rows: ReadonlyArray<Row> = [
  {
    name: "retries when opening the upload is throttled",
    run: upload,
    script: [["open", throttled], open, part(0), part(1), part(2), complete]
  },
  {
    name: "retries when completing the upload is throttled",
    run: upload,
    script: [open, part(0), part(1), part(2), ["complete", throttled], ["complete", throttled], complete]
  },
  {
    name: "aborts the upload when a part is throttled in every attempt",
    run: upload,
    script: [open, part(0), ["part 1", throttled], ["part 1", throttled], ["part 1", throttled], abort],
    fails: "Throttling"
  },
  {
    name: "keeps the upload when a part is throttled in every attempt and onFailure is \"keep\"",
    run: keeping,
    script: [open, part(0), ["part 1", throttled], ["part 1", throttled], ["part 1", throttled]],
    fails: "UploadKept Throttling"
  },
  {
    name: "fails when the response to opening the upload has no id",
    run: upload,
    script: [["open", respond(201, { location: "/somewhere" })]],
    fails: "MalformedResponse"
  },
  {
    name: "fails when the response to completing the upload has no id",
    run: keeping,
    script: [open, part(0), part(1), part(2), ["complete", respond(201)]],
    fails: "UploadKept MalformedResponse"
  },
  {
    name: "opens another upload when the response to opening one is lost",
    run: upload,
    script: [["open", end()], open, part(0), part(1), part(2), complete]
  },
  {
    name: "opens another upload when the connection is reset",
    run: upload,
    script: [["open", reset()], open, part(0), part(1), part(2), complete]
  },
  {
    name: "completes the upload again when the response is lost",
    run: upload,
    script: [open, part(0), part(1), part(2), ["complete", end()], complete]
  },
  {
    name: "fails when the response to completing the upload is lost and then the upload does not exist",
    run: keeping,
    script: [open, part(0), part(1), part(2), ["complete", reset()], ["complete", gone]],
    fails: "OutcomeUnknown"
  },
  {
    name: "fails when the upload does not exist and no response was lost",
    run: keeping,
    script: [open, part(0), part(1), part(2), ["complete", gone]],
    fails: "UploadKept ResourceNotFound"
  },
  {
    name: "reports an upload as not completed if it can be aborted after lost responses",
    run: upload,
    script: [open, part(0), part(1), part(2), ["complete", end()], ["complete", end()], ["complete", end()], abort],
    fails: "ConnectionError"
  },
  {
    name: "reports an unknown outcome if the upload cannot be aborted after lost responses",
    run: upload,
    script: [
      ...[open, part(0), part(1), part(2)],
      ["complete", end()],
      ["complete", end()],
      ["complete", end()],
      ["abort", gone]
    ],
    fails: "OutcomeUnknown"
  },
  {
    name: "fails when the archive has another tree hash",
    run: upload,
    script: [...[open, part(0), part(1), part(2)], ["complete", respond(201, otherHash)]],
    fails: "ChecksumMismatch"
  },
  {
    name: "sends a part again when the response has another tree hash",
    run: upload,
    script: [open, ["part 0", respond(204, otherHash)], part(0), part(1), part(2), complete]
  },
  {
    name: "sends a part again that was damaged once",
    run: upload,
    script: [open, ["part 0", damaged], part(0), part(1), part(2), complete]
  },
  {
    name: "aborts the upload when a part is damaged in every attempt",
    run: upload,
    script: [open, ["part 0", damaged], ["part 0", damaged], ["part 0", damaged], abort],
    fails: "ChecksumMismatch"
  },
  {
    name: "sends a small archive again that was damaged once",
    run: small,
    script: [["archive", damaged], ["archive", send(completed)]]
  },
  {
    name: "fails when a small archive has another tree hash",
    run: small,
    script: [["archive", respond(201, otherHash)]],
    fails: "ChecksumMismatch"
  },
  {
    name: "completes the upload again after an error with status 200",
    run: upload,
    script: [
      ...[open, part(0), part(1), part(2)],
      ["complete", json({ code: "ServiceUnavailableException", message: "Internal", type: "Server" })],
      complete
    ]
  },
  {
    name: "aborts the upload when the service computed another tree hash for a part",
    run: upload,
    script: [open, ["part 0", reject(400, "InvalidParameterValueException", "Checksum mismatch: expected")], abort],
    fails: "ChecksumMismatch"
  },
  {
    name: "aborts the upload when the service computed another tree hash for the archive",
    run: upload,
    script: [
      ...[open, part(0), part(1), part(2)],
      ["complete", reject(400, "InvalidParameterValueException", "Checksum mismatch: expected")],
      abort
    ],
    fails: "ChecksumMismatch"
  },
  {
    name: "sends a part again that did not arrive in time",
    run: upload,
    script: [open, ["part 0", reject(408, "RequestTimeoutException")], part(0), part(1), part(2), complete]
  },
  {
    name: "aborts the upload when a part is rejected before its body is sent",
    run: upload,
    script: [open, [
      "part 0",
      early(
        message(
          403,
          { connection: "close" },
          "{\"code\":\"AccessDeniedException\",\"message\":\"No.\",\"type\":\"Client\"}"
        )
      )
    ], abort],
    fails: "AccessDenied"
  },
  {
    name: "aborts the upload when a proxy rejects a part as too large",
    run: upload,
    script: [open, ["part 0", early(message(413, { "content-type": "text/html", connection: "close" }, page))], abort],
    fails: "UnknownServiceError"
  },
  {
    name: "sends a part again when the connection is reset in its middle",
    run: upload,
    script: [open, ["part 0", reset(undefined, "head")], part(0), part(1), part(2), complete]
  },
  {
    name: "sends a part again when the connection is closed without a response",
    run: upload,
    script: [open, ["part 0", end()], part(0), part(1), part(2), complete]
  },
  {
    name: "accepts that the server closes the connection after each response, as announced",
    run: upload,
    script: [
      open,
      ["part 0", end(message(204, { connection: "close" }))],
      ["part 1", end(message(204, { connection: "close" }))],
      ["part 2", end(message(204, { connection: "close" }))],
      ["complete", end(message(201, { connection: "close", "x-amz-archive-id": archiveId }))]
    ]
  },
  {
    name: "accepts that the connection is reset after a response",
    run: upload,
    script: [["open", reset(opened)], ["part 0", reset(stored)], part(1), part(2), complete]
  },
  {
    name: "sends a part again when the response is cut in its head",
    run: upload,
    script: [open, ["part 0", end(stored.subarray(0, 9))], part(0), part(1), part(2), complete]
  },
  {
    name: "sends a part again when the response is not HTTP",
    run: upload,
    script: [open, ["part 0", end(Buffer.from("SSH-2.0-OpenSSH\r\n\r\n"))], part(0), part(1), part(2), complete]
  },
  {
    name: "skips early hints before a response",
    run: upload,
    script: [
      open,
      ["part 0", send(Buffer.concat([Buffer.from("HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n"), stored]))],
      ...[part(1), part(2), complete]
    ]
  },
  {
    name: "sends a part again after the error page of a proxy",
    run: upload,
    script: [
      ...[open, part(0)],
      ["part 1", respond(502, { "content-type": "text/html" }, page)],
      ...[part(1), part(2), complete]
    ]
  },
  {
    name: "sends a part again after the compressed error page of a proxy",
    run: upload,
    script: [
      ...[open, part(0)],
      ["part 1", respond(502, { "content-type": "text/html", "content-encoding": "gzip" }, gzipSync(page))],
      ...[part(1), part(2), complete]
    ]
  },
  {
    name: "accepts a response in chunks",
    run: upload,
    script: [
      ["open", send(chunked(201, { "x-amz-multipart-upload-id": uploadId }, Buffer.from("{}")))],
      ...[part(0), part(1), part(2), complete]
    ]
  },
  {
    name: "accepts unknown headers, mixed case and a long header",
    run: upload,
    script: [
      ["open", respond(201, { "X-AMZ-Multipart-UPLOAD-id": uploadId, "x-new": "1", "X-Long": "x".repeat(8000) })],
      ...[part(0), part(1), part(2), complete]
    ]
  },
  {
    name: "rejects a response with an endless header",
    run: keeping,
    script: [
      open,
      ...Array.from({ length: 3 }, (): Script.Exchange => ["part 0", respond(204, { "x-long": "x".repeat(300_000) })])
    ],
    fails: "UploadKept ConnectionError"
  },
  {
    name: "accepts a response that comes byte by byte",
    run: upload,
    script: [open, ["part 0", slowly(stored, 20)], part(1), part(2), complete]
  },
  {
    name: "sends a part again when there is no response",
    run: upload,
    script: [open, ["part 0", silence()], part(0), part(1), part(2), complete],
    timeouts: { upload: brief }
  },
  {
    name: "aborts the upload when there is no response in every attempt",
    run: upload,
    script: [open, ["part 0", silence()], ["part 0", silence()], ["part 0", silence()], abort],
    fails: "AttemptTimeout",
    timeouts: { upload: brief }
  },
  {
    name: "opens another upload when the response stops in the middle",
    run: upload,
    script: [["open", silence(halfResponse)], open, part(0), part(1), part(2), complete],
    timeouts: { response: brief }
  },
  {
    name: "does not send a small archive again when the response is lost",
    run: small,
    script: [["archive", end()]],
    fails: "OutcomeUnknown"
  },
  {
    name: "sends a small archive again that was throttled",
    run: small,
    script: [["archive", throttled], ["archive", send(completed)]]
  }
]

const stages: ReadonlyArray<Row> = [
  { name: "ends soon when it is interrupted while it opens an upload", run: upload, script: [["open", silence()]] },
  {
    name: "ends soon when it is interrupted while it sends a part",
    run: keeping,
    script: [open, ["part 0", silence()]]
  },
  {
    name: "ends soon when it is interrupted while it completes an upload",
    run: keeping,
    script: [open, part(0), part(1), part(2), ["complete", silence()]]
  },
  {
    name: "ends soon when it is interrupted while it sends a small archive",
    run: small,
    script: [["archive", silence()]]
  }
]

describe("an upload", () => {
  runAll(rows)
  interruptAll(stages)
})
