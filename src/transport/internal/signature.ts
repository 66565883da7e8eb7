/**
 * Signs requests with Signature Version 4, over `@smithy/signature-v4`.
 *
 * @internal
 */
import { SignatureV4 } from "@smithy/signature-v4"
import * as Redacted from "effect/Redacted"
import type * as Operation from "../../protocol/Operation.ts"
import type * as Sha256 from "../../protocol/Sha256.ts"
import type { Keys } from "../Credentials.ts"

/** A request, the keys to sign it with, and the region and time to sign it for. */
export interface Signing {
  readonly keys: Keys
  readonly region: string
  readonly service: string
  readonly host: string
  readonly date: Date
  readonly sha256: Sha256.HashClass
  readonly request: Omit<Operation.Request, "body"> & Partial<Pick<Operation.Request, "body">> & {
    readonly method: string
  }
}

/** Signs a request. Returns all headers to send, including `host`. */
export const sign = async (
  { date, host, keys, region, request, service, sha256 }: Signing
): Promise<Readonly<Record<string, string>>> => {
  const signer = new SignatureV4({
    credentials: {
      accessKeyId: keys.accessKeyId,
      secretAccessKey: Redacted.value(keys.secretAccessKey),
      ...(keys.sessionToken === undefined ? {} : { sessionToken: Redacted.value(keys.sessionToken) })
    },
    region,
    service,
    sha256,
    // Otherwise every request would have a hash. Uploads already have one; the other operations need none.
    applyChecksum: false
  })
  const signed = await signer.sign({
    method: request.method,
    protocol: "https:",
    hostname: host,
    path: request.path,
    query: Object.fromEntries(request.query),
    headers: { ...request.headers, host },
    body: request.body
  }, { signingDate: date })
  return signed.headers
}
