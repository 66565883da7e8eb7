/** The cases of the public test suite of Signature Version 4, signed by this package. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createHash } from "node:crypto"
import * as Sha256 from "../../src/protocol/Sha256.ts"
import { sign } from "../../src/transport/internal/signature.ts"
import suite from "../fixtures/sigv4-cases.json" with { type: "json" }

type Case = Pick<(typeof suite.cases)[number], "method" | "path" | "query" | "headers"> & {
  readonly body?: string
  readonly token?: string
}

const sha256 = Effect.runSync(Sha256.Sha256)

/** Joins repeated headers as HTTP does. */
const joined = (headers: Case["headers"]) =>
  headers.reduce<Record<string, string>>((all, [name = "", value = ""]) => ({
    ...all,
    [name]: name in all ? `${all[name]},${value}` : value
  }), {})

/** Signs a case. Returns the header, and the hash of everything that was hashed to make it. */
export const signed = async ({ body, headers, method, path, query, token }: Case) => {
  const hashed: Array<string> = []
  const created: Sha256.Create = (key) => {
    const running = sha256(key)
    const copy = createHash("sha256")
    return {
      update: (bytes) => {
        copy.update(bytes)
        running.update(bytes)
      },
      digest: () => {
        hashed.push(copy.digest("hex"))
        return running.digest()
      }
    }
  }
  const { authorization } = await sign({
    keys: {
      accessKeyId: suite.access_key_id,
      secretAccessKey: Redacted.make(suite.secret_access_key),
      sessionToken: token === undefined ? undefined : Redacted.make(token)
    },
    region: suite.region,
    service: suite.service,
    host: suite.host,
    date: new Date(suite.date),
    sha256: Sha256.hashClass(created),
    request: {
      method,
      path,
      query: query.map(([name = "", value = ""]) => [name, value] as const),
      headers: joined(headers),
      body
    }
  })
  return { authorization, hashed }
}

export const authorization = (signedHeaders: string, signature: string) =>
  `AWS4-HMAC-SHA256 Credential=${suite.access_key_id}/20150830/${suite.region}/${suite.service}/aws4_request, ` +
  `SignedHeaders=${signedHeaders}, Signature=${signature}`

export const foreign = suite.cases.filter((testCase) => testCase.not_ours !== undefined)
