/**
 * The requests of the processes, and the responses to them. A program must not rely on a response whose tree hash is not
 * the one that it sent: the service may have stored other bytes.
 */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Header from "./header.ts"

/** Adds or removes a key. The last response about it decides. */
const mark = (keys: Set<string>, key: string, isMarked: boolean) => {
  if (isMarked) keys.add(key)
  else keys.delete(key)
}

export const make = () => {
  /** The ids of uploads that a process has received, each with the folder of the process. */
  const opened = new Map<string, string>()
  /** The tree hashes of the parts that were sent to an upload, by its id. */
  const sent = new Map<string, Set<string>>()
  /** The ids of archives whose last response contradicted its request. */
  const contradicted = new Set<string>()
  /** The ids of uploads that were completed although the last response to a part contradicted its request. */
  const careless = new Set<string>()

  /**
   * Watches the requests of a process. After a response to a part that contradicted its request, the process must resend
   * the part or list the parts before it completes the upload.
   */
  const watch = (folder: string) => {
    const parts = new Map<string, Set<string>>()
    return (request: HttpClientRequest.HttpClientRequest, uploadId: string | undefined) => {
      const { headers, method } = request
      const mine = parts.get(uploadId ?? "") ?? new Set()
      parts.set(uploadId ?? "", mine)
      if (method === "POST" && uploadId !== undefined && mine.size > 0) careless.add(uploadId)
      if (method === "PUT" && uploadId !== undefined) {
        sent.set(uploadId, (sent.get(uploadId) ?? new Set()).add(headers[Header.treeHash] ?? ""))
      }

      return ({ headers: received, status }: HttpClientResponse.HttpClientResponse) => {
        if (status >= 300) return
        const { [Header.archiveId]: archiveId, [Header.treeHash]: treeHash, [Header.uploadId]: initiated } = received
        const isContradicted = treeHash !== undefined && treeHash !== headers[Header.treeHash]
        if (initiated !== undefined) opened.set(initiated, folder)
        if (archiveId !== undefined) mark(contradicted, archiveId, isContradicted)
        if (uploadId === undefined) return
        if (method === "GET") mine.clear()
        if (method === "PUT") mark(mine, headers["content-range"] ?? "", isContradicted)
      }
    }
  }

  return { opened, sent, contradicted, careless, watch }
}
