import { describe } from "@effect/vitest"
import { gzipSync } from "node:zlib"
import { Source, Upload } from "../../src/index.ts"
import { archiveId, uploadId } from "../transport/calls.ts"
import * as Scenarios from "./scenarios.ts"
import * as Script from "./script.ts"
import { mebibyte, treeHash } from "./support.ts"

const { brief, bytes, cancelAll, chunked, failed, gone, json, page, playAll, slice, throttled, vault } = Scenarios

const { answer, early, end, message, refuse, reset, send, silence, slowly } = Script

type Row = Scenarios.Row

const source = Source.bytes(bytes)

const settings = { partSize: mebibyte, concurrency: 1 }

const upload = Upload.upload(vault, source, settings)

const keeping = Upload.upload(vault, source, { ...settings, onFailure: "keep" })

const small = Upload.upload(vault, Source.bytes(bytes.subarray(0, 10)))

const resume = Upload.resume(vault, uploadId, source, { concurrency: 1 })

const opened = message(201, { "x-amz-multipart-upload-id": uploadId, location: "/somewhere" })
const stored = message(204)
const completed = message(201, { "x-amz-archive-id": archiveId })

/** An answer that says how long it is, and ends before. */
const halfAnswer = message(400, { "content-type": "application/json", "content-length": 100 }, "{\"code\":")

const underWay = {
  ArchiveDescription: null,
  CreationDate: "2999-01-01T00:00:00.000Z",
  MultipartUploadId: uploadId,
  PartSizeInBytes: mebibyte,
  VaultARN: "arn:aws:glacier:us-east-1:012345678901:vaults/photos"
}

const has = (index: number, of: Uint8Array = slice(index)) => ({
  RangeInBytes: `${index * mebibyte}-${index * mebibyte + of.length - 1}`,
  SHA256TreeHash: treeHash(of)
})

const parts = (list: ReadonlyArray<unknown>, marker: string | null = null): Script.Reply =>
  json({ ...underWay, Marker: marker, Parts: list })

/** Another tree hash than any that was sent. */
const otherHash = { "x-amz-archive-id": archiveId, "x-amz-sha256-tree-hash": "0".repeat(64) }

const damaged = refuse(
  403,
  "InvalidSignatureException",
  "The value passed in as x-amz-content-sha256 does not match the computed payload hash."
)

const open: Script.Exchange = ["open", send(opened)]
const part = (index: number): Script.Exchange => [`part ${index}`, send(stored)]
const complete: Script.Exchange = ["complete", send(completed)]
const abort: Script.Exchange = ["abort", send(stored)]

