/** Uploads that are resumed at a scripted server that fails in known ways. */
import { describe } from "@effect/vitest"
import { Upload } from "../../src/index.ts"
import { archiveId, uploadId } from "../transport/calls.ts"
import * as Scenarios from "./scenarios.ts"
import * as Script from "./scriptedServer.ts"
import { mebibyte, treeHash } from "./support.ts"
import { complete, part, source } from "./uploadScripts.ts"

const { bytes, failed, gone, interruptAll, json, runAll, slice, vault } = Scenarios

const { end, message, reject, respond, silence } = Script

type Row = Scenarios.Row

const resume = Upload.resume(vault, uploadId, source, { concurrency: 1 })

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

const parts = (list: ReadonlyArray<unknown>, marker: string | null = null): Script.Response =>
  json({ ...underWay, Marker: marker, Parts: list })

const rows: ReadonlyArray<Row> = [
  {
    name: "sends the first part if only that part is missing",
    run: resume,
    script: [["parts", parts([has(1), has(2)])], part(0), complete]
  },
  {
    name: "reads several pages of parts",
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
    name: "accepts parts that are listed twice and in any order",
    run: resume,
    script: [["parts", parts([has(2), has(0)], "next")], ["parts next", parts([has(0), has(1)])], complete]
  },
  {
    name: "sends a part again that has other bytes",
    run: resume,
    script: [["parts", parts([has(0), has(1, bytes.subarray(5, 5 + mebibyte)), has(2)])], part(1), complete]
  },
  {
    name: "fails when a part lies behind the end of the source",
    run: resume,
    script: [["parts", parts([has(0), has(1), has(2), has(3, bytes.subarray(0, 9))])]],
    fails: "UploadKept SourceChanged"
  },
  {
    name: "lists the parts again when that failed once",
    run: resume,
    script: [["parts", failed], ["parts", parts([has(0), has(1), has(2)])], complete]
  },
  {
    name: "fails when listing the parts fails in every attempt",
    run: resume,
    script: [["parts", failed], ["parts", failed], ["parts", failed]],
    fails: "ServiceUnavailable"
  },
  {
    name: "fetches the second page of parts again when it breaks",
    run: resume,
    script: [
      ["parts", parts([has(0)], "next")],
      ["parts next", end(message(200, { "content-length": 1000 }, "{\"Parts\": ["))],
      ["parts next", parts([has(1)])],
      ...[part(2), complete]
    ]
  },
  {
    name: "fails when the list of parts cannot be parsed",
    run: resume,
    script: [["parts", respond(200, {}, "{\"Parts\": [")]],
    fails: "MalformedResponse"
  },
  {
    name: "returns the archive of an upload that was completed already",
    run: resume,
    script: [
      ["parts", gone],
      ["complete", respond(201, { "x-amz-archive-id": archiveId, "x-amz-sha256-tree-hash": treeHash(bytes) })]
    ]
  },
  {
    name: "reports an unknown outcome if the completed archive has no tree hash",
    run: resume,
    script: [["parts", gone], complete],
    fails: "OutcomeUnknown"
  },
  {
    name: "reports a changed source if the service rejects its size",
    run: resume,
    script: [["parts", gone], [
      "complete",
      reject(400, "InvalidParameterValueException", "Invalid x-amz-archive-size")
    ]],
    fails: "SourceChanged"
  },
  {
    name: "reports an unknown outcome if the response is lost and then the upload does not exist",
    run: resume,
    script: [["parts", parts([has(0), has(1), has(2)])], ["complete", end()], ["complete", gone]],
    fails: "OutcomeUnknown"
  },
  {
    name: "fails when pages of parts repeat",
    run: resume,
    script: [["parts", parts([has(0)], "a")], ["parts a", parts([has(1)], "b")], ["parts b", parts([has(2)], "a")]],
    fails: "MalformedResponse"
  },
  {
    name: "ends a list of parts at an empty marker",
    run: resume,
    script: [["parts", parts([has(0), has(1), has(2)], "")], complete]
  },
  {
    name: "rejects a list with a part that is not aligned",
    run: resume,
    script: [["parts", parts([{ ...has(0), RangeInBytes: "5-1048580" }])]],
    fails: "MalformedResponse"
  },
  {
    name: "rejects a list with a part that is too long",
    run: resume,
    script: [["parts", parts([{ ...has(0), RangeInBytes: "0-2097151" }])]],
    fails: "MalformedResponse"
  },
  {
    name: "rejects the list of another upload",
    run: resume,
    script: [["parts", json({ ...underWay, MultipartUploadId: "another", Marker: null, Parts: [has(0)] })]],
    fails: "MalformedResponse"
  },
  {
    name: "reports a changed source if the completed archive has another tree hash",
    run: resume,
    script: [
      ["parts", gone],
      ["complete", respond(201, { "x-amz-archive-id": archiveId, "x-amz-sha256-tree-hash": treeHash(slice(0)) })]
    ],
    fails: "SourceChanged"
  },
  {
    name: "fails when the upload does not exist any more",
    run: resume,
    script: [["parts", gone], ["complete", gone]],
    fails: "UploadGone"
  }
]

const stages: ReadonlyArray<Row> = [
  { name: "ends soon when it is interrupted while it lists the parts", run: resume, script: [["parts", silence()]] }
]

describe("a resumed upload", () => {
  runAll(rows)
  interruptAll(stages)
})
