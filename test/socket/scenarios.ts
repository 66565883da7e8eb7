/** What goes wrong in transfers, told by a script: a row is what must be sent, what comes back for it, and how it ends. */
import { expect, it } from "@effect/vitest"
import { Array as Arr, Duration, Effect, Exit, Fiber } from "effect"
import { type GlacierClient, RetryPolicy, Timeouts } from "../../src/index.ts"
import { ca, ways } from "../support/tlsServer.ts"
import { promptly } from "../transport/support.ts"
import { answer, type Exchange, message, refuse, type Reply, serve } from "./script.ts"
import { client, mebibyte, ramp, until } from "./support.ts"

export const vault = { vaultName: "photos" }

/** Three parts or windows, of which the last is short. */
export const bytes = ramp(2 * mebibyte + 10)

export const slice = (index: number) => bytes.subarray(index * mebibyte, (index + 1) * mebibyte)

/** What a row does. */
export type Run = Effect.Effect<unknown, { readonly _tag: string }, GlacierClient.GlacierClient>

export interface Row {
  readonly name: string
  readonly run: Run
  readonly script: ReadonlyArray<Exchange>
  /** The tag of the error; without one it succeeds. */
  readonly fails?: string
  readonly timeouts?: Partial<Timeouts.Limits>
}

/** For rows in which something does not come. */
export const brief = Duration.seconds(1)

export const throttled = refuse(400, "ThrottlingException")
export const failed = refuse(500, "ServiceUnavailableException")
export const gone = refuse(404, "ResourceNotFoundException")
export const page = "<html><body>502 Bad Gateway</body></html>"

export const json = (body: unknown): Reply => answer(200, { "content-type": "application/json" }, JSON.stringify(body))

export const chunked = (status: number, headers: Readonly<Record<string, string>>, body: Uint8Array) =>
  Buffer.concat([
    message(status, { ...headers, "transfer-encoding": "chunked" }),
    Buffer.from(`${body.length.toString(16)}\r\n`),
    body,
    Buffer.from("\r\n0\r\n\r\n")
  ])

/** Runs against a script, with two retries at once. */
const play = ({ run, script, timeouts }: Pick<Row, "run" | "script" | "timeouts">, secure: boolean) =>
  Effect.map(serve(script, secure), (service) => ({
    ...service,
    run: run.pipe(
      Effect.provide(client(service.origin, ca)),
      Effect.provideService(RetryPolicy.RetryPolicy, promptly(2)),
      Effect.provideService(Timeouts.Timeouts, Timeouts.make(timeouts))
    )
  }))

const tagOf = (error: { readonly _tag: string }): string =>
  "cause" in error && error._tag === "UploadKept" ? `UploadKept ${tagOf(error.cause as typeof error)}` : error._tag

/** A test of each row over TCP and over TLS: the requests are those of the script, and no connection is left. */
export const playAll = (rows: ReadonlyArray<Row>) => {
  for (const [[way, secure], row] of Arr.cartesian(ways, rows)) {
    it.scopedLive(`I8 ${row.name}, over ${way}`, () =>
      Effect.gen(function*() {
        const service = yield* play(row, secure)
        const ending = Exit.mapBoth(yield* Effect.exit(service.run), { onFailure: tagOf, onSuccess: () => "success" })
        expect(ending).toEqual(row.fails === undefined ? Exit.succeed("success") : Exit.fail(row.fails))
        expect(yield* service.asked).toEqual(row.script.map(([request]) => request))
        yield* until(service.open, (open) => open === 0)
      }))
  }
}

/** A test of each row over TCP and over TLS: once all requests of the script are made, it is cancelled, and no connection is left. */
export const cancelAll = (rows: ReadonlyArray<Row>) => {
  for (const [[way, secure], row] of Arr.cartesian(ways, rows)) {
    it.scopedLive(`I8 ${row.name}, over ${way}: soon, and no socket is left`, () =>
      Effect.gen(function*() {
        const service = yield* play(row, secure)
        const fiber = yield* Effect.fork(service.run)
        yield* until(service.asked, (asked) => asked.length === row.script.length)
        const [took] = yield* Effect.timed(Fiber.interrupt(fiber))
        // The answer to an opening is waited for, for a second.
        expect(Duration.toMillis(took)).toBeLessThan(2000)
        yield* until(service.open, (open) => open === 0)
        expect(yield* service.asked).toEqual(row.script.map(([request]) => request))
      }))
  }
}