const rows: ReadonlyArray<Row> = [
  {
    name: "the opening is throttled",
    run: upload,
    script: [["open", throttled], open, part(0), part(1), part(2), complete]
  },
  {
    name: "the end is throttled",
    run: upload,
    script: [open, part(0), part(1), part(2), ["complete", throttled], ["complete", throttled], complete]
  },
  {
    name: "throttled for good: the parts are dropped",
    run: upload,
    script: [open, part(0), ["part 1", throttled], ["part 1", throttled], ["part 1", throttled], abort],
    fails: "Throttling"
  },
  {
    name: "throttled for good: the parts are kept",
    run: keeping,
    script: [open, part(0), ["part 1", throttled], ["part 1", throttled], ["part 1", throttled]],
    fails: "UploadKept Throttling"
  },
  {
    name: "the answer to the opening has no id",
    run: upload,
    script: [["open", answer(201, { location: "/somewhere" })]],
    fails: "MalformedResponse"
  },
  {
    name: "the answer to the end has no id",
    run: keeping,
    script: [open, part(0), part(1), part(2), ["complete", answer(201)]],
    fails: "UploadKept MalformedResponse"
  },
  {
    name: "the answer to the opening is lost: another is opened",
    run: upload,
    script: [["open", end()], open, part(0), part(1), part(2), complete]
  },
  {
    name: "the opening is lost",
    run: upload,
    script: [["open", reset()], open, part(0), part(1), part(2), complete]
  },
  {
    name: "the answer to the end is lost, and the second says the same",
    run: upload,
    script: [open, part(0), part(1), part(2), ["complete", end()], complete]
  },
  {
    name: "the answer to the end is lost, and then there is no such upload",
    run: keeping,
    script: [open, part(0), part(1), part(2), ["complete", reset()], ["complete", gone]],
    fails: "OutcomeUnknown"
  },
  {
    name: "there is no such upload at its end, and nothing was lost before",
    run: keeping,
    script: [open, part(0), part(1), part(2), ["complete", gone]],
    fails: "UploadKept ResourceNotFound"
  },
  {
    name: "the answers to the end are lost, and the upload can be aborted: it was not completed",
    run: upload,
    script: [open, part(0), part(1), part(2), ["complete", end()], ["complete", end()], ["complete", end()], abort],
    fails: "ConnectionError"
  },
  {
    name: "the answers to the end are lost, and there is no upload to abort",
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
    name: "the end is confirmed with another tree hash",
    run: upload,
    script: [...[open, part(0), part(1), part(2)], ["complete", answer(201, otherHash)]],
    fails: "ChecksumMismatch"
  },
  {
    name: "a part is confirmed with another tree hash once",
    run: upload,
    script: [open, ["part 0", answer(204, otherHash)], part(0), part(1), part(2), complete]
  },
  {
    name: "a part is damaged on its way once",
    run: upload,
    script: [open, ["part 0", damaged], part(0), part(1), part(2), complete]
  },
  {
    name: "a part is damaged on its way each time",
    run: upload,
    script: [open, ["part 0", damaged], ["part 0", damaged], ["part 0", damaged], abort],
    fails: "ChecksumMismatch"
  },
  {
    name: "a single request is damaged on its way once",
    run: small,
    script: [["archive", damaged], ["archive", send(completed)]]
  },
  {
    name: "a single request is confirmed with another tree hash",
    run: small,
    script: [["archive", answer(201, otherHash)]],
    fails: "ChecksumMismatch"
  },
  {
    name: "the end is answered with 200 and an error",
    run: upload,
    script: [
      ...[open, part(0), part(1), part(2)],
      ["complete", json({ code: "ServiceUnavailableException", message: "Internal", type: "Server" })],
      complete
    ]
  },
  {
    name: "a part has another checksum",
    run: upload,
    script: [open, ["part 0", refuse(400, "InvalidParameterValueException", "Checksum mismatch: expected")], abort],
    fails: "ChecksumMismatch"
  },
  {
    name: "the whole has another checksum",
    run: upload,
    script: [
      ...[open, part(0), part(1), part(2)],
      ["complete", refuse(400, "InvalidParameterValueException", "Checksum mismatch: expected")],
      abort
    ],
    fails: "ChecksumMismatch"
  },
  {
    name: "a part did not arrive in time",
    run: upload,
    script: [open, ["part 0", refuse(408, "RequestTimeoutException")], part(0), part(1), part(2), complete]
  },
  {
    name: "a part is refused before its body is sent",
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
    name: "a part is too large for who is in between",
    run: upload,
    script: [open, ["part 0", early(message(413, { "content-type": "text/html", connection: "close" }, page))], abort],
    fails: "UnknownServiceError"
  },
  {
    name: "the connection is reset in the middle of a part",
    run: upload,
    script: [open, ["part 0", reset(undefined, "head")], part(0), part(1), part(2), complete]
  },
  {
    name: "the connection is closed instead of an answer",
    run: upload,
    script: [open, ["part 0", end()], part(0), part(1), part(2), complete]
  },
  {
    name: "the connection is closed after each answer, as it says",
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
    name: "the connection is reset after an answer",
    run: upload,
    script: [["open", reset(opened)], ["part 0", reset(stored)], part(1), part(2), complete]
  },
  {
    name: "an answer is cut in its head",
    run: upload,
    script: [open, ["part 0", end(stored.subarray(0, 9))], part(0), part(1), part(2), complete]
  },
  {
    name: "an answer is no HTTP",
    run: upload,
    script: [open, ["part 0", end(Buffer.from("SSH-2.0-OpenSSH\r\n\r\n"))], part(0), part(1), part(2), complete]
  },
  {
    name: "hints come before the answer",
    run: upload,
    script: [
      open,
      ["part 0", send(Buffer.concat([Buffer.from("HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n"), stored]))],
      ...[part(1), part(2), complete]
    ]
  },
  {
    name: "a page of a proxy comes",
    run: upload,
    script: [
      ...[open, part(0)],
      ["part 1", answer(502, { "content-type": "text/html" }, page)],
      ...[part(1), part(2), complete]
    ]
  },
  {
    name: "a page of a proxy comes in gzip",
    run: upload,
    script: [
      ...[open, part(0)],
      ["part 1", answer(502, { "content-type": "text/html", "content-encoding": "gzip" }, gzipSync(page))],
      ...[part(1), part(2), complete]
    ]
  },
  {
    name: "an answer comes in chunks",
    run: upload,
    script: [
      ["open", send(chunked(201, { "x-amz-multipart-upload-id": uploadId }, Buffer.from("{}")))],
      ...[part(0), part(1), part(2), complete]
    ]
  },
  {
    name: "an answer has headers that nobody knows, in odd letters, and a long one",
    run: upload,
    script: [
      ["open", answer(201, { "X-AMZ-Multipart-UPLOAD-id": uploadId, "x-new": "1", "X-Long": "x".repeat(8000) })],
      ...[part(0), part(1), part(2), complete]
    ]
  },
  {
    name: "an answer has a header without end",
    run: keeping,
    script: [
      open,
      ...Array.from({ length: 3 }, (): Script.Exchange => ["part 0", answer(204, { "x-long": "x".repeat(300_000) })])
    ],
    fails: "UploadKept ConnectionError"
  },
  {
    name: "an answer comes byte by byte",
    run: upload,
    script: [open, ["part 0", slowly(stored, 20)], part(1), part(2), complete]
  },
  {
    name: "no answer comes to a part",
    run: upload,
    script: [open, ["part 0", silence()], part(0), part(1), part(2), complete],
    timeouts: { upload: brief }
  },
  {
    name: "no answer ever comes to a part",
    run: upload,
    script: [open, ["part 0", silence()], ["part 0", silence()], ["part 0", silence()], abort],
    fails: "AttemptTimeout",
    timeouts: { upload: brief }
  },
  {
    name: "half an answer comes, and no more",
    run: upload,
    script: [["open", silence(halfAnswer)], open, part(0), part(1), part(2), complete],
    timeouts: { response: brief }
  },
  {
    name: "the answer to a single request is lost: it is not sent again",
    run: small,
    script: [["archive", end()]],
    fails: "OutcomeUnknown"
  },
  {
    name: "a single request is throttled",
    run: small,
    script: [["archive", throttled], ["archive", send(completed)]]
  }
]

