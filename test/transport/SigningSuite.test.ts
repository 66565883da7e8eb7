/** The public suite of Signature Version 4, restated in sigv4-cases.json. */
import { describe, expect, it } from "@effect/vitest"
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

/** Repeated headers as HTTP joins them. */
const joined = (headers: Case["headers"]) =>
  headers.reduce<Record<string, string>>((all, [name = "", value = ""]) => ({
    ...all,
    [name]: name in all ? `${all[name]},${value}` : value
  }), {})

/** What our layer makes of a case, with the hashes of what it hashed on the way. */
const signed = async ({ body, headers, method, path, query, token }: Case) => {
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

const authorization = (signedHeaders: string, signature: string) =>
  `AWS4-HMAC-SHA256 Credential=${suite.access_key_id}/20150830/${suite.region}/${suite.service}/aws4_request, ` +
  `SignedHeaders=${signedHeaders}, Signature=${signature}`

const foreign = suite.cases.filter((one) => one.not_ours !== undefined)

describe("the public suite of Signature Version 4 [S1]", () => {
  it("has 38 cases, six of which are not for Glacier [S1]", () => {
    expect(suite.cases).toHaveLength(38)
    expect(new Set(suite.cases.map(({ name }) => name)).size).toBe(38)
    expect(foreign.map(({ name }) => name)).toEqual([
      "get-relative-relative-unnormalized",
      "get-relative-unnormalized",
      "get-slash-dot-slash-unnormalized",
      "get-slash-pointless-dot-unnormalized",
      "get-slash-unnormalized",
      "get-slashes-unnormalized"
    ])
  })

  it.each(suite.cases.filter((one) => one.not_ours === undefined))("$name is signed alike [S1]", async (one) => {
    const { authorization: ours, hashed } = await signed(one)
    expect(hashed).toEqual(expect.arrayContaining([one.canonical_request_sha256, one.string_to_sign_sha256]))
    expect(ours).toBe(authorization(one.signed_headers, one.signature))
  })

  it.each(foreign)("$name is signed as if its path were normalised [S1]", async (one) => {
    const twin = suite.cases.find(({ name }) => name === one.name.replace("-unnormalized", "-normalized"))!
    expect((await signed(one)).authorization).toBe(authorization(twin.signed_headers, twin.signature))
    expect(twin.signature).not.toBe(one.signature)
  })
})
