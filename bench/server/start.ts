/** Starts the server: the one in C, or where there is no compiler the one on Node.js. */
import { Data, Effect } from "effect"
import { writeFileSync } from "node:fs"
import type { Hashed } from "../files.ts"
import { processor, started } from "../support.ts"
import type { Tools } from "../tools.ts"

export interface Server {
  readonly url: string
  readonly port: number
  /** Seconds of the processor used so far. */
  readonly processor: () => number
  /** The certificate of a server in front of this one, which clients must trust. */
  readonly authority?: string | undefined
  /** The requests received since the last call. */
  readonly received: Effect.Effect<ReadonlyArray<Received>, ReceivedUnknown>
}

/** A request as the server noted it; "-" for a header that was not there. */
export interface Received {
  readonly request: string
  readonly bytes: number
  readonly range: string
  readonly treeHash: string
  readonly sha256: string
  readonly archiveSize: string
}

class ReceivedUnknown extends Data.TaggedError("ReceivedUnknown")<{ readonly message: string }> {}

const received = (url: string) =>
  Effect.tryPromise({
    try: async () => {
      const text = await (await fetch(`${url}/received`)).text()
      await fetch(`${url}/received`, { method: "DELETE" })
      return text.split("\n").slice(0, -1).map((line): Received => {
        const [request = "", bytes, range = "", treeHash = "", sha256 = "", archiveSize = ""] = line.split("\t")
        return { request, bytes: Number(bytes), range, treeHash, sha256, archiveSize }
      })
    },
    catch: (cause) => new ReceivedUnknown({ message: `The server did not report what it received: ${cause}` })
  })

/** A server, with the output of a job or for uploads only, as long as the Scope. */
export const start = (tools: Tools, output?: Hashed) =>
  Effect.gen(function*() {
    if (output !== undefined) writeFileSync(`${output.path}.tree`, Buffer.concat(output.levels.flat()))
    const files = output === undefined ? [] : [output.path, `${output.path}.tree`]
    const { line, pid } = yield* started(tools.server.command, [...tools.server.args.map(String), ...files])
    const url = `http://127.0.0.1:${line}`
    return {
      url,
      port: Number(line),
      processor: () => processor(pid),
      received: received(url)
    } satisfies Server
  })
