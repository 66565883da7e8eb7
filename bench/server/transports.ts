/** The server as clients reach it: over plain TCP, and over TLS where this machine has nginx and openssl. */
import { type Array, Effect } from "effect"
import type { Hashed } from "../files.ts"
import type { Tools } from "../tools.ts"
import * as Nginx from "./nginx.ts"
import { type Server, start } from "./start.ts"

export interface Transport {
  readonly server: Server
  readonly isTls: boolean
  /** The end of a contest's description. */
  readonly what: "" | ", over TLS"
}

/**
 * Starts a server that accepts uploads and, with `output`, serves the output of a job. Plain TCP comes first. The server
 * and nginx end with the Scope.
 */
export const transports = Effect.fnUntraced(function*(tools: Tools, folder: string, output?: Hashed) {
  const server = yield* start(tools, output)
  const all: Array.NonEmptyArray<Transport> = [{ server, isTls: false, what: "" }]
  if (tools.tls) all.push({ server: yield* Nginx.inFront(server, folder), isTls: true, what: ", over TLS" })
  return all
})
