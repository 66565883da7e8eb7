/** The calls, requests and responses of the scripts for uploads. */
import { Source } from "../../src/index.ts"
import { archiveId, uploadId } from "../transport/calls.ts"
import { bytes } from "./scenarios.ts"
import * as Script from "./scriptedServer.ts"

const { message, send } = Script

/** The source of an upload of 3 parts. */
export const source = Source.bytes(bytes)

export const opened = message(201, { "x-amz-multipart-upload-id": uploadId, location: "/somewhere" })
export const stored = message(204)
export const completed = message(201, { "x-amz-archive-id": archiveId })

export const open: Script.Exchange = ["open", send(opened)]
export const part = (index: number): Script.Exchange => [`part ${index}`, send(stored)]
export const complete: Script.Exchange = ["complete", send(completed)]
export const abort: Script.Exchange = ["abort", send(stored)]
