import { SignatureV4 } from "@smithy/signature-v4"
import * as Redacted from "effect/Redacted"
import type * as Operation from "../../protocol/Operation.ts"
import type * as Sha256 from "../../protocol/Sha256.ts"
import type { Keys } from "../Credentials.ts"

/** Who signs what, for whom and when. */
export interface Signing {
  readonly keys: Keys
  readonly region: string
  readonly service: string
  readonly host: string
  readonly date: Date
  readonly sha256: Sha256.Create
  readonly request: Omit<Operation.Request, "body"> & Partial<Pick<Operation.Request, "body">> & {
    readonly method: string
  }
}

type Data = string | ArrayBuffer | ArrayBufferView

const toBytes = (data: Data): Uint8Array => {
  if (typeof data === "string") return new TextEncoder().encode(data)
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** Our SHA-256 in the form the signing library asks for: a class, keyed when it is given a secret. */
const hashClass = (create: Sha256.Create) =>
  class {
    private readonly running: Sha256.Digest
    constructor(secret?: Data) {
      this.running = create(secret === undefined ? undefined : toBytes(secret))
    }
    update(data: Data): void {
      this.running.update(toBytes(data))
    }
    digest(): Promise<Uint8Array> {
      return Promise.resolve(this.running.digest())
    }
  }

/** All headers to send, `host` among them. */
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
    sha256: hashClass(sha256),
    // It would send a hash with every request. Uploads bring their own; the other operations need none.
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
