/**
 * Tests of transfers against a scripted server. A row has a call, the requests that it must send with their responses, and
 * the error that it must fail with.
 */
import { expect, it } from "@effect/vitest"
import { Array as Arr, Duration, Effect, Exit, Fiber } from "effect"
import { type GlacierClient, RetryPolicy, Timeouts } from "../../src/index.ts"
import { promptly } from "../support/retryPolicies.ts"
import { ca, ways } from "../support/tlsServer.ts"
import { type Exchange, message, reject, respond, type Response, serve } from "./scriptedServer.ts"
import { client, mebibyte, ramp, until } from "./support.ts"

export const vault = { vaultName: "photos" }

/** The bytes of three parts or windows. The last one is short. */
export const bytes = ramp(2 * mebibyte + 10)

export const slice = (index: number) => bytes.subarray(index * mebibyte, (index + 1) * mebibyte)

/** A call of a row. */
export type Run = Effect.Effect<unknown, { readonly _tag: string }, GlacierClient.GlacierClient>

export interface Row {
  readonly name: string
  readonly run: Run
  readonly script: ReadonlyArray<Exchange>
  /** The tag of the expected error. Without a tag the call must succeed. */
  readonly fails?: string
  readonly timeouts?: Partial<Timeouts.Limits>
}

/** The time limit of rows in which the server stops responding. */
export const brief = Duration.seconds(2)

export const throttled = reject(400, "ThrottlingException")
export const failed = reject(500, "ServiceUnavailableException")
export const gone = reject(404, "ResourceNotFoundException")
export const page = "<html><body>502 Bad Gateway</body></html>"

export const json = (body: unknown): Response =>
  respond(200, { "content-type": "application/json" }, JSON.stringify(body))

export const chunked = (status: number, headers: Readonly<Record<string, string>>, body: Uint8Array) =>
  Buffer.concat([
    message(status, { ...headers, "transfer-encoding": "chunked" }),
    Buffer.from(`${body.length.toString(16)}\r\n`),
    body,
    Buffer.from("\r\n0\r\n\r\n")
  ])

/** Starts the server of a row. Its call is retried twice without a delay. */
const prepare = ({ run, script, timeouts }: Pick<Row, "run" | "script" | "timeouts">, secure: boolean) =>
  Effect.map(serve(script, secure), (server) => ({
    ...server,
    run: run.pipe(
      Effect.provide(client(server.origin, ca)),
      Effect.provideService(RetryPolicy.RetryPolicy, promptly(2)),
      Effect.provideService(Timeouts.Timeouts, Timeouts.make(timeouts))
    )
  }))

const tagOf = (error: { readonly _tag: string }): string =>
  "cause" in error && error._tag === "UploadKept" ? `UploadKept ${tagOf(error.cause as typeof error)}` : error._tag

/** Tests each row over TCP and TLS: the requests are those of the script, and no connection stays open. */
export const runAll = (rows: ReadonlyArray<Row>) => {
  for (const [[way, secure], row] of Arr.cartesian(ways, rows)) {
    it.scopedLive(`${row.name}, over ${way} [I8]`, () =>
      Effect.gen(function*() {
        const server = yield* prepare(row, secure)
        const ending = Exit.mapBoth(yield* Effect.exit(server.run), { onFailure: tagOf, onSuccess: () => "success" })
        expect(ending).toEqual(row.fails === undefined ? Exit.succeed("success") : Exit.fail(row.fails))
        expect(yield* server.requests).toEqual(row.script.map(([request]) => request))
        yield* until(server.open, (open) => open === 0)
      }))
  }
}

/** Tests each row over TCP and TLS: once the server has all requests, the call is interrupted. No connection stays open. */
export const interruptAll = (rows: ReadonlyArray<Row>) => {
  for (const [[way, secure], row] of Arr.cartesian(ways, rows)) {
    it.scopedLive(`${row.name}, over ${way} [I8]`, () =>
      Effect.gen(function*() {
        const server = yield* prepare(row, secure)
        const fiber = yield* Effect.fork(server.run)
        yield* until(server.requests, (requests) => requests.length === row.script.length)
        const [took] = yield* Effect.timed(Fiber.interrupt(fiber))
        // An interrupted upload waits up to a second for the id of the upload that it opens.
        expect(Duration.toMillis(took)).toBeLessThan(10_000)
        yield* until(server.open, (open) => open === 0)
        expect(yield* server.requests).toEqual(row.script.map(([request]) => request))
      }))
  }
}
