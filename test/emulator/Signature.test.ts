import { describe, expect, it } from "@effect/vitest"
import { SignatureV4 } from "@smithy/signature-v4"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Signature from "../../src/emulator/internal/signature.ts"
import type * as Sha256 from "../../src/protocol/Sha256.ts"
import {
  accepted,
  accessKeyId,
  authorization,
  base,
  emptyHash,
  examples,
  expectRejection,
  hashOf,
  keysWith,
  now,
  scope,
  secret,
  sha256,
  sign,
  utf8,
  verify,
  withHeaders,
  without
} from "./signatures.ts"

describe("Signature", () => {
  describe("requests signed by other programs", () => {
    it("are in the fixtures", () => {
      expect(examples).toHaveLength(39)
    })

    it.each(examples)("$method $target ($signed_headers)", (example) => {
      const bodySha256 = hashOf(example.body)
      const payloadHash = Option.fromNullable(example.request.headers["x-amz-content-sha256"])
      const canonical = Signature.canonicalRequest(
        example.request,
        example.signed_headers.split(";"),
        Option.getOrElse(payloadHash, () => bodySha256)
      )
      expect(hashOf(canonical)).toBe(example.canonical_request_sha256)
      expect(accepted(example.request, { bodySha256 })).toEqual({ accessKeyId, region: "us-east-1", payloadHash })
    })

    const vectors = [{
      name: "create vault",
      method: "PUT",
      path: "/-/vaults/examplevault",
      date: "20120525T002453Z",
      payloadHash: Option.none<string>(),
      canonicalHash: "5f1da1a2d0feb614dd03d71e87928b8e449ac87614479332aced3a701f916743",
      key: "75fb39ae89095e144a7b5b520c6761dcedc4fe3acf1fc6e51fee65489bfacf74",
      signature: "3ce5b2f2fffac9262b4da9256f8d086b4aaf42eba5f111c21681a65a127b7c2a"
    }, {
      name: "streaming upload",
      method: "POST",
      path: "/-/vaults/examplevault/archives",
      date: "20120507T000000Z",
      payloadHash: Option.some("726e392cb4d09924dbad1cc0ba3b00c3643d03d14cb4b823e2f041cff612a628"),
      canonicalHash: "f3df090abf5698dbe2230b41165a7b8991f9616ef67de13ac283577a02732819",
      key: "77748921d473e94445578f9d77963996e52400ff6e41eaeff817f39e6c557e40",
      signature: "b092397439375d59119072764a1e9a144677c43d9906fd98a5742c57a2855de6"
    }]

    it.each(vectors)("verifies the vector $name", (vector) => {
      const vectorScope = `${vector.date.slice(0, 8)}/us-east-1/glacier/aws4_request`
      const signed: Record<string, string> = {
        host: "glacier.us-east-1.amazonaws.com",
        ...Option.match(vector.payloadHash, { onNone: () => ({}), onSome: (h) => ({ "x-amz-content-sha256": h }) }),
        "x-amz-date": vector.date,
        "x-amz-glacier-version": "2012-06-01"
      }
      const names = Object.keys(signed)
      const request = {
        method: vector.method,
        path: vector.path,
        query: "",
        headers: {
          ...signed,
          authorization: authorization({ scope: vectorScope, names: names.join(";"), signature: vector.signature })
        }
      }
      const hash = Option.getOrElse(vector.payloadHash, () => emptyHash)
      expect(hashOf(Signature.canonicalRequest(request, names, hash))).toBe(vector.canonicalHash)
      expect(Encoding.encodeHex(Signature.signingKey(sha256, Redacted.make(secret), vectorScope))).toBe(vector.key)
      const at = vector.name === "create vault" ? now : Date.UTC(2012, 4, 7)
      expect(accepted(request, { now: at }).payloadHash).toEqual(vector.payloadHash)
    })

    const text = FastCheck.string({ unit: "binary", maxLength: 12 })
    const ascii = FastCheck.string({ unit: "grapheme-ascii", maxLength: 12 })
    const segment = FastCheck.oneof(text, FastCheck.constantFrom("", ".", "..", "-", "vaults"))

    it.effect.prop(
      "have the same signature as from another signer, with any path, query and header",
      {
        segments: FastCheck.array(segment, { maxLength: 6 }),
        query: FastCheck.dictionary(text.filter((name) => name !== "__proto__"), text, { maxKeys: 4 }),
        description: ascii,
        body: text,
        token: FastCheck.option(ascii.map((value) => value.trim() + "t"), { nil: undefined }),
        form: FastCheck.boolean()
      },
      ({ body, description, form, query, segments, token }) =>
        Effect.gen(function*() {
          const signer = new SignatureV4({
            service: "glacier",
            region: "eu-west-1",
            credentials: {
              accessKeyId,
              secretAccessKey: secret,
              ...(token === undefined ? {} : { sessionToken: token })
            },
            applyChecksum: false,
            sha256: class {
              readonly running: Sha256.Digest
              constructor(key?: Uint8Array | string | ArrayBuffer | ArrayBufferView) {
                this.running = key === undefined
                  ? sha256()
                  : sha256(typeof key === "string" ? utf8.encode(key) : key instanceof Uint8Array ? key : undefined)
              }
              update(bytes: Uint8Array | string) {
                this.running.update(typeof bytes === "string" ? utf8.encode(bytes) : bytes)
              }
              digest() {
                return Promise.resolve(this.running.digest())
              }
              reset() {}
            }
          })
          const path = "/" + segments.map((part) => encodeURIComponent(part)).join("/")
          const { headers } = yield* Effect.promise(() =>
            signer.sign({
              method: "POST",
              protocol: "https:",
              hostname: "127.0.0.1",
              path,
              query,
              headers: {
                host: "127.0.0.1:8080",
                "content-type": "text/plain",
                "x-amz-archive-description": description
              },
              body
            }, { signingDate: new Date(now) })
          )
          const wire = form
            ? new URLSearchParams(query).toString()
            : Object.entries(query).map((pair) => pair.map(encodeURIComponent).join("=")).join("&")
          const verified = accepted({ method: "POST", path, query: wire, headers }, {
            keys: keysWith(Option.fromNullable(token)),
            bodySha256: hashOf(body)
          })
          expect(verified.region).toBe("eu-west-1")
        })
    )
  })

  describe("of a valid request", () => {
    it("accepts several spaces within a header as one, and spaces around it", () => {
      const signed = sign(withHeaders({ "x-amz-archive-description": "a b c" }))
      accepted(withHeaders({ "x-amz-archive-description": "  a   b  c " }, signed))
      expectRejection("InvalidSignatureException", withHeaders({ "x-amz-archive-description": "ab c" }, signed))
    })

    it("accepts a marker with any escapes, and query pairs in any order", () => {
      const signed = sign({ ...base, query: "limit=2&marker=arn%3Aaws%3Avaults%2Fa" })
      accepted({ ...signed, query: "marker=arn:aws:vaults/a&limit=2" })
      accepted({ ...signed, query: "marker=%61rn%3aaws%3avaults%2fa&limit=2" })
      expect(Signature.canonicalRequest(signed, ["host"], emptyHash).split("\n")[2])
        .toBe("limit=2&marker=arn%3Aaws%3Avaults%2Fa")
    })

    it.each([
      ["", ""],
      ["a", "a="],
      ["a-=1&a=2&A=3&a=10", "A=3&a=10&a=2&a-=1"],
      ["q=a b+c%20~*", "q=a%20b%20c%20~%2A"],
      ["q=a=b", "q=a%3Db"],
      ["q=%&r=%zz&s=%e9&t=é", "q=%25&r=%25zz&s=%E9&t=%C3%A9"]
    ])("accepts the query '%s' as '%s'", (query, canonical) => {
      expect(Signature.canonicalRequest({ ...base, query }, ["host"], emptyHash).split("\n")[2]).toBe(canonical)
    })

    it.each([
      ["", "/"],
      ["/", "/"],
      ["//-//vaults/", "/-/vaults/"],
      ["/-/./vaults/../jobs", "/-/jobs"],
      ["/../..", "/"],
      ["/-/vaults/a%20b%2Fc", "/-/vaults/a%2520b%252Fc"],
      ["/%/é:", "/%25/%C3%A9%3A"]
    ])("accepts the path '%s' as '%s'", (path, canonical) => {
      expect(Signature.canonicalRequest({ ...base, path }, ["host"], emptyHash).split("\n")[1]).toBe(canonical)
    })

    it("accepts any region and service in the scope", () => {
      const signed = sign(base, { scope: "20120525/0/127/aws4_request" })
      expect(accepted(signed)).toEqual({ accessKeyId, region: "0", payloadHash: Option.none() })
    })

    it("accepts an Authorization without spaces between its parts", () => {
      const signed = sign(base)
      accepted(withHeaders({ authorization: (signed.headers["authorization"] ?? "").replaceAll(", ", ",") }, signed))
    })

    it("accepts signed headers in any order, and sorts them", () => {
      const signed = sign(base, { names: "host;x-amz-date" })
      const text = (signed.headers["authorization"] ?? "").replace("host;x-amz-date", "x-amz-date;host")
      accepted(withHeaders({ authorization: text }, signed))
      expect(Signature.canonicalRequest(base, ["x-amz-date", "host"], emptyHash))
        .toContain("\nhost:glacier.us-east-1.amazonaws.com\nx-amz-date:20120525T002453Z\n\nhost;x-amz-date\n")
    })

    it("accepts the date of the Date header, but prefers x-amz-date", () => {
      const dated = withHeaders({ date: "20120525T002453Z" })
      accepted(sign(without("x-amz-date", dated)))
      accepted(sign(withHeaders({ date: "Fri, 25 May 2012 00:24:53 GMT" })))
    })

    it("accepts x-amz-* headers that are not signed, except three", () => {
      accepted(sign(base, { names: "host;x-amz-date" }))
    })

    it("accepts a signed header of any name that was not sent, as empty", () => {
      const names = "__proto__;constructor;host;x-amz-date"
      const canonical = Signature.canonicalRequest(base, names.split(";"), emptyHash)
      expect(canonical).toContain("\n__proto__:\nconstructor:\nhost:")
      accepted(sign(base, { names }))
    })

    it("accepts a session token", () => {
      const keys = keysWith(Option.some("token"))
      accepted(sign(withHeaders({ "x-amz-security-token": "token" })), { keys })
    })

    it("accepts signatures of up to 5 minutes before and after now", () => {
      const signed = sign(base)
      for (const seconds of [-300, -299, 299, 300]) accepted(signed, { now: now + seconds * 1000 })
    })
  })

  describe("of an invalid request", () => {
    it("rejects a request without Authorization", () => {
      expectRejection("MissingAuthenticationTokenException", base)
    })

    it("rejects an unknown key id", () => {
      expectRejection("UnrecognizedClientException", sign(base, { id: "AKIDEXAMPLE" }))
    })

    it("rejects a session token that is wrong, missing or not expected", () => {
      const keys = keysWith(Option.some("token"))
      const carrying = sign(withHeaders({ "x-amz-security-token": "tokeN" }))
      expectRejection("UnrecognizedClientException", carrying, { keys })
      expectRejection("UnrecognizedClientException", sign(base), { keys })
      expectRejection("UnrecognizedClientException", carrying)
    })

    it("rejects a wrong signature, with the text that should have been signed", () => {
      const signed = sign(base)
      const message = expectRejection("InvalidSignatureException", { ...signed, path: "/-/other" })
      expect(message).toContain("The Canonical String for this request should have been\n'GET\n/-/other\nlimit=2&")
      expect(message).toContain("The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20120525T002453Z\n")
    })

    it("rejects a signature or token that is longer or shorter", () => {
      const text = sign(base).headers["authorization"] ?? ""
      expectRejection("InvalidSignatureException", withHeaders({ authorization: text + "0" }))
      expectRejection("InvalidSignatureException", withHeaders({ authorization: text.slice(0, -1) }))
      const keys = keysWith(Option.some("token"))
      for (const token of ["tokens", "toke", ""]) {
        expectRejection("UnrecognizedClientException", sign(withHeaders({ "x-amz-security-token": token })), { keys })
      }
    })

    it("rejects a body with another hash", () => {
      expectRejection("InvalidSignatureException", sign(base), { bodySha256: hashOf("{}") })
    })

    it("rejects a signature more than 5 minutes old", () => {
      for (const seconds of [301, 86_400]) {
        expectRejection("InvalidSignatureException", sign(base), { now: now + seconds * 1000 })
      }
      expect(expectRejection("InvalidSignatureException", sign(base), { now: now + 301_000 })).toBe(
        "Signature expired: 20120525T002453Z is now earlier than 20120525T002454Z (20120525T002954Z - 5 min.)"
      )
    })

    it("rejects a signature more than 5 minutes ahead", () => {
      expect(expectRejection("InvalidSignatureException", sign(base), { now: now - 301_000 })).toBe(
        "Signature not yet current: 20120525T002453Z is still later than 20120525T002452Z (20120525T001952Z + 5 min.)"
      )
    })

    it("rejects a missing date, or a date that is not in basic ISO form", () => {
      expect(expectRejection("InvalidSignatureException", sign(without("x-amz-date")))).toContain("'X-Amz-Date'")
      const http = without("x-amz-date", withHeaders({ date: "Fri, 25 May 2012 00:24:53 GMT" }))
      expect(expectRejection("InvalidSignatureException", sign(http))).toContain("basic format")
      for (const date of ["", "2012-05-25T00:24:53Z", "20120525", "20120532T002453Z", "20120525T246053Z"]) {
        const dated = withHeaders({ "x-amz-date": date, date: "20120525T002453Z" })
        expect(expectRejection("InvalidSignatureException", sign(dated))).toContain("basic format")
      }
    })

    it("rejects a scope of another day", () => {
      const signed = sign(base, { scope: "20120524/us-east-1/glacier/aws4_request" })
      expect(expectRejection("InvalidSignatureException", signed)).toContain("'20120524'")
    })

    it("rejects a scope with another terminator", () => {
      const signed = sign(base, { scope: "20120525/us-east-1/glacier/aws5_request" })
      expect(expectRejection("InvalidSignatureException", signed)).toContain("'aws5_request'")
    })

    const [names, signature] = ["host;x-amz-date", "0".repeat(64)]
    it.each([
      "",
      "Basic dXNlcjpwYXNz",
      "AWS4-HMAC-SHA256",
      `AWS4-HMAC-SHA512 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}, SignedHeaders=${names}, Signature=${signature}`,
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}/more, SignedHeaders=${names}, Signature=${signature}`,
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, Signature=${signature}`,
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}`,
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=`
    ])("rejects the Authorization '%s'", (text) => {
      const message = expectRejection("InvalidSignatureException", withHeaders({ authorization: text }))
      expect(message).toContain("Authorization header requires")
    })

    it("rejects headers that must be signed but are not", () => {
      expect(expectRejection("InvalidSignatureException", sign(base, { names: "x-amz-date" }))).toContain("'host'")
      for (const name of ["x-amz-content-sha256", "x-amz-security-token", "x-amz-date"]) {
        const request = withHeaders({ [name]: name === "x-amz-date" ? "20120525T002453Z" : emptyHash })
        expect(expectRejection("InvalidSignatureException", sign(request, { names: "host" }))).toContain(`'${name}'`)
      }
    })

    it.each(["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "", emptyHash.toUpperCase(), `${emptyHash}\n`])(
      "rejects the x-amz-content-sha256 '%s'",
      (hash) => {
        const signed = sign(withHeaders({ "x-amz-content-sha256": hash }))
        expect(expectRejection("InvalidSignatureException", signed)).toContain("64 lower-case hex digits")
      }
    )

    const alphabet = FastCheck.constantFrom(..."abcXYZ0129/.-%=&+ ")
    // A changed case of a letter may give the same escape (%3a, %3A).
    const flip = (text: string, at: number, to: string): string | undefined => {
      const index = at % text.length
      return text.charAt(index).toLowerCase() === to.toLowerCase()
        ? undefined
        : text.slice(0, index) + to + text.slice(index + 1)
    }
    const targets = ["path", "query", "authorization", ...Object.keys(base.headers)]

    it.prop(
      "rejects a request with any single changed character",
      [FastCheck.constantFrom(...targets), FastCheck.nat(1000), alphabet],
      ([target, at, to]) => {
        const signed = sign(base)
        const inTarget = target === "path" || target === "query"
        const flipped = flip(inTarget ? signed[target] : signed.headers[target] ?? "", at, to)
        FastCheck.pre(flipped !== undefined)
        const changed = inTarget ? { ...signed, [target]: flipped } : withHeaders({ [target]: flipped ?? "" }, signed)
        expect(Either.isLeft(verify(changed))).toBe(true)
      },
      { fastCheck: { numRuns: 2000 } }
    )
  })

  describe("of any request", () => {
    const junk = FastCheck.oneof(
      FastCheck.string({ unit: "binary" }),
      FastCheck.string({ unit: FastCheck.nat(0xffff).map((code) => String.fromCharCode(code)) }),
      FastCheck.string({ unit: FastCheck.constantFrom(..."%/.=&+,; aF0\n") })
    )
    const headerName = FastCheck.oneof(FastCheck.constantFrom(...Object.keys(base.headers), "date", "__proto__"), junk)
    const junkAuthorization = FastCheck.oneof(
      junk,
      FastCheck.tuple(junk, junk).map(([names, signature]) => authorization({ names: `host;${names}`, signature })),
      FastCheck.constant(sign(base, { names: "host;x-amz-date" }).headers["authorization"] ?? "")
    )

    it.prop(
      "never throws on any method, path, query, header or time",
      [junk, junk, junk, FastCheck.dictionary(headerName, junk), junkAuthorization, FastCheck.double(), junk],
      ([method, path, query, headers, text, time, bodySha256]) => {
        for (const sent of [headers, { ...base.headers, ...headers }, base.headers]) {
          const request = { method, path, query, headers: { ...sent, authorization: text } }
          expect(Either.isEither(verify(request))).toBe(true)
          expect(Either.isEither(verify(request, { now: time, bodySha256 }))).toBe(true)
        }
      },
      { fastCheck: { numRuns: 500 } }
    )
  })
})