const resumed: ReadonlyArray<Row> = [
  {
    name: "the first part is missing",
    run: resume,
    script: [["parts", parts([has(1), has(2)])], part(0), complete]
  },
  {
    name: "the parts come on several pages",
    run: resume,
    script: [
      ["parts", parts([has(0)], "next")],
      ["parts next", parts([has(1)], "last")],
      ["parts last", parts([])],
      part(2),
      complete
    ]
  },
  {
    name: "the parts come twice and in no order",
    run: resume,
    script: [["parts", parts([has(2), has(0)], "next")], ["parts next", parts([has(0), has(1)])], complete]
  },
  {
    name: "a part is another",
    run: resume,
    script: [["parts", parts([has(0), has(1, bytes.subarray(5, 5 + mebibyte)), has(2)])], part(1), complete]
  },
  {
    name: "a part lies behind the end",
    run: resume,
    script: [["parts", parts([has(0), has(1), has(2), has(3, bytes.subarray(0, 9))])]],
    fails: "UploadKept SourceChanged"
  },
  {
    name: "the list fails once",
    run: resume,
    script: [["parts", failed], ["parts", parts([has(0), has(1), has(2)])], complete]
  },
  {
    name: "the list fails for good",
    run: resume,
    script: [["parts", failed], ["parts", failed], ["parts", failed]],
    fails: "ServiceUnavailable"
  },
  {
    name: "the second page of the list breaks",
    run: resume,
    script: [
      ["parts", parts([has(0)], "next")],
      ["parts next", end(message(200, { "content-length": 1000 }, "{\"Parts\": ["))],
      ["parts next", parts([has(1)])],
      ...[part(2), complete]
    ]
  },
  {
    name: "the list cannot be read",
    run: resume,
    script: [["parts", answer(200, {}, "{\"Parts\": [")]],
    fails: "MalformedResponse"
  },
  {
    name: "it was completed already",
    run: resume,
    script: [
      ["parts", gone],
      ["complete", answer(201, { "x-amz-archive-id": archiveId, "x-amz-sha256-tree-hash": treeHash(bytes) })]
    ]
  },
  {
    name: "it was completed already, and the service does not say with which bytes",
    run: resume,
    script: [["parts", gone], complete],
    fails: "OutcomeUnknown"
  },
  {
    name: "it was completed already, and refuses other bytes",
    run: resume,
    script: [["parts", gone], [
      "complete",
      refuse(400, "InvalidParameterValueException", "Invalid x-amz-archive-size")
    ]],
    fails: "SourceChanged"
  },
  {
    name: "the answer to its end is lost, and then there is no such upload",
    run: resume,
    script: [["parts", parts([has(0), has(1), has(2)])], ["complete", end()], ["complete", gone]],
    fails: "OutcomeUnknown"
  },
  {
    name: "a page of its parts comes again without end",
    run: resume,
    script: [["parts", parts([has(0)], "a")], ["parts a", parts([has(1)], "b")], ["parts b", parts([has(2)], "a")]],
    fails: "MalformedResponse"
  },
  {
    name: "its list ends with an empty marker",
    run: resume,
    script: [["parts", parts([has(0), has(1), has(2)], "")], complete]
  },
  {
    name: "its list has a part that cannot be",
    run: resume,
    script: [["parts", parts([{ ...has(0), RangeInBytes: "5-1048580" }])]],
    fails: "MalformedResponse"
  },
  {
    name: "its list has a part that is too long",
    run: resume,
    script: [["parts", parts([{ ...has(0), RangeInBytes: "0-2097151" }])]],
    fails: "MalformedResponse"
  },
  {
    name: "its list is of another upload",
    run: resume,
    script: [["parts", json({ ...underWay, MultipartUploadId: "another", Marker: null, Parts: [has(0)] })]],
    fails: "MalformedResponse"
  },
  {
    name: "it was completed already, with other bytes",
    run: resume,
    script: [
      ["parts", gone],
      ["complete", answer(201, { "x-amz-archive-id": archiveId, "x-amz-sha256-tree-hash": treeHash(slice(0)) })]
    ],
    fails: "SourceChanged"
  },
  {
    name: "it is gone",
    run: resume,
    script: [["parts", gone], ["complete", gone]],
    fails: "UploadGone"
  }
]

const stages: ReadonlyArray<Row> = [
  { name: "while an upload is opened", run: upload, script: [["open", silence()]] },
  { name: "while a part is sent", run: keeping, script: [open, ["part 0", silence()]] },
  {
    name: "while an upload is completed",
    run: keeping,
    script: [open, part(0), part(1), part(2), ["complete", silence()]]
  },
  { name: "while the parts are listed", run: resume, script: [["parts", silence()]] },
  { name: "in a single request", run: small, script: [["archive", silence()]] }
]

describe("an upload [I8]", () => playAll(rows))

describe("an upload that is resumed [I8]", () => playAll(resumed))

describe("an upload that is cancelled [I8]", () => cancelAll(stages))
