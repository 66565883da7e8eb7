/** How the errors of an HTTP client are classified: whether anything was sent, and whether a retry can succeed. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { HttpHooks } from "../../src/index.ts"
import { scripted } from "./support.ts"

/** Returns the error of a call whose HTTP client fails with a cause. */
const errorOf = (cause: unknown) =>
  Effect.flatMap(
    scripted(() => Effect.fail(cause)),
    ({ glacier }) => Effect.flip(glacier.describeVault({ vaultName: "photos" }))
  )

const coded = (code: string, message = code) => Object.assign(new Error(message), { code })
const notSent = (cause: unknown) => new HttpHooks.NotSent({ cause })

/** The error of Node.js when a name has several addresses. */
const unreachableTwice = Object.assign(
  new AggregateError([
    coded("ECONNREFUSED", "connect ECONNREFUSED ::1:9012"),
    coded("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:9012")
  ]),
  { code: "ECONNREFUSED" }
)

const unsent = { _tag: "ConnectionError", sent: false, unreachable: true, retry: "transient" }
const sent = { _tag: "ConnectionError", sent: true, unreachable: false, retry: "transient" }
const rejected = { _tag: "ConnectionRejected", retry: "never" }

const cases: ReadonlyArray<readonly [about: string, cause: unknown, error: object]> = [
  ["a refused connection", coded("ECONNREFUSED"), unsent],
  ["an unknown host", coded("ENOTFOUND"), unsent],
  ["a process without file handles", notSent(coded("EMFILE")), unsent],
  ["a process without file handles, over another client", coded("EMFILE"), unsent],
  ["an interrupted handshake", notSent(coded("ECONNRESET")), unsent],
  ["a proxy that is not available", notSent(coded("ERR_PROXY_UNAVAILABLE")), unsent],
  ["a lost connection", coded("ECONNRESET"), sent],
  ["a broken record on an open connection", coded("ERR_SSL_BAD_RECORD_MAC"), sent],
  ["an expired certificate", coded("CERT_HAS_EXPIRED"), rejected],
  ["a self-signed certificate", notSent(coded("DEPTH_ZERO_SELF_SIGNED_CERT")), rejected],
  [
    "a certificate of an unknown authority",
    new Error("fetch failed", { cause: coded("UNABLE_TO_VERIFY_LEAF_SIGNATURE") }),
    rejected
  ],
  ["a certificate for another host", coded("ERR_TLS_CERT_ALTNAME_INVALID"), rejected],
  ["a server without TLS", notSent(coded("EPROTO")), rejected],
  ["a proxy that rejects the tunnel", notSent(coded("ERR_PROXY_REFUSED")), rejected]
]

describe("the error of a failed connection", () => {
  it.effect.each(cases)(
    "has the right class and `sent` for %s",
    ([, cause, expected]) =>
      Effect.gen(function*() {
        expect(yield* errorOf(cause)).toMatchObject(expected)
      })
  )

  it.effect("names each address that refused the connection", () =>
    Effect.gen(function*() {
      expect(yield* errorOf(unreachableTwice)).toMatchObject({
        ...unsent,
        message: "Transport error: connect ECONNREFUSED ::1:9012; connect ECONNREFUSED 127.0.0.1:9012"
      })
    }))
})
